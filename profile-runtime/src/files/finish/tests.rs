use std::path::Path;

use super::*;
use crate::Settings;
use crate::os::own_process::alone;
use crate::os::scripted::Script;
use crate::reading::instruments::Instruments;
use crate::settings::BaselineMode;
use crate::site::annotated::Site;
use crate::site::spec::SiteSpec;
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
fn finish_reports_of_nothing_are_refused() {
    alone(|| {
        let error = write_reports().expect_err("nothing was recorded");
        assert_eq!(
            error.to_string(),
            ReportError::nothing_recorded().to_string()
        );
    });
}

#[test]
fn finish_reports_are_written_on_demand_again_and_again_into_the_same_folder() {
    alone(|| {
        let recorder = recorder(Settings::new());
        recorder::install(|| Some(recorder));
        let folder = write_reports().expect("a call was made");
        assert_eq!(run_in(&folder).outcome, RunOutcome::Running);
        assert_eq!(write_reports().expect("a call was made"), folder);
    });
}

#[test]
fn finish_the_last_write_is_of_a_run_that_exited_and_no_failure() {
    alone(|| {
        assert!(!finish(recorder(Settings::new()), Some(0)));
        let run = run_in(&root().join("latest"));
        assert_eq!((run.outcome, run.low_memory_ns), (RunOutcome::Exited, None));
        assert_eq!(run.functions[0].calls, 1);
    });
}

#[test]
fn finish_a_run_without_functions_is_not_written() {
    alone(|| {
        let instruments = Instruments::scripted(Script::leaked(1 << 20));
        let recorder = Recorder::new(Settings::new().dir(root()), instruments);
        assert!(!finish(Box::leak(Box::new(recorder)), Some(0)));
        assert!(std::fs::read_dir(root()).is_ok_and(|mut entries| entries.next().is_none()));
    });
}

#[test]
fn finish_reports_that_cannot_be_written_are_no_failure_of_the_program() {
    alone(|| {
        let file = root().join("file");
        std::fs::write(&file, "").expect("it can be written");
        let recorder = recorder_in(&file, Settings::new());
        assert!(!finish(recorder, Some(0)));
    });
}

#[test]
fn finish_a_baseline_decides_whether_the_process_fails() {
    alone(|| {
        let file = root().join("memprof-baseline.json");
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
fn finish_where_there_is_no_terminal_the_summary_is_a_hundred_columns_wide() {
    // Standard error is a pipe there.
    alone(|| assert_eq!(columns(), 100));
}
