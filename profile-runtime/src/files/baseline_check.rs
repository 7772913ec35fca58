//! `MEMPROF_BASELINE`: a file in the user's repository that says what functions took, saved or checked
//! when a test process ends.
//!
//! All test programs of a package share the file: one process after the other, or with nextest hundreds at a time.
//! A lock in the folder of the reports lets one process in at a time. The *session* is kept there, too: what the
//! processes of one `cargo test` have found so far.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use super::baseline_session::Session;
use crate::settings::{BaselineMode, BaselinePlan};
use memprof_model::run::Run;
use memprof_report::internal::baseline::test_program;
use memprof_report::{Baseline, ReportError};

/// The file's name, beside `Cargo.toml`.
const FILE: &str = "memprof-baseline.json";

/// What came of saving or checking the baseline.
#[derive(Debug, Default)]
pub(crate) struct BaselineOutcome {
    /// A message that the user must see.
    pub said: Option<String>,
    /// A message that `quiet` leaves out.
    pub remark: Option<String>,
    /// Whether the process must end with a failure.
    pub failed: bool,
}

impl BaselineOutcome {
    fn failure(mode: BaselineMode, said: String) -> BaselineOutcome {
        BaselineOutcome {
            said: Some(said),
            remark: None,
            failed: mode == BaselineMode::Check,
        }
    }

    /// The outcome after a panic of our own.
    pub(crate) fn bug(mode: Option<BaselineMode>) -> BaselineOutcome {
        match mode {
            Some(mode) => BaselineOutcome::failure(
                mode,
                "the baseline could not be looked at: a bug in memprof, please report it"
                    .to_owned(),
            ),
            None => BaselineOutcome::default(),
        }
    }

    fn remark(remark: String) -> BaselineOutcome {
        BaselineOutcome {
            remark: Some(remark),
            ..BaselineOutcome::default()
        }
    }
}

/// Saves or checks the figures of `run`, as `plan` says. `root` is the folder of the runs; `status` is the process's
/// exit code, if it is known.
pub(crate) fn carry_out(
    plan: &BaselinePlan,
    run: &Run,
    root: &Path,
    current_dir: Option<&Path>,
    status: Option<i32>,
) -> BaselineOutcome {
    let Some(mode) = plan.mode else {
        return BaselineOutcome::default();
    };
    let Some(file) = find_file(plan, current_dir) else {
        return BaselineOutcome::failure(
            mode,
            "no baseline: the program was not started by cargo and no Cargo.toml is around; set \
             MEMPROF_BASELINE_FILE to the file"
                .to_owned(),
        );
    };
    let task = Task {
        mode,
        file: &file,
        tolerance: plan.tolerance.as_deref(),
        run,
        root,
    };
    if mode == BaselineMode::Save && status.is_some_and(|status| status != 0) {
        return BaselineOutcome::failure(
            mode,
            "the baseline was not saved, because the tests failed: what they did not get to is not \
             known"
                .to_owned(),
        );
    }
    task.carry_out()
        .unwrap_or_else(|error| BaselineOutcome::failure(mode, without_name(&error)))
}

/// The baseline's file: the one that was asked for, or else beside the nearest `Cargo.toml`.
fn find_file(plan: &BaselinePlan, current_dir: Option<&Path>) -> Option<PathBuf> {
    let current_dir = current_dir.unwrap_or(Path::new("."));
    if let Some(file) = &plan.file {
        return Some(current_dir.join(file));
    }
    let package = match &plan.package {
        Some(package) => package.clone(),
        None => {
            let mut folders = current_dir.ancestors();
            let package = folders.find(|folder| folder.join("Cargo.toml").is_file());
            package?.to_owned()
        }
    };
    Some(package.join(FILE))
}

/// What is to be done with which file.
struct Task<'run> {
    mode: BaselineMode,
    file: &'run Path,
    tolerance: Option<&'run str>,
    run: &'run Run,
    root: &'run Path,
}

