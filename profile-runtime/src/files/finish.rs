//! Writing as the program sees it: on demand, and when the program ends. The caller waits for the writer.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::room;
use super::work;
use crate::heap;
use crate::message::message;
use crate::os::stderr;
use crate::own_code::{self, uncancelled};
use crate::recorder::{self, Recorder};
use crate::snapshot::whole_run;
use memprof_model::run::{Run, RunOutcome};
use memprof_report::ReportError;
use memprof_report::internal::store::Written;

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
    let _inside = own_code::enter().ok_or_else(ReportError::nothing_recorded)?;
    let _uncancelled = uncancelled(|| ());
    let recorder = recorder::running().ok_or_else(ReportError::nothing_recorded)?;
    let write = || {
        let run = Arc::new(whole_run::take(recorder, RunOutcome::Running));
        work::write(recorder, &run)
    };
    Ok(heap::without_counting(write)?.folder)
}

/// The last write: the reports, the baseline, and a summary on stderr. `status` is the process's exit code, where it
/// is known. Says whether the process must end with a failure.
pub(crate) fn finish(recorder: &'static Recorder, status: Option<i32>) -> bool {
    if !room::is_enough_for_reports(recorder.sites().len()) {
        message(
            "the reports are not written: the system gives the process no more memory; what was \
             recorded is in the run's journal, and the next program that writes reports here, or \
             memprof::recover, makes them of it",
        );
        return false;
    }
    let run = whole_run::take(recorder, RunOutcome::Exited);
    if run.functions.is_empty() {
        return false;
    }
    let run = Arc::new(run);
    let written = work::write(recorder, &run)
        .inspect_err(|error| print(&error.to_string()))
        .ok();
    let quiet = recorder.settings.quiet;
    if !quiet {
        print_summary(&run, written.as_ref());
    }
    let baseline = work::check_baseline(recorder, &run, status);
    let remark = baseline.remark.filter(|_| !quiet);
    for text in remark.iter().chain(&baseline.said) {
        message(text);
    }
    baseline.failed
}

/// Prints the summary, and which other runs were recovered.
fn print_summary(run: &Run, written: Option<&Written>) {
    let folder = written.map(|written| written.folder.as_path());
    print(&memprof_report::summary(run, folder, columns()));
    let Some(written) = written else { return };
    for run in &written.in_passing.recovered {
        let page = run.join("index.html");
        message(&format!(
            "a run that ended without a report was recovered: {}",
            page.display()
        ));
    }
    if written.in_passing.left > 0 {
        message(&format!(
            "runs that ended without a report: {}; to recover them now would take too long, so run \
             `cargo memprof recover`",
            written.in_passing.left
        ));
    }
}

/// Columns of the terminal that stderr is; a hundred where it is none.
fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stderr())
        .map_or(COLUMNS, |(terminal_size::Width(columns), _)| columns.into())
}

/// Prints to stderr, coloured where that is wanted, where stderr may be written to.
fn print(text: &str) {
    stderr::write(|stderr| writeln!(anstream::AutoStream::auto(stderr), "{text}"));
}

#[cfg(test)]
mod tests;
