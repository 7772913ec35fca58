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
        Session::go_on_as(id, program.to_owned(), &self.path, before, now).expect("it is written")
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
fn baseline_session_the_first_process_begins_a_session_with_the_baseline_as_it_was() {
    let scene = Scene::new();
    let session = scene.process(sure("1"), "a", &took(&[("f", 1)]), &took(&[("f", 3)]));
    assert_eq!(functions(&session.before), [("f", 1)]);
    assert_eq!(functions(session.now()), [("f", 3)]);
    assert_eq!(session.comparison().worse().len(), 1);
}

#[test]
fn baseline_session_processes_of_one_session_add_up_to_the_most_that_any_of_them_saw() {
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
fn baseline_session_what_an_earlier_session_saw_is_forgotten() {
    let scene = Scene::new();
    scene.process(sure("1"), "a", &took(&[]), &took(&[("f", 3)]));
    let session = scene.process(sure("2"), "b", &took(&[("f", 3)]), &took(&[("f", 2)]));
    assert_eq!(functions(session.now()), [("f", 2)]);
    assert_eq!(functions(&session.before), [("f", 3)]);
}

#[test]
fn baseline_session_a_program_that_runs_again_is_of_the_same_session_where_that_is_sure() {
    let scene = Scene::new();
    for (allocations, expected) in [(3, 3), (2, 3)] {
        let session = scene.process(sure("1"), "a", &took(&[]), &took(&[("f", allocations)]));
        assert_eq!(functions(session.now()), [("f", expected)]);
    }
}

#[test]
fn baseline_session_a_program_that_a_shell_runs_again_begins_another_session() {
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
fn baseline_session_a_session_that_another_version_left_is_not_gone_on_with() {
    let scene = Scene::new();
    std::fs::write(&scene.path, "{\"id\": 7}").expect("it can be written");
    let session = scene.process(sure("7"), "a", &took(&[]), &took(&[("f", 1)]));
    assert_eq!(functions(session.now()), [("f", 1)]);
}

#[test]
fn baseline_session_tolerance_and_choice_are_those_of_the_file_as_it_is_now() {
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
fn baseline_session_a_session_that_cannot_be_kept_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("it can be written");
    let path = folder.path().join("file/session.json");
    assert!(Session::go_on(&path, &took(&[]), &took(&[])).is_err());
}

#[test]
fn baseline_session_nextest_says_which_processes_belong_together() {
    alone_with(&[("NEXTEST_RUN_ID", "the run")], || {
        let id = id();
        assert_eq!((id.text.as_str(), id.is_vague), ("the run", false));
    });
}

#[test]
fn baseline_session_without_nextest_it_is_the_process_that_has_started_the_tests() {
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
