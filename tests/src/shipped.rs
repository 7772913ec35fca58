//! Test programs as small as they get: optimised for size as a whole, stripped, and without unwinding.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with these programs, built below `temporary`.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn built(temporary: &Path, programs: &[&str]) -> PathBuf {
    let target = temporary.join("shipped");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    cargo
        .args(["build", "--offline", "--quiet", "--release"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true");
    for program in programs {
        cargo.args(["--bin", program]);
    }
    assert!(cargo.status().is_ok_and(|status| status.success()));
    target.join("release")
}
