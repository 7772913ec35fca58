//! Whether the calling thread may be in a signal handler, as far as the signals tell that it has blocked: the kernel
//! blocks a signal while its handler runs (sigaction(2)).
//!
//! A program blocks signals, too. So the thread's mask is compared with the one that it has outside of handlers. What is
//! blocked besides can be a handler's doing only if one of these signals has a handler. And a handler returns: a mask
//! that stays for a second is the program's.

#[cfg(target_os = "linux")]
pub(crate) use linux::may_be_in_handler;

/// Nothing is known of masks on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn may_be_in_handler() -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::cell::Cell;
    use std::mem::MaybeUninit;
    use std::time::{Duration, Instant};

    /// A mask that has been there for so long, whenever the thread was looked at, is the program's.
    const SETTLED: Duration = Duration::from_secs(1);

    /// One bit for each signal, as the kernel has them.
    type Signals = u64;

    /// What is known of the thread's masks.
    struct Known {
        /// What it blocks outside of handlers; `None` before the first look.
        usual: Cell<Option<Signals>>,
        /// Another mask, and since when there was no other.
        other: Cell<Option<(Signals, Instant)>>,
    }

    thread_local! {
        static KNOWN: Known = const {
            Known {
                usual: Cell::new(None),
                other: Cell::new(None),
            }
        };
    }

    /// Costs 0.1 µs. A thread's first look is taken for one outside of handlers.
    pub(crate) fn may_be_in_handler() -> bool {
        blocked().is_some_and(|now| KNOWN.with(|known| known.may_be_handlers(now)))
    }

    impl Known {
        fn may_be_handlers(&self, now: Signals) -> bool {
            let more = self.usual.get().map_or(0, |usual| now & !usual);
            if more != 0 && any_handled(more) && !self.has_settled(now) {
                return true;
            }
            self.usual.set(Some(now));
            self.other.set(None);
            false
        }

        fn has_settled(&self, now: Signals) -> bool {
            match self.other.get() {
                Some((other, since)) if other == now => since.elapsed() >= SETTLED,
                _ => {
                    self.other.set(Some((now, Instant::now())));
                    false
                }
            }
        }
    }

    /// The signals that the calling thread blocks (rt_sigprocmask(2)).
    fn blocked() -> Option<Signals> {
        let mut now: Signals = 0;
        // SAFETY: nothing is changed; the pointer is valid for a write of as many bytes as are named.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                libc::SIG_BLOCK,
                std::ptr::null::<Signals>(),
                &raw mut now,
                size_of::<Signals>(),
            )
        };
        (answer == 0).then_some(now)
    }

    /// Whether the program handles one of these signals.
    fn any_handled(signals: Signals) -> bool {
        (1..=64).any(|signal| signals & (1 << (signal - 1)) != 0 && is_handled(signal))
    }

    fn is_handled(signal: libc::c_int) -> bool {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: nothing is changed; the pointer is valid for a write.
        let answer = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
        if answer != 0 {
            return false;
        }
        // SAFETY: filled by the call.
        let action = unsafe { action.assume_init() };
        ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// SIGSEGV, which the standard library handles, and SIGUSR2, which nobody does.
        const HANDLED: Signals = 1 << (libc::SIGSEGV - 1);
        const PLAIN: Signals = 1 << (libc::SIGUSR2 - 1);

        fn known(usual: Signals) -> Known {
            Known {
                usual: Cell::new(Some(usual)),
                other: Cell::new(None),
            }
        }

        #[test]
        fn signal_mask_more_than_usual_is_a_handlers_if_one_of_it_is_handled() {
            let known = known(PLAIN);
            assert!(!known.may_be_handlers(PLAIN));
            assert!(known.may_be_handlers(PLAIN | HANDLED));
            assert!(known.may_be_handlers(HANDLED));
            assert_eq!(known.usual.get(), Some(PLAIN));
            assert!(!known.may_be_handlers(0), "less is the program's");
            assert!(!known.may_be_handlers(PLAIN), "nobody handles it");
            assert!(known.may_be_handlers(PLAIN | HANDLED));
        }

        #[test]
        fn signal_mask_that_stays_is_the_programs() {
            let known = known(0);
            assert!(known.may_be_handlers(HANDLED));
            let long_ago = Instant::now() - SETTLED;
            known.other.set(Some((HANDLED, long_ago)));
            assert!(!known.may_be_handlers(HANDLED));
            assert_eq!(known.usual.get(), Some(HANDLED));
        }

        #[test]
        fn signal_mask_of_this_thread_is_read() {
            assert!(blocked().is_some());
            assert!(!may_be_in_handler());
        }
    }
}