impl Task<'_> {
    fn carry_out(&self) -> Result<BaselineOutcome, ReportError> {
        let folder = self.root.join("baseline");
        let _lock = lock_folder(&folder)?;
        let saved = self.read()?;
        let now = Baseline::of(self.run);
        let package = self.package();
        let path = folder.join(format!("{package}-{:016x}.json", hash(self.file)));
        let before = saved.clone().unwrap_or_default();
        let session = Session::go_on(&path, &self.with_tolerance(before), &now)?;
        let outcome = match (self.mode, saved) {
            (BaselineMode::Save, saved) => self.save(saved.unwrap_or_default(), &session)?,
            (BaselineMode::Check, Some(saved)) => self.check(&self.with_tolerance(saved), &now),
            (BaselineMode::Check, None) => BaselineOutcome::failure(
                self.mode,
                format!(
                    "there is no baseline to check against: {} is missing; make it with \
                     `MEMPROF_BASELINE=save cargo test`",
                    self.file.display()
                ),
            ),
        };
        let markdown = session.comparison().markdown(&package);
        memprof_report::internal::write_file(
            &folder.join(format!("{package}.md")),
            markdown.as_bytes(),
        )?;
        Ok(outcome)
    }

    /// The baseline in the file; `None` if there is no file.
    fn read(&self) -> Result<Option<Baseline>, ReportError> {
        match fs::symlink_metadata(self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Baseline::read(self.file).map(Some),
        }
    }

    /// `baseline` with the tolerance that the environment asks for.
    fn with_tolerance(&self, mut baseline: Baseline) -> Baseline {
        let tolerance = self
            .tolerance
            .and_then(|text| baseline.tolerance.with(text));
        baseline.tolerance = tolerance.unwrap_or(baseline.tolerance);
        baseline
    }

    /// The package's name: that of its folder.
    fn package(&self) -> String {
        let folder = self.file.parent().and_then(Path::file_name);
        let name = folder.map_or_else(|| "package".into(), |name| name.to_string_lossy());
        memprof_report::internal::safe_file_name(&name)
    }

    fn check(&self, saved: &Baseline, now: &Baseline) -> BaselineOutcome {
        let comparison = saved.compare(now);
        let file = self.file.display();
        let new = match comparison.new_functions().len() {
            0 => String::new(),
            1 => "; 1 more is not in it yet".to_owned(),
            more => format!("; {more} more are not in it yet"),
        };
        let sentence = comparison.sentence();
        if comparison.worse().is_empty() {
            return BaselineOutcome::remark(format!("{sentence}{new}: {file}"));
        }
        BaselineOutcome::failure(
            self.mode,
            format!(
                "{sentence}: {file}\n\n{}\n\nIf that is as it must be, accept it with `MEMPROF_BASELINE=save \
                 cargo test`. To allow more, change `tolerance` in that file, or set \
                 MEMPROF_BASELINE_TOLERANCE=10%.\n",
                comparison.message()
            ),
        )
    }

    fn save(&self, before: Baseline, session: &Session) -> Result<BaselineOutcome, ReportError> {
        let whole = test_program(&self.run.program)
            .filter(|program| is_whole(&self.run.command) && !self.is_of_two(program));
        let mut saved = before.clone();
        saved.accept(session.now(), whole);
        let same = saved == before && self.file.exists();
        if !same {
            // If the file is a link, its target is written.
            let file = fs::canonicalize(self.file);
            saved.write(file.as_deref().unwrap_or(self.file))?;
        }
        let count = saved.entries().count();
        let change = if same { "as it was" } else { "saved" };
        let file = self.file.display();
        let what = if count == 1 { "function" } else { "functions" };
        Ok(BaselineOutcome::remark(format!(
            "baseline {change}, {count} {what}: {file}"
        )))
    }

    /// Whether `program` may be the name of two test programs: of the package's library, and of its binary.
    fn is_of_two(&self, program: &str) -> bool {
        let package = self.file.parent().unwrap_or(Path::new("."));
        let source = package.join("src");
        let others = [
            "main.rs",
            &format!("bin/{program}.rs"),
            &format!("bin/{program}/main.rs"),
        ];
        let other = others.iter().any(|other| source.join(other).exists());
        other && source.join("lib.rs").exists()
    }
}

/// Whether a test program with this command line runs all of its tests.
fn is_whole(command: &[String]) -> bool {
    // nextest runs one test in each process, by its name.
    let mut arguments = command.iter().skip(1).map(String::as_str);
    while let Some(argument) = arguments.next() {
        let name = argument.split('=').next().unwrap_or(argument);
        match name {
            "-q" | "--quiet" | "--nocapture" | "--no-capture" | "--show-output"
            | "--include-ignored" | "--report-time" | "--ensure-time" => {}
            "--test-threads" | "--color" | "--format" | "--logfile" | "-Z" => {
                if name == argument && arguments.next().is_none() {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}

/// Tells packages apart whose folders have the same name.
fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Locks the folder against other processes that save or check, until the file is dropped.
fn lock_folder(folder: &Path) -> Result<File, ReportError> {
    let lock =
        fs::create_dir_all(folder).and_then(|()| memprof_report::internal::take_turn(folder, None));
    lock.map_err(|reason| ReportError::write(folder, reason))
}

/// An error's text without the `memprof: ` that is put in front of every message.
fn without_name(error: &ReportError) -> String {
    let text = error.to_string();
    text.strip_prefix("memprof: ").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baseline_is_whole_after_a_run_of_all_tests_only() {
        let is_whole = |arguments: &str| {
            let command = format!("/target/debug/deps/words-0123456789abcdef {arguments}");
            super::is_whole(
                &command
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
        };
        for arguments in [
            "",
            "-q",
            "--test-threads=1 --nocapture",
            "--test-threads 1",
            "--include-ignored",
        ] {
            assert!(is_whole(arguments), "{arguments}");
        }
        for arguments in [
            "words",
            "--skip words",
            "--ignored",
            "words --exact",
            "--list",
            "--test-threads",
        ] {
            assert!(!is_whole(arguments), "{arguments}");
        }
    }

    #[test]
    fn baseline_file_is_beside_cargo_toml() {
        let package = tempfile::tempdir().unwrap();
        fs::write(package.path().join("Cargo.toml"), "").unwrap();
        let below = package.path().join("src/deep");
        fs::create_dir_all(&below).unwrap();
        let plan = BaselinePlan::default();
        let beside = package.path().join(FILE);
        assert_eq!(find_file(&plan, Some(&below)), Some(beside));
        let told = BaselinePlan {
            package: Some("/there".into()),
            ..BaselinePlan::default()
        };
        assert_eq!(
            find_file(&told, Some(&below)),
            Some(Path::new("/there").join(FILE))
        );
        let asked = BaselinePlan {
            file: Some("mine.json".into()),
            ..told
        };
        assert_eq!(
            find_file(&asked, Some(&below)),
            Some(below.join("mine.json"))
        );
    }
}
