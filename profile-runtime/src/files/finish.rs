//! The caller's side of writing: on demand, and when the program ends.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::reports::ReportsWritten;
use super::room;
use super::writer;
use crate::message::message;
use crate::recorder::{self, Recorder};
use crate::snapshot::whole_run;
use memprof_model::run::{Run, RunOutcome};
use memprof_report::ReportError;

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
    let recorder = recorder::running().ok_or_else(ReportError::nothing_recorded)?;
    let run = Arc::new(whole_run::take(recorder, RunOutcome::Running));
    let written = writer::write(recorder, &run)?;
    Ok(written.folder)
}

/// The last write: the reports, and a summary on stderr. `status` is the process's exit code, where it
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
    let mut run = whole_run::take(recorder, RunOutcome::Exited);
    if run.functions.is_empty() {
        return false;
    }
    run.low_memory_ns = writer::low_memory_ns();
    let run = Arc::new(run);
    let written = writer::write(recorder, &run)
        .inspect_err(|error| print(&error.to_string()))
        .ok();
    let quiet = recorder.settings.quiet;
    if !quiet {
        print_summary(&run, written.as_ref());
    }
    let baseline = writer::check_baseline(recorder, &run, status);
    let remark = baseline.remark.filter(|_| !quiet);
    for text in remark.iter().chain(&baseline.said) {
        message(text);
    }
    baseline.failed
}

/// Prints the summary.
fn print_summary(run: &Run, written: Option<&ReportsWritten>) {
    let folder = written.map(|written| written.folder.as_path());
    print(&memprof_report::summary(run, folder, columns()));
    for run in written.iter().flat_map(|written| &written.recovered) {
        let page = run.join("index.html");
        message(&format!(
            "a run that ended without a report was recovered: {}",
            page.display()
        ));
    }
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
    use std::path::Path;

    use super::*;
    use crate::Settings;
    use crate::os::own_process::alone;
    use crate::os::scripted::Script;
    use crate::reading::instruments::Instruments;
    use crate::settings::BaselineMode;
    use crate::site::spec::{Site, SiteSpec};
    use crate::thread::open_call::Kind;

    /// Where this process keeps runs.
    fn root() -> PathBuf {
        std::env::var_os("MEMPROF_DIR")
            .expect("the test has its own")
            .into()
    }

    /// A scripted recorder with one call of one function.
    fn recorder(settings: Settings) -> &'static Recorder {
        recorder_in(&root(), settings)
    }

    fn recorder_in(root: &Path, settings: Settings) -> &'static Recorder {
        let site = Site::new(SiteSpec {
            name: || "demo::f",
            label: None,
            block: None,
            file: "src/f.rs",
            line: 1,
            interval_ns: 1_000_000,
            source: "",
            source_line: 1,
            lines: &[1],
        });
        let settings = settings.dir(root).quiet(true);
        let recorder = Recorder::new(settings, Instruments::scripted(Script::leaked(1 << 20)));
        let recorder = &*Box::leak(Box::new(recorder));
        let thread = recorder.threads.take();
        thread
            .enter(recorder.register(Box::leak(Box::new(site))), Kind::Call)
            .exit();
        recorder
    }

    fn run_in(folder: &Path) -> Run {
        memprof_report::read_run(folder.join("run.json")).expect("it was written")
    }

    #[test]
    fn reports_of_nothing_are_refused() {
        alone(|| {
            let error = write_reports().expect_err("nothing was recorded");
            assert_eq!(
                error.to_string(),
                ReportError::nothing_recorded().to_string()
            );
        });
    }

    #[test]
    fn reports_are_written_on_demand_again_and_again_into_the_same_folder() {
        alone(|| {
            let recorder = recorder(Settings::new());
            recorder::install(|| Some(recorder));
            let folder = write_reports().expect("a call was made");
            assert_eq!(run_in(&folder).outcome, RunOutcome::Running);
            assert_eq!(write_reports().expect("a call was made"), folder);
        });
    }

    #[test]
    fn the_last_write_is_of_a_run_that_exited_and_no_failure() {
        alone(|| {
            assert!(!finish(recorder(Settings::new()), Some(0)));
            let run = run_in(&root().join("latest"));
            assert_eq!((run.outcome, run.low_memory_ns), (RunOutcome::Exited, None));
            assert_eq!(run.functions[0].calls, 1);
        });
    }

    #[test]
    fn a_run_without_functions_is_not_written() {
        alone(|| {
            let instruments = Instruments::scripted(Script::leaked(1 << 20));
            let recorder = Recorder::new(Settings::new().dir(root()), instruments);
            assert!(!finish(Box::leak(Box::new(recorder)), Some(0)));
            assert!(std::fs::read_dir(root()).is_ok_and(|mut entries| entries.next().is_none()));
        });
    }

    #[test]
    fn reports_that_cannot_be_written_are_no_failure_of_the_program() {
        alone(|| {
            let file = root().join("file");
            std::fs::write(&file, "").expect("it can be written");
            let recorder = recorder_in(&file, Settings::new());
            assert!(!finish(recorder, Some(0)));
        });
    }

    #[test]
    fn a_baseline_decides_whether_the_process_fails() {
        alone(|| {
            let file = root().join("memprof-baseline.toml");
            let plan = |mode| Settings::new().baseline(mode).baseline_file(&file);
            let check = plan(BaselineMode::Check);
            assert!(
                finish(recorder(check.clone()), Some(0)),
                "there is none yet"
            );
            assert!(!finish(recorder(plan(BaselineMode::Save)), Some(0)));
            assert!(file.is_file());
            assert!(!finish(recorder(check), Some(0)));
        });
    }

    #[test]
    fn where_there_is_no_terminal_the_summary_is_a_hundred_columns_wide() {
        // Standard error is a pipe there.
        alone(|| assert_eq!(columns(), 100));
    }
}
