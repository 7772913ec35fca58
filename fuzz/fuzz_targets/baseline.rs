//! Any bytes as the file of a baseline: they are refused, or are what is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memprof_report::Baseline;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let baseline = match Baseline::parse(text) {
        Ok(baseline) => baseline,
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1);
            return;
        }
    };
    let again = Baseline::parse(&baseline.to_string());
    assert_eq!(again.as_ref(), Ok(&baseline));
    let comparison = baseline.compare(&baseline);
    assert!(comparison.worse().is_empty(), "{}", comparison.message());
    let _ = comparison.markdown("fuzzed");
});
