//! Whether cargo finds this version of memprof where it would look for it.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};

/// # Errors
/// When cargo does not find it for the package of `manifest`; with what cargo says.
pub(crate) fn must_have(manifest: &Path) -> Outcome<()> {
    let version = concat!("memprof@", env!("CARGO_PKG_VERSION"));
    let failed = |reason: String| {
        Failure::new(
            format!("add {version} to {}", manifest.display()),
            reason,
            "nothing was changed; --memprof names the folder of a memprof that you have",
        )
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .args(["info", "--quiet", "--color", "never", version])
        .current_dir(manifest.parent().unwrap_or(Path::new(".")))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if asked.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&asked.stderr);
    let reason = said.lines().find_map(|line| line.strip_prefix("error: "));
    Err(failed(
        reason.unwrap_or("cargo does not find it").to_owned(),
    ))
}
