//! Writing as the writer thread does it: the files of a run, and where they go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::baseline_check;
use crate::os::{environment, thread as os_thread};
use crate::recorder::Recorder;
use memprof_model::run::{Run, RunOutcome};
use memprof_report::internal::store::{InPassing, Written, write_last};
use memprof_report::{ReportError, RunFolder};

/// This process's folder, the same for every write.
static FOLDER: RunFolder = RunFolder::new();

/// How many runs are kept by default.
const KEPT: usize = 30;

/// Writes the reports, recovers runs of killed programs, and removes old runs.
pub(crate) fn write(recorder: &Recorder, run: &Run) -> Result<Written, ReportError> {
    let root = root(recorder);
    let written = if run.outcome == RunOutcome::Exited {
        let keep = recorder.settings.keep.unwrap_or(KEPT);
        write_last(run, &root, &FOLDER, keep, processor_time)?
    } else {
        Written {
            folder: memprof_report::write(run, &root, &FOLDER)?,
            in_passing: InPassing::default(),
        }
    };
    #[cfg(feature = "export")]
    memprof_report::export::write(run, &written.folder, &recorder.settings.exports)?;
    Ok(written)
}

/// Of the thread that writes. Where that cannot be told no time passes: there is no end then.
fn processor_time() -> Duration {
    Duration::from_nanos(os_thread::cpu_ns())
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

/// Finds out before the program's first line what can be found out, and goes through the motions of choosing the
/// folder of `run`: code for that is in memory then. No folder can be made below a device.
pub(crate) fn prepare(recorder: &Recorder, run: &Run) {
    let _ = root(recorder);
    let _ = RunFolder::new().in_root(Path::new("/dev/null/memprof"), run);
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
        .or_else(|| environment::variable("CARGO_TARGET_DIR").map(PathBuf::from))
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
    fn reports_target_directory_of_an_executable_is_found() {
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

    use crate::Settings;
    use crate::os::own_process::alone;
    use crate::os::scripted::Script;
    use crate::reading::instruments::Instruments;
    use crate::snapshot::whole_run;
    use memprof_report::fixture;

    /// A recorder of a run that began in the folder `current`.
    fn recorder(settings: Settings, current: Option<&str>) -> &'static Recorder {
        let instruments = Instruments::scripted(Script::leaked(1 << 20));
        let mut recorder = Recorder::new(settings, instruments);
        recorder.current_dir = current.map(PathBuf::from);
        Box::leak(Box::new(recorder))
    }

    #[test]
    fn reports_a_relative_folder_is_one_of_the_first_working_directory() {
        let root = |dir: &str, current| root(recorder(Settings::new().dir(dir), current));
        assert_eq!(root("runs", Some("/first")), Path::new("/first/runs"));
        assert_eq!(root("/runs", Some("/first")), Path::new("/runs"));
        assert_eq!(root("runs", None), Path::new("runs"));
    }

    #[test]
    fn reports_runs_are_kept_in_the_target_directory_that_the_program_belongs_to() {
        let root = root(recorder(Settings::new(), Some("/first")));
        let executable = std::env::current_exe().unwrap();
        // A target directory that was copied may have lost its marks.
        match target_directory_of(&executable) {
            Some(target) => assert_eq!(root, target.join("memprof")),
            None => assert_eq!(
                root,
                Path::new("/first").join(target_directory()).join("memprof")
            ),
        }
        assert!(root.is_absolute());
    }

    #[test]
    fn reports_the_nearest_marked_folder_is_the_target_directory_and_one_marked_in_part_is_none() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("a/target");
        std::fs::create_dir_all(&inner).unwrap();
        for folder in [outer.path(), &inner] {
            std::fs::write(folder.join("CACHEDIR.TAG"), "").unwrap();
        }
        let executable = inner.join("release/program");
        std::fs::write(outer.path().join(".rustc_info.json"), "").unwrap();
        assert_eq!(
            target_directory_of(&executable).as_deref(),
            Some(outer.path())
        );
        std::fs::write(inner.join(".rustc_info.json"), "").unwrap();
        assert_eq!(target_directory_of(&executable), Some(inner));
    }

    /// The names of the runs in `root`.
    fn runs(root: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
        let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
        let names = folders.map(|folder| folder.file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn reports_the_finished_run_has_older_ones_removed_and_one_in_progress_does_not() {
        alone(|| {
            let root = tempfile::tempdir().unwrap();
            memprof_report::write(&fixture::inverse(), root.path(), &RunFolder::new()).unwrap();
            let recorder = recorder(Settings::new().dir(root.path()).keep(1), None);
            let mut run = whole_run::take(recorder, RunOutcome::Running);
            let first = write(recorder, &run).unwrap();
            assert_eq!(runs(root.path()).len(), 2);
            run.outcome = RunOutcome::Exited;
            let second = write(recorder, &run).unwrap();
            assert_eq!(second.folder, first.folder, "the same for every write");
            assert_eq!(folder(recorder, &run).unwrap(), first.folder);
            let name = first.folder.file_name().unwrap().to_str().unwrap();
            assert_eq!(runs(root.path()), [name]);
            assert!(second.folder.join("index.html").is_file());
        });
    }

    #[test]
    fn reports_a_run_that_keeps_all_removes_none() {
        alone(|| {
            let root = tempfile::tempdir().unwrap();
            memprof_report::write(&fixture::inverse(), root.path(), &RunFolder::new()).unwrap();
            let recorder = recorder(Settings::new().dir(root.path()).keep(0), None);
            let run = whole_run::take(recorder, RunOutcome::Exited);
            write(recorder, &run).unwrap();
            assert_eq!(runs(root.path()).len(), 2);
        });
    }
}
