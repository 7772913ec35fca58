//! Whether the program's stderr may be written to: a program may close it, and then the next file that it opens has
//! the number 2.
//!
//! What was there when recording began is stderr, and so is what a program puts in its place to have messages in: a
//! terminal, a pipe, or what stdout is, too. Any other file may be the program's data, one that is appended to as well:
//! a log and a journal look the same.

use std::io::{self, Stderr};

use super::write_signals;

/// Notes what stderr is now.
pub(crate) fn note() {
    #[cfg(unix)]
    unix::note();
}

/// Has `write` write to stderr, unless number 2 is a file of the program's. That it fails is no reason to disturb the
/// program, and the program gets no signal of it.
pub(crate) fn write(write: impl FnOnce(Stderr) -> io::Result<()>) {
    #[cfg(unix)]
    let may_be_written = unix::may_be_written();
    #[cfg(not(unix))]
    let may_be_written = true;
    if may_be_written {
        let _ = write_signals::taken_back(|| write(io::stderr()));
    }
}

#[cfg(unix)]
mod unix {
    use std::mem::MaybeUninit;
    use std::sync::OnceLock;

    /// What stderr was when recording began; `None` inside if it was closed.
    static AT_THE_BEGINNING: OnceLock<Option<Identity>> = OnceLock::new();

    /// Device and inode.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Identity(u64, u64);

    pub(super) fn note() {
        AT_THE_BEGINNING
            .get_or_init(|| status(libc::STDERR_FILENO).map(|status| identity(&status)));
    }

    pub(super) fn may_be_written() -> bool {
        let (Some(&before), Some(now)) = (AT_THE_BEGINNING.get(), status(libc::STDERR_FILENO))
        else {
            return true;
        };
        let is_plain_file = now.st_mode & libc::S_IFMT == libc::S_IFREG;
        let of = identity(&now);
        let of_stdout = || status(libc::STDOUT_FILENO).map(|status| identity(&status));
        !is_plain_file || before == Some(of) || of_stdout() == Some(of)
    }

    /// `None` of a number that is not open.
    fn status(number: libc::c_int) -> Option<libc::stat> {
        let mut status = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: fstat writes one `stat` to where there is room for it.
        let answer = unsafe { libc::fstat(number, status.as_mut_ptr()) };
        // SAFETY: it has been written.
        (answer == 0).then(|| unsafe { status.assume_init() })
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the types differ from system to system"
    )]
    fn identity(status: &libc::stat) -> Identity {
        Identity(status.st_dev as u64, status.st_ino as u64)
    }
}
