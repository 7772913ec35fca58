//! What ends or disturbs a watch: the program's end, and signals to us.
//!
//! Signals are blocked and taken by a thread of their own, which can see where they come from. What a
//! terminal sends (Ctrl-C) goes to the program as well, without our doing; what another process sends
//! to us alone has to be handed on.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The program has ended; it is not reaped yet.
    Ended,
    /// A signal came.
    Signal {
        /// Its number.
        number: i32,
        /// Whether it was sent to this process alone, and not by the terminal to all in front of it.
        to_us_alone: bool,
    },
}

/// Where events come from.
#[derive(Debug)]
pub(crate) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// Takes over the signals of this process. Call it before any thread is started: threads inherit
    /// what is blocked.
    pub(crate) fn take_over() -> Events {
        let (sender, receiver) = channel();
        signals::listen(sender.clone());
        Events { sender, receiver }
    }

    /// Waits for the next event; `None` if none comes in time.
    pub(crate) fn next(&self, within: Duration) -> Option<Event> {
        match self.receiver.recv_timeout(within) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            // The sender is ours: it cannot be gone.
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Reports the end of the child `pid` as [`Event::Ended`], and leaves reaping it to its owner.
    pub(crate) fn report_end_of(&self, pid: u32) {
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            signals::wait_without_reaping(pid);
            // Nobody waits for it any more when the watch is over.
            let _ = sender.send(Event::Ended);
        });
    }
}

/// Whether a signal ends what only looks at a program.
pub(crate) fn ends(signal: i32) -> bool {
    #[cfg(unix)]
    let goes_on = [libc::SIGUSR1, libc::SIGUSR2].contains(&signal);
    #[cfg(not(unix))]
    let goes_on = signal == 0;
    !goes_on
}

#[cfg(unix)]
pub(crate) use signals::{die_of, end_with_terminal, give_back, send};

#[cfg(unix)]
mod signals {
    use std::mem::MaybeUninit;
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::sync::OnceLock;
    use std::sync::mpsc::Sender;

    use super::Event;

    /// What is handed on, or ends an attached watch.
    const TAKEN: [libc::c_int; 6] = [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGUSR1,
        libc::SIGUSR2,
    ];

    /// What was blocked before we came.
    static BEFORE: OnceLock<libc::sigset_t> = OnceLock::new();

    /// Blocks [`TAKEN`] and sends what comes.
    pub(super) fn listen(sender: Sender<Event>) {
        let mut taken = MaybeUninit::uninit();
        // SAFETY: the pointer is valid for a write of one signal set.
        unsafe { libc::sigemptyset(taken.as_mut_ptr()) };
        for signal in TAKEN {
            // SAFETY: the set has been made by `sigemptyset`.
            unsafe { libc::sigaddset(taken.as_mut_ptr(), signal) };
        }
        // SAFETY: `sigemptyset` has filled the whole set.
        let taken: libc::sigset_t = unsafe { taken.assume_init() };
        let mut before = MaybeUninit::uninit();
        // SAFETY: both pointers are valid, the second for a write of one signal set.
        let blocked = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const taken, before.as_mut_ptr())
        };
        if blocked != 0 {
            return;
        }
        // SAFETY: the successful call has filled it.
        BEFORE.get_or_init(|| unsafe { before.assume_init() });
        std::thread::spawn(move || {
            while let Some(event) = wait_for_one(&taken) {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
    }

    /// `None` if it cannot be waited.
    fn wait_for_one(taken: &libc::sigset_t) -> Option<Event> {
        loop {
            let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
            // SAFETY: the set is whole, and `info` valid for a write of one `siginfo_t`.
            let number = unsafe { libc::sigwaitinfo(taken, info.as_mut_ptr()) };
            if number > 0 {
                // SAFETY: all zeroes are a valid `siginfo_t`, and the kernel has written over them.
                let info = unsafe { info.assume_init() };
                // Codes of processes are not positive; the kernel's, for a terminal, are.
                let to_us_alone = info.si_code <= 0;
                return Some(Event::Signal {
                    number,
                    to_us_alone,
                });
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return None;
            }
        }
    }

    /// Lets `command` begin with the signals blocked that were blocked before we came.
    pub(crate) fn give_back(command: &mut Command) {
        if let Some(&before) = BEFORE.get() {
            let unblock = move || {
                // SAFETY: the set is whole. The call is safe between fork and exec.
                unsafe {
                    libc::pthread_sigmask(
                        libc::SIG_SETMASK,
                        &raw const before,
                        std::ptr::null_mut(),
                    )
                };
                Ok(())
            };
            // SAFETY: `unblock` makes one async-signal-safe call and touches nothing of ours.
            unsafe { command.pre_exec(unblock) };
        }
    }

    /// Sends a signal to a child that has not been reaped.
    pub(crate) fn send(pid: u32, signal: i32) {
        if let Ok(pid) = libc::pid_t::try_from(pid) {
            // SAFETY: kill only reads its arguments. That the child may have ended is no harm: its
            // number is not given to another before we reap it.
            unsafe { libc::kill(pid, signal) };
        }
    }

    /// Waits for the end of a child and leaves it to be reaped.
    pub(super) fn wait_without_reaping(pid: u32) {
        loop {
            let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
            let how = libc::WEXITED | libc::WNOWAIT;
            // SAFETY: `info` is valid for a write of one `siginfo_t`.
            let answer = unsafe { libc::waitid(libc::P_PID, pid, info.as_mut_ptr(), how) };
            let interrupted =
                std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted;
            if answer == 0 || !interrupted {
                return;
            }
        }
    }

    /// From now on this process ends when the terminal that is its stdout does, as if nobody had taken the
    /// hang-up signal over. Waiting for a key in a terminal that is gone does not come back to us:
    /// crossterm reads its end over and over.
    pub(crate) fn end_with_terminal() {
        std::thread::spawn(|| {
            let mut terminal = libc::pollfd {
                fd: libc::STDOUT_FILENO,
                // Nothing but its end, which need not be asked for (poll(2)).
                events: 0,
                revents: 0,
            };
            loop {
                // SAFETY: the pointer is valid for one `pollfd`.
                let found = unsafe { libc::poll(&raw mut terminal, 1, -1) };
                if found > 0 {
                    die_of(libc::SIGHUP);
                }
                let interrupted =
                    std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted;
                if found >= 0 || !interrupted {
                    return;
                }
            }
        });
    }

    /// Ends this process by `signal`, as the program did, without a core file of ours. Comes back if the
    /// signal does not end a process.
    pub(crate) fn die_of(signal: i32) {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the pointer is valid for a read of one `rlimit`.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
        let mut only = MaybeUninit::uninit();
        // SAFETY: the pointer is valid for a write of one signal set.
        unsafe { libc::sigemptyset(only.as_mut_ptr()) };
        // SAFETY: the set has been made by `sigemptyset`.
        unsafe { libc::sigaddset(only.as_mut_ptr(), signal) };
        // SAFETY: SIG_DFL is a valid handler for every signal; what cannot have one is refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        // SAFETY: the set is whole.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, only.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: raise only reads its argument.
        unsafe { libc::raise(signal) };
    }
}

#[cfg(not(unix))]
mod signals {
    use std::sync::mpsc::Sender;

    use super::Event;

    /// Ctrl-C goes to us as to the program.
    pub(super) fn listen(_sender: Sender<Event>) {}

    /// Its end is seen by the readings.
    pub(super) fn wait_without_reaping(_pid: u32) {
        loop {
            std::thread::park();
        }
    }
}
