//! A file of the program's that has got the number of stderr is not written to, unless it is stdout's as well.

use memprof_tests::program::run;

fn written(way: &str) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let finished = run(
        env!("CARGO_BIN_EXE_stderr_taken"),
        &[file.to_str().unwrap(), way],
    );
    assert!(finished.output.status.success());
    assert_eq!(finished.stderr(), "");
    let recorded = finished.folder().join("index.html").is_file();
    (std::fs::read_to_string(file).unwrap(), recorded)
}

#[test]
fn a_file_of_the_programs_stays_as_it_is() {
    assert_eq!(written("data"), (String::new(), true));
}

#[test]
fn a_file_that_is_appended_to_is_no_log_for_that() {
    assert_eq!(written("appended"), (String::new(), true));
}

#[test]
fn a_log_that_stdout_goes_to_as_well_has_the_summary() {
    let (text, recorded) = written("log");
    assert!(text.contains("work") && recorded, "{text}");
}
