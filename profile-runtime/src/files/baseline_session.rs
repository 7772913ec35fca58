//! What the processes of one `cargo test`, or one run of nextest, have found so far.
//!
//! A function that several processes call has the most that any of them saw. Without knowing which
//! processes belong together, what an earlier `cargo test` saw would never be forgotten.

use std::path::Path;

use serde::{Deserialize, Serialize};

use memprof_report::internal::baseline::Record;
use memprof_report::internal::json;
use memprof_report::internal::process;
use memprof_report::{Baseline, Comparison, ReportError};

/// What is kept between two processes.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    /// The programs that have run.
    programs: Vec<String>,
    before: Vec<Record>,
    now: Vec<Record>,
}

/// A session with this process's part in it.
#[derive(Debug)]
pub(super) struct Session {
    before: Baseline,
    now: Baseline,
}

impl Session {
    /// Adds `now` to the session kept at `path`; a new one, with the baseline as it was `before`, if the
    /// one there is another's.
    pub(super) fn go_on(
        path: &Path,
        before: &Baseline,
        now: &Baseline,
    ) -> Result<Session, ReportError> {
        Session::go_on_as(id(), program(), path, before, now)
    }

    /// The same for this `program` in the session with this `id`.
    fn go_on_as(
        id: Id,
        program: String,
        path: &Path,
        before: &Baseline,
        now: &Baseline,
    ) -> Result<Session, ReportError> {
        let mut kept = read(path)
            .filter(|kept| kept.id == id.text && !(id.is_vague && kept.programs.contains(&program)))
            .unwrap_or_else(|| Kept {
                id: id.text,
                programs: Vec::new(),
                before: before.entries().map(Record::new).collect(),
                now: Vec::new(),
            });
        let mut session = Session {
            before: baseline(std::mem::take(&mut kept.before), before),
            now: baseline(std::mem::take(&mut kept.now), before),
        };
        for (key, entry) in now.entries() {
            session.now.add(key.clone(), entry.clone());
        }
        if !kept.programs.contains(&program) {
            kept.programs.push(program);
        }
        kept.before = session.before.entries().map(Record::new).collect();
        kept.now = session.now.entries().map(Record::new).collect();
        let text = json::text_of(&kept).map_err(|reason| ReportError::write(path, reason))?;
        memprof_report::internal::write_file(path, text.as_bytes())?;
        Ok(session)
    }

    /// What all processes have found.
    pub(super) fn now(&self) -> &Baseline {
        &self.now
    }

    /// That, beside the baseline as it was before.
    pub(super) fn comparison(&self) -> Comparison {
        self.before.compare(&self.now)
    }
}

/// `None` if there is none, or one that another version left: then this is the first process.
fn read(path: &Path) -> Option<Kept> {
    let text = std::fs::read(path).ok()?;
    json::value_of(&text).ok()
}

fn baseline(records: Vec<Record>, settings: &Baseline) -> Baseline {
    let mut baseline = Baseline::default();
    baseline.tolerance = settings.tolerance;
    baseline.only.clone_from(&settings.only);
    for record in records {
        let (key, entry) = record.into_pair();
        baseline.add(key, entry);
    }
    baseline
}

/// Tells apart sessions.
struct Id {
    text: String,
    /// Whether what started the program may start it once more for another session, as a shell does. cargo
    /// and nextest do not.
    is_vague: bool,
}

fn id() -> Id {
    // Set by nextest for all processes of one run.
    if let Ok(text) = std::env::var("NEXTEST_RUN_ID") {
        return Id {
            text,
            is_vague: false,
        };
    }
    let of_process = |pid| format!("{pid} {}", process::start_of(pid).unwrap_or_default());
    if let Some(cargo) = cargo() {
        return Id {
            text: of_process(cargo),
            is_vague: false,
        };
    }
    Id {
        text: parent().map_or_else(String::new, of_process),
        is_vague: true,
    }
}

/// The cargo that has started this process, or the test that has started it.
fn cargo() -> Option<u32> {
    let ancestors = std::iter::successors(parent(), |&pid| process::parent_of(pid));
    ancestors.take(GENERATIONS).find(|pid| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.is_ok_and(|program| program.file_name().is_some_and(|name| name == "cargo"))
    })
}

/// Ancestors that are looked at.
const GENERATIONS: usize = 32;

fn parent() -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::process::parent_id());
    #[cfg(not(unix))]
    None
}

