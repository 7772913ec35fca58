//! For tests of what the whole process shares: the recorder, the counters of the heap, the end. Each such
//! test runs in a process of its own, so that it disturbs no other and none disturbs it.

use std::process::Command;

/// Set in the process that runs one test alone.
const ALONE: &str = "MEMPROF_TEST_ALONE";

/// Runs `test`, the only thing that the calling test does, in a process of its own.
#[track_caller]
pub(crate) fn alone(test: impl FnOnce()) {
    alone_with(&[], test);
}

/// The same with these variables in the environment.
#[track_caller]
pub(crate) fn alone_with<F: FnOnce()>(environment: &[(&str, &str)], test: F) {
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    // The closure's name is `memprof::<module>::tests::<test>::{{closure}}`.
    let name = std::any::type_name::<F>();
    let name = name.split_once("::").map_or(name, |(_, inside)| inside);
    let name = name.trim_end_matches("::{{closure}}");
    let reports = tempfile::tempdir().expect("a folder");
    let mut alone = Command::new(std::env::current_exe().expect("this program"));
    // What somebody has set for the tests as a whole is not for this one.
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("MEMPROF") {
            alone.env_remove(variable);
        }
    }
    let output = alone
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .env("MEMPROF_DIR", reports.path())
        .env("MEMPROF_QUIET", "1")
        .envs(environment.iter().copied())
        .output()
        .expect("this program can be started");
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(
        output.status.success() && said[0].contains("1 passed"),
        "{}: {}\n{}",
        output.status,
        said[0],
        said[1]
    );
}
