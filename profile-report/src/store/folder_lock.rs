//! Processes that write into the same folder take turns.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until no other process has the lock of `folder`, which must exist, for so `long` at most or for ever.
/// The turn ends when the file is dropped.
///
/// # Errors
/// When the time is over, or on a file system without locks.
pub fn take_turn(folder: &Path, long: Option<Duration>) -> io::Result<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(".lock"))?;
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
}
