//! A program and its plugin, each with a copy of memprof of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::user_crate::UserCrate;

/// The program `plugin_host` and the plugin, built below `temporary`.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn built(temporary: &Path) -> [PathBuf; 2] {
    let target = temporary.join("callers");
    let user = UserCrate::new("plugin", "2024", "", &target);
    user.add("plugin_host", "src/main.rs");
    let mut manifest = OpenOptions::new()
        .append(true)
        .open(user.path().join("Cargo.toml"))
        .expect("the manifest");
    let kinds = "[lib]\ncrate-type = [\"cdylib\"]\n\
                 [[bin]]\nname = \"plugin_host\"\npath = \"src/main.rs\"\n";
    manifest.write_all(kinds.as_bytes()).expect("written");
    let output = user
        .cargo(&["build", "--offline", "--quiet"])
        .output()
        .expect("cargo");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    ["plugin_host", "libplugin.so"].map(|file| target.join("debug").join(file))
}
