//! Writing as the writer thread does it: the files of a run, and where they go.

use std::path::{Path, PathBuf};

use super::baseline_check;
use crate::recorder::Recorder;
use memprof_model::run::{Run, RunOutcome};
use memprof_report::internal::{prune, recover};
use memprof_report::{ReportError, RunFolder};

/// This process's folder, the same for every write.
static FOLDER: RunFolder = RunFolder::new();

/// How many runs are kept by default.
const KEPT: usize = 30;

/// The result of a write.
#[derive(Debug)]
pub(crate) struct ReportsWritten {
    /// The run's folder.
    pub folder: PathBuf,
    /// Folders of other programs' runs that were recovered on this occasion.
    pub recovered: Vec<PathBuf>,
}

/// Writes the reports, recovers runs of killed programs, and removes old runs.
pub(crate) fn write(recorder: &Recorder, run: &Run) -> Result<ReportsWritten, ReportError> {
    let root = root(recorder);
    let folder = memprof_report::write(run, &root, &FOLDER)?;
    #[cfg(feature = "export")]
    memprof_report::export::write(run, &folder, &recorder.settings.exports)?;
    let mut recovered = Vec::new();
    if run.outcome == RunOutcome::Exited {
        recovered = recover::in_passing(&root, &folder);
        let keep = recorder.settings.keep.unwrap_or(KEPT);
        if keep > 0 && prune::prune(&root, keep, &folder) {
            memprof_report::refresh_index(&root)?;
        }
    }
    Ok(ReportsWritten { folder, recovered })
}

/// Saves or checks the baseline, if that was asked for.
pub(crate) fn baseline(
    recorder: &Recorder,
    run: &Run,
    status: Option<i32>,
) -> baseline_check::BaselineOutcome {
    let plan = &recorder.settings.baseline;
    let current_dir = recorder.current_dir.as_deref();
    baseline_check::carry_out(plan, run, &root(recorder), current_dir, status)
}

/// Runs the code that finds the folder of the runs, so that it is in memory before the program's first line.
pub(crate) fn prepare(recorder: &Recorder) {
    let _ = root(recorder);
}

/// This process's folder; it exists when this returns.
pub(crate) fn folder(recorder: &Recorder, run: &Run) -> Result<PathBuf, ReportError> {
    FOLDER.in_root(&root(recorder), run)
}

/// The folder that holds the runs, always absolute.
fn root(recorder: &Recorder) -> PathBuf {
    let dir = match &recorder.settings.dir {
        Some(dir) => dir.clone(),
        None => target_directory().join("memprof"),
    };
    // Relative to the first working directory: the program may have changed it since.
    match &recorder.current_dir {
        Some(current) => current.join(dir),
        None => dir,
    }
}

/// The target directory that the program belongs to.
fn target_directory() -> PathBuf {
    let executable = std::env::current_exe().ok();
    executable
        .as_deref()
        .and_then(target_directory_of)
        .or_else(|| std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("target"))
}

/// The nearest folder above `executable` that cargo has marked as a target directory.
///
/// Cargo puts executables two to four levels below it (`release/`, `debug/deps/`,
/// `x86_64-unknown-linux-gnu/debug/examples/`), and these two files into it.
fn target_directory_of(executable: &Path) -> Option<PathBuf> {
    let above = executable.ancestors().skip(1).take(6);
    above
        .filter(|folder| {
            folder.join("CACHEDIR.TAG").is_file() && folder.join(".rustc_info.json").is_file()
        })
        .map(Path::to_path_buf)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_directory_of_an_executable_is_found() {
        let target = tempfile::tempdir().unwrap();
        let deps = target.path().join("x86_64-unknown-linux-gnu/debug/deps");
        std::fs::create_dir_all(&deps).unwrap();
        let executable = deps.join("program-0123");
        assert_eq!(target_directory_of(&executable), None);
        for name in ["CACHEDIR.TAG", ".rustc_info.json"] {
            std::fs::write(target.path().join(name), "").unwrap();
        }
        assert_eq!(
            target_directory_of(&executable).as_deref(),
            Some(target.path())
        );
    }
}
