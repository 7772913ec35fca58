//! Writes a file so that it appears whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::ReportError;

/// Replaces the file at `path` by `contents`: a temporary name in the same folder, then a rename.
///
/// The file gets ordinary permissions (as the umask allows), so that other users and tools such as
/// a web server can read it like any other build output.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), ReportError> {
    try_write(path, contents).map_err(|e| ReportError::write(path, e))
}

pub(crate) fn try_write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = temporary(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(contents)?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A new file in `folder` that is removed again unless it is given its name.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".memprof-").suffix(".tmp");
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_else_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("größe und so.txt");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write(&ours, b"").unwrap();
        std::fs::write(&plain, b"").unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write(Path::new("/nonexistent-memprof/x/index.html"), b"").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/nonexistent-memprof/x/index.html"),
            "{error}"
        );
    }
}
