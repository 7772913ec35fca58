//! Where this process's reports go, and the writing of them: on demand and when the program ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline;
use crate::message;
use crate::prune;
use crate::recorder::Recorder;
use crate::recover;
use crate::report::{self, ReportError, RunFolder};
use crate::run::{Run, RunOutcome};
use crate::snapshot;

/// This process's folder, the same for every write.
static FOLDER: RunFolder = RunFolder::new();

/// How many runs are kept where nothing else is said.
const KEPT: usize = 30;

/// Width of the summary where there is no terminal.
const COLUMNS: usize = 100;

/// Writes the reports of the run so far and gives back their folder.
///
/// Calling it again replaces the same files; when the program ends they are written once more. Calls
/// in progress are in the reports as far as they got.
///
/// # Errors
/// When nothing has been recorded (no annotated call yet, or `MEMPROF=0`), and when a file cannot be
/// written. The message is one line and says what to do.
///
/// ```
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
/// work();
/// let folder = memprof::write_reports()?;
/// assert!(folder.join("index.html").is_file());
/// # Ok::<(), memprof::report::ReportError>(())
/// ```
pub fn write_reports() -> Result<PathBuf, ReportError> {
    let recorder = Recorder::running().ok_or_else(ReportError::nothing_recorded)?;
    let run = Arc::new(snapshot::take(recorder, RunOutcome::Running));
    let written = recorder.scribe().write(recorder, &run)?;
    Ok(written.folder)
}

/// The last write: the reports, and a summary on stderr. `status` is the process's exit code, where it
/// is known. Says whether the process must end with a failure.
pub(crate) fn finish(recorder: &'static Recorder, status: Option<i32>) -> bool {
    if !(recorder.scribe()).make_room(recorder, recorder.sites().len()) {
        message(
            "the reports are not written: the system gives the process no more memory; what was \
             recorded is in the run's journal, and the next program that writes reports here, or \
             memprof::recover, makes them of it",
        );
        return false;
    }
    let run = Arc::new(snapshot::take(recorder, RunOutcome::Exited));
    if run.functions.is_empty() {
        return false;
    }
    let written = recorder
        .scribe()
        .write(recorder, &run)
        .inspect_err(|error| print(&error.to_string()))
        .ok();
    let quiet = recorder.settings().quiet;
    if !quiet {
        tell(&run, written.as_ref());
    }
    let baseline = recorder.scribe().baseline(recorder, &run, status);
    let remark = baseline.remark.filter(|_| !quiet);
    for text in remark.iter().chain(&baseline.said) {
        message(text);
    }
    baseline.failed
}

/// The summary.
fn tell(run: &Run, written: Option<&Written>) {
    let folder = written.map(|written| written.folder.as_path());
    print(&report::summary(run, folder, columns()));
    for run in written.iter().flat_map(|written| &written.recovered) {
        let page = run.join("index.html");
        message(&format!(
            "a run that ended without a report was recovered: {}",
            page.display()
        ));
    }
}

/// What a write has led to.
#[derive(Debug)]
pub(crate) struct Written {
    /// The run's folder.
    pub folder: PathBuf,
    /// Folders of other programs' runs that were recovered in passing.
    pub recovered: Vec<PathBuf>,
}

/// Writes the reports here and now: the scribe's part.
pub(crate) fn write(recorder: &Recorder, run: &Run) -> Result<Written, ReportError> {
    let root = root(recorder);
    let folder = report::write(run, &root, &FOLDER)?;
    #[cfg(feature = "export")]
    report::export::write(run, &folder, &recorder.settings().exports)?;
    let mut recovered = Vec::new();
    if run.outcome == RunOutcome::Exited {
        recovered = recover::in_passing(&root, &folder);
        let keep = recorder.settings().keep.unwrap_or(KEPT);
        if keep > 0 && prune::prune(&root, keep, &folder) {
            report::refresh_index(&root)?;
        }
    }
    Ok(Written { folder, recovered })
}

/// Saves or checks the baseline, if that was asked for: the scribe's part.
pub(crate) fn baseline(recorder: &Recorder, run: &Run, status: Option<i32>) -> baseline::Outcome {
    let plan = &recorder.settings().baseline;
    plan.carry_out(run, &root(recorder), recorder.current_dir(), status)
}

/// Finds out what can be found out before anything is written.
pub(crate) fn prepare(recorder: &Recorder) {
    let _ = root(recorder);
}

/// This process's folder; it exists when this returns.
pub(crate) fn folder(recorder: &Recorder, run: &Run) -> Result<PathBuf, ReportError> {
    FOLDER.in_root(&root(recorder), run)
}

/// The folder that holds the runs, always absolute.
fn root(recorder: &Recorder) -> PathBuf {
    let dir = match &recorder.settings().dir {
        Some(dir) => dir.clone(),
        None => target_directory().join("memprof"),
    };
    // The program may have changed its working directory since: what was meant is the first one.
    match recorder.current_dir() {
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

/// Columns of the terminal that stderr is; a hundred where it is none.
fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stderr())
        .map_or(COLUMNS, |(terminal_size::Width(columns), _)| columns.into())
}

/// Prints to stderr, coloured where that is wanted. A closed stderr is not a reason to disturb the
/// program.
fn print(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_target_directory_of_an_executable() {
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
