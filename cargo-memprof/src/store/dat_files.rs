//! The files that Python's mprof leaves in the current folder: `mprofile_<14 characters>.dat`.

use std::path::{Path, PathBuf};

/// Length of `YYYYMMDDhhmmss`.
const STAMP: usize = 14;

/// Every such file in `folder`, by name, which is by time.
pub(super) fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|name| stamp(name).is_some())
        .collect();
    files.sort();
    files
}

/// The time in the file's name; nothing if it is no name that mprof gives.
pub(super) fn stamp(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let stamp = name.strip_prefix("mprofile_")?.strip_suffix(".dat")?;
    (stamp.chars().count() == STAMP).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_that_mprof_looks_for() {
        assert_eq!(
            stamp(Path::new("a/mprofile_20260301140509.dat")),
            Some("20260301140509")
        );
        for name in [
            "mprofile.dat",
            "mprofile_1.dat",
            "mprofile_20260301140509_ts.dat",
        ] {
            assert_eq!(stamp(Path::new(name)), None, "{name}");
        }
    }
}
