//! `memory_usage` with work of known size.

use std::time::Duration;

use memprof::memory_usage;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

const INTERVAL: Duration = Duration::from_millis(1);

/// What comes and goes several times within one measurement is known to the kernel's own precision
/// only: each processor may keep 31 pages to itself, of anonymous pages and of those of files (see
/// "Peaks" in the README).
fn near() -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    2 * 31 * 4096 * processors as u64
}

fn main() {
    let mut runs = 0;
    let short = memory_usage(INTERVAL, || runs += 1);
    assert_eq!(runs, 1, "it runs once, however short");
    assert!(short.samples.len() >= 2);

    let usage = memory_usage(INTERVAL, || {
        let inner = memory_usage(INTERVAL, || {
            drop(Mapping::new(64 * MIB));
            std::thread::sleep(Duration::from_millis(30));
            Mapping::new(8 * MIB)
        });
        (
            inner.value.bytes(),
            inner.peak - inner.baseline,
            inner.samples.len(),
        )
    });
    let (bytes, peak, samples) = usage.value;
    assert_eq!(bytes, 8 * MIB);
    assert!(samples >= 20, "{samples} samples in 30 ms");
    assert!(peak.abs_diff(64 * MIB as u64) < near(), "{peak}");
    let outer = usage.peak - usage.baseline;
    assert!(outer.abs_diff(64 * MIB as u64) < near(), "{outer}");
    assert!(usage.samples.is_sorted_by_key(|sample| sample.time));

    let caught = std::panic::catch_unwind(|| {
        memory_usage(INTERVAL, || std::panic::resume_unwind(Box::new(())))
    });
    assert!(caught.is_err());
    assert_eq!(memory_usage(INTERVAL, || 5).value, 5);
    println!("fine");
}
