//! The bytes of a file, unless it is something that one had better not read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The whole file at `path`, of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, is larger, or is no regular file: to open a pipe may wait for ever, and a
/// device may have no end.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let size = usize::try_from(metadata.len().min(most)).unwrap_or(0);
    bytes.try_reserve_exact(size)?;
    // It may grow meanwhile: what is being written is read as far as it got.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "it is larger than the {} MiB that are read of such a file",
            most >> 20
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_just_the_size_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [7; 100]).unwrap();
        assert_eq!(read(file.path(), 100).unwrap(), [7; 100]);
        let error = read(file.path(), 99).unwrap_err().to_string();
        assert!(error.contains("larger than"), "{error}");
    }

    #[test]
    fn a_huge_file_takes_neither_time_nor_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        assert!(read(file.path(), 1 << 20).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in [Path::new("/dev/zero"), folder.path()] {
            let error = read(path, 10).unwrap_err().to_string();
            assert!(error.contains("no regular file"), "{error}");
        }
    }
}
