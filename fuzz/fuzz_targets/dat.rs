//! Any bytes as a file of mprof: they are refused, or make a run that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memprof_report::{self as report, DatRecords};

fuzz_target!(|data: &[u8]| {
    let lines = data.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(DatRecords::new(data).count(), lines);
    let Ok(file) = report::parse_dat(data) else {
        return;
    };
    let _ = file.peak();
    for function in &file.functions {
        let _ = file.peak_of(&function.name);
    }
    let run = file.to_run();
    let text = report::to_json(&run).expect("plain data");
    assert_eq!(
        report::parse_run(text.as_bytes()).expect("a run like any other"),
        run
    );
    let _ = report::summary(&run, None, 80);
});