/// This program's file.
fn program() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    program.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use memprof_report::{Entry, Key};

    use super::*;
    use crate::os::own_process::{alone, alone_with};

    /// A folder for the file of a session.
    struct Scene {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    impl Scene {
        fn new() -> Scene {
            let folder = tempfile::tempdir().expect("a folder");
            Scene {
                path: folder.path().join("session.json"),
                _folder: folder,
            }
        }

        /// A process of the session with this id has found `now`, when the file said `before`.
        fn process(&self, id: Id, program: &str, before: &Baseline, now: &Baseline) -> Session {
            Session::go_on_as(id, program.to_owned(), &self.path, before, now)
                .expect("it is written")
        }
    }

    fn sure(text: &str) -> Id {
        Id {
            text: text.to_owned(),
            is_vague: false,
        }
    }

    fn vague(text: &str) -> Id {
        Id {
            is_vague: true,
            ..sure(text)
        }
    }

    /// Functions with the allocations that they made.
    fn took(functions: &[(&str, u64)]) -> Baseline {
        let mut baseline = Baseline::default();
        for &(function, allocations) in functions {
            let key = Key {
                program: "words".to_owned(),
                function: function.to_owned(),
            };
            let mut entry = Entry::default();
            entry.allocations = Some(allocations);
            baseline.add(key, entry);
        }
        baseline
    }

    fn functions(baseline: &Baseline) -> Vec<(&str, u64)> {
        let entries = baseline.entries();
        let entries = entries.map(|(key, entry)| (&*key.function, entry.allocations.unwrap_or(0)));
        entries.collect()
    }

    #[test]
    fn the_first_process_begins_a_session_with_the_baseline_as_it_was() {
        let scene = Scene::new();
        let session = scene.process(sure("1"), "a", &took(&[("f", 1)]), &took(&[("f", 3)]));
        assert_eq!(functions(&session.before), [("f", 1)]);
        assert_eq!(functions(session.now()), [("f", 3)]);
        assert_eq!(session.comparison().worse().len(), 1);
    }

    #[test]
    fn processes_of_one_session_add_up_to_the_most_that_any_of_them_saw() {
        let scene = Scene::new();
        let before = took(&[("f", 1)]);
        scene.process(sure("1"), "a", &before, &took(&[("f", 3), ("g", 9)]));
        // The file was saved in between: what it said at the session's beginning counts.
        let saved = took(&[("f", 3), ("g", 9)]);
        let session = scene.process(sure("1"), "b", &saved, &took(&[("f", 2), ("h", 4)]));
        assert_eq!(functions(session.now()), [("f", 3), ("g", 9), ("h", 4)]);
        assert_eq!(functions(&session.before), [("f", 1)]);
    }

    #[test]
    fn what_an_earlier_session_saw_is_forgotten() {
        let scene = Scene::new();
        scene.process(sure("1"), "a", &took(&[]), &took(&[("f", 3)]));
        let session = scene.process(sure("2"), "b", &took(&[("f", 3)]), &took(&[("f", 2)]));
        assert_eq!(functions(session.now()), [("f", 2)]);
        assert_eq!(functions(&session.before), [("f", 3)]);
    }

    #[test]
    fn a_program_that_runs_again_is_of_the_same_session_where_that_is_sure() {
        let scene = Scene::new();
        for (allocations, expected) in [(3, 3), (2, 3)] {
            let session = scene.process(sure("1"), "a", &took(&[]), &took(&[("f", allocations)]));
            assert_eq!(functions(session.now()), [("f", expected)]);
        }
    }

    #[test]
    fn a_program_that_a_shell_runs_again_begins_another_session() {
        let scene = Scene::new();
        scene.process(vague("1"), "a", &took(&[]), &took(&[("f", 3)]));
        let session = scene.process(vague("1"), "b", &took(&[]), &took(&[("f", 1)]));
        assert_eq!(
            functions(session.now()),
            [("f", 3)],
            "another program goes on"
        );
        let session = scene.process(vague("1"), "a", &took(&[]), &took(&[("f", 2)]));
        assert_eq!(functions(session.now()), [("f", 2)]);
        let session = scene.process(vague("1"), "b", &took(&[]), &took(&[("f", 1)]));
        assert_eq!(
            functions(session.now()),
            [("f", 2)],
            "the other one is new to this session"
        );
    }

    #[test]
    fn a_session_that_another_version_left_is_not_gone_on_with() {
        let scene = Scene::new();
        std::fs::write(&scene.path, "{\"id\": 7}").expect("it can be written");
        let session = scene.process(sure("7"), "a", &took(&[]), &took(&[("f", 1)]));
        assert_eq!(functions(session.now()), [("f", 1)]);
    }

    #[test]
    fn tolerance_and_choice_are_those_of_the_file_as_it_is_now() {
        let scene = Scene::new();
        let mut before = took(&[("f", 100)]);
        scene.process(sure("1"), "a", &before, &took(&[("f", 150)]));
        before.tolerance = before.tolerance.percent(100.0);
        before.only = vec!["f".to_owned()];
        let session = scene.process(sure("1"), "b", &before, &took(&[("f", 1)]));
        assert!(session.comparison().worse().is_empty());
        assert_eq!(session.before.only, ["f"]);
    }

    #[test]
    fn a_session_that_cannot_be_kept_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file"), "").expect("it can be written");
        let path = folder.path().join("file/session.json");
        assert!(Session::go_on(&path, &took(&[]), &took(&[])).is_err());
    }

    #[test]
    fn nextest_says_which_processes_belong_together() {
        alone_with(&[("NEXTEST_RUN_ID", "the run")], || {
            let id = id();
            assert_eq!((id.text.as_str(), id.is_vague), ("the run", false));
        });
    }

    #[test]
    fn without_nextest_it_is_the_process_that_has_started_the_tests() {
        alone(|| {
            if std::env::var_os("NEXTEST_RUN_ID").is_some() {
                return;
            }
            let (first, second) = (id(), id());
            assert_eq!(
                (&first.text, first.is_vague),
                (&second.text, second.is_vague)
            );
            let by = cargo().or(parent()).expect("somebody has");
            assert!(first.text.starts_with(&format!("{by} ")), "{}", first.text);
            assert_eq!(first.is_vague, cargo().is_none());
        });
    }
}
