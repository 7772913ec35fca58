//! A file of ours that stays open in the program's table of descriptors.
//!
//! The table is the program's: it may close our number, or put another file there (`dup2`, or a daemon that closes
//! everything and opens its own). So a number is never trusted. Before each use the file behind it is compared with the
//! one that was opened. That costs 0.13 µs, a tenth of a reading; to open the file for each use costs 4 to 6 µs, and
//! there, too, another thread may take the number before it is used.
//!
//! If another file is there, the number belongs to the program by now. Ours is opened again, and the number is left
//! alone.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;

/// So often the program may take the number before ours is opened for each use. Threads with tables of descriptors of
/// their own take it whenever another one of them has opened it.
const MOST_LOSSES: u32 = 8;

/// Descriptors of ours get numbers from here on: from the first that the process's limit allows. Not higher, because the
/// kernel's table becomes as large as its highest number.
const HIGH: [libc::c_int; 3] = [768, 192, 48];

/// See the file's beginning.
#[derive(Debug)]
pub(super) struct KeptFile {
    open: fn() -> io::Result<File>,
    opened: Opened,
    losses: u32,
}

/// The number, and the file that was opened under it.
#[derive(Debug)]
struct Opened {
    /// `None` only while this is being dropped.
    file: Option<File>,
    identity: Option<Identity>,
}

/// Device and inode.
type Identity = (u64, u64);

impl KeptFile {
    pub(super) fn open(open: fn() -> io::Result<File>) -> io::Result<KeptFile> {
        Ok(KeptFile {
            open,
            opened: Opened::new(open()?),
            losses: 0,
        })
    }

    /// Does `work` with the file, which is opened again if the program has taken its number.
    pub(super) fn with<T>(&mut self, work: fn(&File) -> io::Result<T>) -> io::Result<T> {
        if let Some(file) = self.opened.file_if_ours() {
            let result = work(file);
            // Another thread may have taken the number just now.
            if result.is_ok() || self.opened.file_if_ours().is_some() {
                return result;
            }
        }
        let again = Opened::new((self.open)()?);
        let file = again.file_if_ours().ok_or(io::ErrorKind::ResourceBusy)?;
        let result = work(file);
        if self.losses < MOST_LOSSES {
            self.losses += 1;
            self.opened = again;
        }
        result
    }
}

impl Opened {
    fn new(file: File) -> Opened {
        let file = out_of_the_way(file);
        Opened {
            identity: identity(&file),
            file: Some(file),
        }
    }

    fn file_if_ours(&self) -> Option<&File> {
        let file = self.file.as_ref()?;
        let here = identity(file)?;
        (Some(here) == self.identity).then_some(file)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.file_if_ours().is_none() {
            // The number is the program's, so it is not closed.
            std::mem::forget(self.file.take());
        }
    }
}

/// `None` where nothing is open under the file's number.
fn identity(file: &File) -> Option<Identity> {
    let found = file.metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// `file` under a high number: the program's own files get the numbers that they would get without us. Where the
/// system gives none, the number stays.
pub(crate) fn out_of_the_way(file: File) -> File {
    let duplicate = |from: libc::c_int| {
        // SAFETY: the call takes numbers only. It gives a new descriptor, and closes none.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, from) }
    };
    let high = HIGH.into_iter().map(duplicate).find(|&number| number >= 0);
    match high {
        // SAFETY: just opened, and nobody else's.
        Some(number) => unsafe { File::from_raw_fd(number) },
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::os::own_process::alone;

    fn statm() -> io::Result<File> {
        File::open("/proc/self/statm")
    }

    /// Puts another file under the number of `kept`, and gives the number.
    fn take_number(kept: &KeptFile) -> i32 {
        let number = kept.opened.file.as_ref().unwrap().as_raw_fd();
        let other = File::open("/proc/self/comm").unwrap();
        // SAFETY: what is open under the number is replaced, which is the point.
        assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), number) }, number);
        number
    }

    fn fields(file: &File) -> io::Result<usize> {
        let mut text = String::new();
        (&*file).read_to_string(&mut text)?;
        Ok(text.split(' ').count())
    }

    #[test]
    fn kept_file_is_opened_again_when_its_number_was_taken_which_stays_open() {
        alone(|| {
            let mut kept = KeptFile::open(statm).unwrap();
            let number = take_number(&kept);
            assert_eq!(kept.with(fields).unwrap(), 7);
            assert_ne!(kept.opened.file.as_ref().unwrap().as_raw_fd(), number);
            drop(kept);
            // SAFETY: opened by `take_number`, and nobody else's.
            let taken = unsafe { File::from_raw_fd(number) };
            assert_eq!(fields(&taken).unwrap(), 1, "it is comm, and was not closed");
        });
    }

    #[test]
    fn kept_file_that_is_lost_again_and_again_is_opened_for_each_use() {
        alone(|| {
            let mut kept = KeptFile::open(statm).unwrap();
            for _ in 0..MOST_LOSSES {
                take_number(&kept);
                assert_eq!(kept.with(fields).unwrap(), 7);
            }
            let last = take_number(&kept);
            for _ in 0..3 {
                assert_eq!(kept.with(fields).unwrap(), 7);
                assert_eq!(kept.opened.file.as_ref().unwrap().as_raw_fd(), last);
            }
        });
    }

    #[test]
    fn kept_file_leaves_the_low_numbers_to_the_program() {
        alone(|| {
            let next = || File::open("/dev/null").unwrap().as_raw_fd();
            let before = next();
            let kept = KeptFile::open(statm).unwrap();
            assert_eq!(next(), before);
            drop(kept);
        });
    }
}
