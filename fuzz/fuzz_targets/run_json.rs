//! Any bytes as `run.json`: they are refused, or the run comes back as it is and can be shown in every
//! form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memprof_report::{self as report, RunFolder, diff, export};

fuzz_target!(|data: &[u8]| {
    let Ok(run) = report::parse_run(data) else {
        return;
    };
    let text = report::to_json(&run).expect("it was read from JSON");
    assert_eq!(
        report::parse_run(text.as_bytes()).expect("it was read before"),
        run
    );

    let _ = report::summary(&run, None, 80);
    let _ = report::summary_markdown(&run);
    let same = diff::compare(&run, &run);
    let _ = (
        diff::text(&same, 80),
        diff::markdown(&same),
        report::changes_page(&same).expect("a page"),
    );
    for result in [
        export::samples_csv(&run),
        export::lines_csv(&run),
        export::trace(&run),
    ] {
        result.expect("an export");
    }
    export::pprof(&run).expect("an export");
    // The pages and charts, which are made on the way to their files.
    let root = tempfile::tempdir().expect("a folder");
    if let Err(error) = report::write(&run, root.path(), &RunFolder::new()) {
        // Only a time that is none stops a report: mprof's format needs one.
        assert!(error.to_string().contains("mprofile.dat"), "{error}");
    }
});
