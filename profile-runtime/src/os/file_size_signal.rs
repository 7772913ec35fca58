//! The signal of a limit on the size of files (`RLIMIT_FSIZE`), which ends a program that does not handle it. Where
//! memprof writes on a thread of the program's, a file of memprof's that reaches the limit is not the program's doing.

/// Does `work`, and leaves no such signal of what it writes behind.
#[cfg(unix)]
pub(crate) fn without_file_size_signal<T>(work: impl FnOnce() -> T) -> T {
    let _blocked = unix::Blocked::new();
    work()
}

#[cfg(not(unix))]
pub(crate) fn without_file_size_signal<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(unix)]
mod unix {
    use std::mem::MaybeUninit;
    use std::ptr;

    /// The signal is blocked on the calling thread. Dropping this takes away the one that came, and has the mask as it
    /// was.
    pub(super) struct Blocked {
        before: libc::sigset_t,
        /// One was waiting already: it stays.
        was_pending: bool,
    }

    impl Blocked {
        /// `None` where the system refuses.
        pub(super) fn new() -> Option<Blocked> {
            let mut before = MaybeUninit::uninit();
            let signal = only_this();
            // SAFETY: changes the calling thread's mask alone; `signal` is a set, `before` is valid for a write.
            let answer = unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signal, before.as_mut_ptr())
            };
            (answer == 0).then(|| Blocked {
                // SAFETY: filled by the successful call.
                before: unsafe { before.assume_init() },
                was_pending: is_pending(),
            })
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            // What a write has sent is pending on this thread, so this does not wait.
            if !self.was_pending && is_pending() {
                let (signal, mut taken) = (only_this(), 0);
                // SAFETY: `signal` is a set, the other pointer is valid for a write.
                unsafe { libc::sigwait(&raw const signal, &raw mut taken) };
            }
            // SAFETY: the set is the one that the thread had.
            unsafe {
                libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut());
            }
        }
    }

    /// A set of this signal.
    fn only_this() -> libc::sigset_t {
        let mut set = MaybeUninit::uninit();
        // SAFETY: the pointer is valid for a write of one set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: the set is initialised.
        unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGXFSZ) };
        // SAFETY: the same.
        unsafe { set.assume_init() }
    }

    fn is_pending() -> bool {
        let mut set = only_this();
        // SAFETY: the pointer is valid for a write of one set.
        let answer = unsafe { libc::sigpending(&raw mut set) };
        // SAFETY: a set.
        answer == 0 && unsafe { libc::sigismember(&raw const set, libc::SIGXFSZ) } == 1
    }

    #[cfg(test)]
    mod tests {
        use super::super::without_file_size_signal;
        use super::*;
        use crate::os::own_process::alone;

        fn send() {
            // SAFETY: sends a signal to the calling thread, which is blocked.
            unsafe { libc::raise(libc::SIGXFSZ) };
        }

        #[test]
        fn file_size_signal_of_our_work_does_not_reach_the_program() {
            alone(|| {
                assert_eq!(
                    without_file_size_signal(|| {
                        send();
                        7
                    }),
                    7
                );
                assert!(
                    !is_pending(),
                    "and it is not blocked: this process would be gone"
                );
            });
        }

        #[test]
        fn file_size_signal_that_waited_before_is_the_programs() {
            alone(|| {
                let blocked = Blocked::new().unwrap();
                send();
                without_file_size_signal(|| ());
                assert!(is_pending());
                drop(blocked);
                assert!(!is_pending());
            });
        }
    }
}
