//! The bytes of a file, unless it is something that one had better not read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Whether a link in the place of the file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Somebody has named the file.
    Follow,
    /// The file was come across: we make no links there.
    Refuse,
}

/// The whole file at `path`, of at most `most` bytes.
///
/// # Errors
/// Those of [`open`], and when the file is larger.
pub(crate) fn read(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    let (file, size) = open(path, links)?;
    let mut bytes = Vec::new();
    let size = usize::try_from(size.min(most)).unwrap_or(0);
    bytes.try_reserve_exact(size)?;
    // It may grow meanwhile: what is being written is read as far as it got.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "it is larger than the {} MiB that are read of such a file",
            most >> 20
        )));
    }
    Ok(bytes)
}

/// A file of at most `most` bytes that memprof has written where others may write, too.
///
/// # Errors
/// When it cannot be read, is larger, or is no regular file.
pub fn read_ours(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read(path, Links::Refuse, most)
}

/// Opens the file at `path` and says how many bytes it has. Never waits, as the opening of a pipe would.
///
/// # Errors
/// When it cannot be opened, or is no regular file: a device may have no end.
pub(crate) fn open(path: &Path, links: Links) -> io::Result<(File, u64)> {
    let mut options = File::options();
    without_waiting(options.read(true), links);
    let file = options.open(path).map_err(|error| said(error, links))?;
    // Of what is open: what stands at the path may be another file by now.
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// Has `options` open nothing that makes the caller wait, nor a link unless it is to be followed (open(2)).
#[cfg(unix)]
pub(crate) fn without_waiting(options: &mut std::fs::OpenOptions, links: Links) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = match links {
        Links::Follow => OFlags::NONBLOCK,
        Links::Refuse => OFlags::NONBLOCK | OFlags::NOFOLLOW,
    };
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
pub(crate) fn without_waiting(_options: &mut std::fs::OpenOptions, _links: Links) {}

/// What the kernel calls a loop is a link that was refused.
fn said(error: io::Error, links: Links) -> io::Error {
    #[cfg(unix)]
    if links == Links::Refuse
        && error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    {
        return io::Error::other("it is a link, and memprof makes none there");
    }
    let _ = links;
    error
}

/// A pipe, which nobody writes into: to open it as a file waits for ever.
#[cfg(all(test, unix))]
pub(crate) fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_of_just_the_size_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [7; 100]).unwrap();
        assert_eq!(read(file.path(), Links::Refuse, 100).unwrap(), [7; 100]);
        let error = read(file.path(), Links::Refuse, 99)
            .unwrap_err()
            .to_string();
        assert!(error.contains("larger than"), "{error}");
    }

    #[test]
    fn a_huge_file_takes_neither_time_nor_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        assert!(read(file.path(), Links::Follow, 1 << 20).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_folders_and_pipes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        make_pipe(&pipe);
        for path in [Path::new("/dev/zero"), folder.path(), &pipe] {
            let error = read(path, Links::Follow, 10).unwrap_err().to_string();
            assert!(error.contains("no regular file"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_where_somebody_named_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link, Links::Follow, 10).unwrap(), b"x");
        let error = read(&link, Links::Refuse, 10).unwrap_err().to_string();
        assert!(error.contains("it is a link"), "{error}");
    }
}
