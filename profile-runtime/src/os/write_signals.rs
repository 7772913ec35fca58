//! A write can raise a signal: SIGPIPE where nobody reads the pipe any more, SIGXFSZ where a file is as long as files
//! may be, SIGTTOU where the program is in the background of its terminal. What memprof writes on a thread of the
//! program's must neither end the program nor stop it nor run its handlers.

/// Runs `write`. The signals that it raises never come to the program.
#[cfg(not(target_os = "linux"))]
pub(crate) fn taken_back<T>(write: impl FnOnce() -> T) -> T {
    write()
}

#[cfg(target_os = "linux")]
pub(crate) use linux::taken_back;

#[cfg(target_os = "linux")]
mod linux {
    use std::ptr;

    /// One bit for each signal, as the kernel has them.
    type Signals = u64;

    /// While SIGTTOU is blocked the terminal takes what is written, and raises nothing.
    const RAISED: Signals = bit(libc::SIGPIPE) | bit(libc::SIGXFSZ) | bit(libc::SIGTTOU);

    const fn bit(signal: libc::c_int) -> Signals {
        1 << (signal - 1)
    }

    /// Runs `write`. The signals that it raises never come to the program: they are blocked meanwhile, and taken by us.
    pub(crate) fn taken_back<T>(write: impl FnOnce() -> T) -> T {
        let _blocked = Blocked::begin();
        write()
    }

    /// The calling thread does not get the signals until this is dropped.
    struct Blocked {
        /// What the thread blocked before; `None` if that could not be changed.
        before: Option<Signals>,
        /// Those that waited before are the program's.
        waiting: Signals,
    }

    impl Blocked {
        fn begin() -> Blocked {
            Blocked {
                waiting: waiting(),
                before: set_mask(libc::SIG_BLOCK, RAISED),
            }
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            let Some(before) = self.before else { return };
            take(waiting() & RAISED & !self.waiting);
            set_mask(libc::SIG_SETMASK, before);
        }
    }

    /// Gives the mask that the thread had (rt_sigprocmask(2)).
    fn set_mask(how: libc::c_int, signals: Signals) -> Option<Signals> {
        let mut before: Signals = 0;
        // SAFETY: the pointers are valid for a read and a write of as many bytes as are named.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                how,
                &raw const signals,
                &raw mut before,
                size_of::<Signals>(),
            )
        };
        (answer == 0).then_some(before)
    }

    /// The signals that wait for the calling thread (rt_sigpending(2)).
    fn waiting() -> Signals {
        let mut signals: Signals = 0;
        // SAFETY: the pointer is valid for a write of as many bytes as are named.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigpending,
                &raw mut signals,
                size_of::<Signals>(),
            )
        };
        signals
    }

    /// Takes those of `signals` that wait, each once at most (rt_sigtimedwait(2)).
    fn take(signals: Signals) {
        let at_once = [0_i64; 2];
        for _ in 0..signals.count_ones() {
            // SAFETY: the pointers are valid for reads of as many bytes as are named, the time is two numbers of 64
            // bits at most, and nothing is written.
            unsafe {
                libc::syscall(
                    libc::SYS_rt_sigtimedwait,
                    &raw const signals,
                    ptr::null::<libc::siginfo_t>(),
                    &raw const at_once,
                    size_of::<Signals>(),
                )
            };
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn raise(signal: libc::c_int) {
            // SAFETY: takes a number.
            unsafe { libc::raise(signal) };
        }

        #[test]
        fn write_signals_what_is_raised_meanwhile_is_gone_and_the_mask_is_as_before() {
            let before = set_mask(libc::SIG_BLOCK, 0);
            taken_back(|| {
                raise(libc::SIGXFSZ);
                assert_eq!(waiting(), bit(libc::SIGXFSZ));
            });
            assert_eq!(waiting(), 0);
            assert_eq!(set_mask(libc::SIG_BLOCK, 0), before);
        }

        #[test]
        fn write_signals_what_waited_before_waits_again() {
            let before = set_mask(libc::SIG_BLOCK, bit(libc::SIGXFSZ)).expect("set");
            raise(libc::SIGXFSZ);
            taken_back(|| raise(libc::SIGTTOU));
            assert_eq!(waiting(), bit(libc::SIGXFSZ));
            take(waiting());
            assert_eq!(waiting(), 0);
            set_mask(libc::SIG_SETMASK, before);
        }

        #[test]
        fn write_signals_a_panic_leaves_the_mask_as_before() {
            let before = set_mask(libc::SIG_BLOCK, 0);
            let panicked = std::panic::catch_unwind(|| taken_back(|| panic!("on purpose")));
            assert!(panicked.is_err());
            assert_eq!(set_mask(libc::SIG_BLOCK, 0), before);
        }
    }
}
