//! Where runs are kept, by the same rules as in the profiled program.

use std::path::{Path, PathBuf};

/// `dir`, `MEMPROF_DIR`, or `memprof` in the target directory.
pub(super) fn find(dir: Option<&Path>) -> PathBuf {
    let named = dir
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os("MEMPROF_DIR").map(PathBuf::from));
    named.unwrap_or_else(|| target_directory().join("memprof"))
}

/// The target directory of the package around the current folder; without one, what a program that was
/// moved out of its target directory would take.
fn target_directory() -> PathBuf {
    let asked = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec();
    match asked {
        Ok(metadata) => metadata.target_directory.into_std_path_buf(),
        Err(_) => std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| PathBuf::from("target"), PathBuf::from),
    }
}
