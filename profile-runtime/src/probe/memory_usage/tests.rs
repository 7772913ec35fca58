use memprof_model::data;
use std::panic::catch_unwind;

use super::*;
use crate::os::own_process::{alone, alone_with};
use memprof_model::run::Outcome;

const A_SECOND: Duration = Duration::from_secs(1);

fn point(t_ns: u64, rss: u64) -> LinePoint {
    LinePoint {
        t_ns,
        rss,
        ..LinePoint::default()
    }
}

#[test]
fn memory_usage_times_count_from_the_call_s_start_and_the_peak_from_its_baseline() {
    let record = data!(Call {
        start_ns: 1_000,
        end_ns: 3_000,
        suspended_ns: 0,
        thread: 1,
        depth: 0,
        by: None,
        outcome: Outcome::Returned,
        entry_rss: 50,
        exit_rss: 60,
        peak_rss: 25,
        net_rss: 10,
        suspended_rss: 0,
    });
    let mut series = Series::new(LinePoint::default());
    for (t_ns, rss) in [(1_000, 50), (2_500, 70), (3_000, 60)] {
        series.push(point(t_ns, rss));
    }
    let sample = |time, rss| UsageSample {
        time: Duration::from_nanos(time),
        rss,
    };
    let expected = MemoryUsage {
        value: 'v',
        samples: vec![sample(0, 50), sample(1_500, 70), sample(2_000, 60)],
        baseline: 50,
        peak: 75,
    };
    assert_eq!(usage('v', &record, Some(&series)), expected);
    assert!(usage('v', &record, None).samples.is_empty());
}

#[test]
fn memory_usage_without_a_recorder_there_are_the_first_sample_and_the_last() {
    let usage = without_recorder(|| 7);
    assert_eq!((usage.value, usage.samples.len()), (7, 2));
    let [first, last] = [usage.samples[0], usage.samples[1]];
    assert_eq!((first.time, first.rss), (Duration::ZERO, usage.baseline));
    assert_eq!(usage.peak, usage.baseline.max(last.rss));
    assert!(usage.baseline > 0 && last.time > Duration::ZERO);
}

#[test]
fn memory_usage_where_recording_is_off_memory_is_read_all_the_same() {
    alone_with(&[("MEMPROF", "0")], || {
        let usage = memory_usage(A_SECOND, || vec![1_u8; 8 << 20]);
        assert_eq!((usage.value.len(), usage.samples.len()), (8 << 20, 2));
        assert!(
            usage.peak >= usage.baseline + (7 << 20),
            "{} {}",
            usage.peak,
            usage.baseline
        );
    });
}

#[test]
fn memory_usage_the_memory_that_work_takes_for_a_moment_is_in_the_peak_and_no_function_in_the_run()
{
    alone(|| {
        let usage = memory_usage(A_SECOND, || drop(std::hint::black_box(vec![1_u8; 8 << 20])));
        assert!(usage.samples.len() >= 2);
        // The sampler's interval is too long to see it.
        let kernel = start::recorder().is_some_and(|recorder| {
            let method = recorder.instruments.meter.figures(None).peak_method;
            method == memprof_model::run::PeakMethod::Kernel
        });
        assert!(!kernel || usage.peak >= usage.baseline + (8 << 20));
        let run = crate::snapshot::snapshot().expect("it is recorded");
        assert!(run.functions.is_empty());
    });
}

#[test]
fn memory_usage_a_panic_of_the_work_goes_on_and_leaves_no_call_in_progress() {
    alone(|| {
        let panics = || memory_usage(A_SECOND, || panic!("as the test wants it")).value;
        let result: Result<(), _> = catch_unwind(panics);
        assert!(result.is_err());
        let thread = current::recorder_if_any().expect("the thread was measured");
        assert!(!thread.is_busy());
    });
}

#[test]
fn memory_usage_intervals_are_kept_within_what_a_sampler_can_do() {
    alone(|| {
        for (interval, expected_ns) in [
            (Duration::ZERO, 100_000),
            (Duration::from_millis(3), 3_000_000),
            (Duration::MAX, A_DAY_NS),
        ] {
            memory_usage(interval, || ());
            memory_usage(interval, || ());
            let sites = start::recorder().expect("recording is on").sites();
            let of_interval = |site: &&&_| is_usage_of(site, expected_ns);
            assert_eq!(sites.iter().filter(of_interval).count(), 1, "{interval:?}");
        }
    });
}

fn is_usage_of(site: &crate::site::registered::RegisteredSite, interval_ns: u64) -> bool {
    site.is_usage() && site.interval_ns == interval_ns
}
