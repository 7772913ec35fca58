//! Any bytes as the journal of a program that was killed: nothing comes of them, or a run like any other
//! that has all its reports.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memprof_report::{self as report, RunFolder};

fuzz_target!(|data: &[u8]| {
    let Some(run) = report::parse_journal(data) else {
        return;
    };
    let text = report::to_json(&run).expect("plain data");
    assert_eq!(
        report::parse_run(text.as_bytes()).expect("a run like any other"),
        run
    );
    let root = tempfile::tempdir().expect("a folder");
    if let Err(error) = report::write(&run, root.path(), &RunFolder::new()) {
        // Only a time that is none stops a report: mprof's format needs one.
        assert!(error.to_string().contains("mprofile.dat"), "{error}");
    }
});
