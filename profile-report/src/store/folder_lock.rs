//! Processes that write into the same folder take turns.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bounded_file::{Links, without_waiting};

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until no other process has the lock of `folder`, which must exist, for so `long` at most or for ever.
/// The turn ends when the file is dropped.
///
/// # Errors
/// When the time is over, on a file system without locks, and where somebody has put something else than a file of
/// ours in the place of the lock.
pub fn take_turn(folder: &Path, long: Option<Duration>) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    without_waiting(&mut options, Links::Refuse);
    let lock = options.open(folder.join(".lock"))?;
    let Some(long) = long else {
        lock.lock()?;
        return Ok(lock);
    };
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if began.elapsed() < long => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let short = Some(Duration::from_millis(5));
        let turn = take_turn(folder.path(), None).unwrap();
        assert!(take_turn(folder.path(), short).is_err());
        drop(turn);
        assert!(take_turn(folder.path(), short).is_ok());
        assert!(take_turn(&folder.path().join("nowhere"), short).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_behind_a_link_or_a_pipe_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join(".lock");
        std::os::unix::fs::symlink(folder.path().join("made"), &lock).unwrap();
        assert!(take_turn(folder.path(), None).is_err());
        assert!(!folder.path().join("made").exists());
        std::fs::remove_file(&lock).unwrap();
        crate::bounded_file::make_pipe(&lock);
        assert!(take_turn(folder.path(), None).is_err());
    }
}
