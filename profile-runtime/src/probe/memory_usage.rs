//! `memory_usage`, which memory_profiler has, too: runs a closure and gives back how memory moved meanwhile.

use std::time::Duration;

use crate::os::Os;
use crate::process::start;
use crate::reading::one_reading::LinePoint;
use crate::recorder::A_DAY_NS;
use crate::thread::current;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;
use memprof_model::run::Call;
use memprof_model::run::Series;

/// What [`memory_usage`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryUsage<T> {
    /// What the closure returned.
    pub value: T,
    /// Samples over time, at least two: one at the start and one at the end.
    pub samples: Vec<UsageSample>,
    /// RSS in bytes just before the closure ran.
    pub baseline: u64,
    /// The highest RSS in bytes while it ran: exact where the kernel keeps a high-water mark, the
    /// highest sample elsewhere.
    pub peak: u64,
}

/// One sample of [`memory_usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSample {
    /// Time since the closure began.
    pub time: Duration,
    /// RSS of the process in bytes.
    pub rss: u64,
}

/// Runs `work` once and samples the process's RSS every `interval` meanwhile.
///
/// However short `work` is, there is a sample before it and one after it, and with the kernel's
/// high-water mark the peak is exact in between. At most 1,024 samples are kept; of a longer run the
/// extremes are kept and the rest is thinned out evenly. `MEMPROF_INTERVAL_MS` does not change the
/// interval here. With `MEMPROF=0` the first and the last sample are all there is.
///
/// Costs two readings of a few microseconds, and one by the sampler thread for each interval.
///
/// # Panics
/// Only if `work` does; then nothing is measured.
///
/// ```
/// use std::time::Duration;
///
/// let usage = memprof::memory_usage(Duration::from_millis(10), || vec![1_u8; 8 << 20]);
/// assert_eq!(usage.value.len(), 8 << 20);
/// # if cfg!(target_os = "linux") {
/// assert!(usage.peak >= usage.baseline + (8 << 20));
/// # }
/// ```
pub fn memory_usage<T>(interval: Duration, work: impl FnOnce() -> T) -> MemoryUsage<T> {
    match Open::new(interval) {
        Some(open) => {
            let value = work();
            open.finish(value)
        }
        None => without_recorder(work),
    }
}

/// The call in progress. Dropping it closes the call, also when `work` panics.
struct Open {
    thread: &'static ThreadRecorder,
    depth: u32,
}

impl Open {
    fn new(interval: Duration) -> Option<Open> {
        let recorder = start::recorder()?;
        let thread = current::recorder(&recorder.threads)?;
        let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let site = recorder.usage_site(interval_ns.clamp(100_000, A_DAY_NS));
        let depth = thread.enter(site, Kind::Call).depth();
        Some(Open { thread, depth })
    }

    fn finish<T>(self, value: T) -> MemoryUsage<T> {
        let ended = self.thread.close(self.depth, false, |_, ended| {
            (ended.record, ended.call.series.take())
        });
        match ended {
            Some((record, series)) => usage(value, &record, series.as_ref()),
            // `work` has forked, and this is the child, where nothing is recorded.
            None => MemoryUsage {
                value,
                samples: Vec::new(),
                baseline: 0,
                peak: 0,
            },
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // After `finish` there is no call at this depth any more, and this does nothing.
        self.thread.close(self.depth, false, |_, _| ());
    }
}

fn usage<T>(value: T, record: &Call, series: Option<&Series<LinePoint>>) -> MemoryUsage<T> {
    let points = series.into_iter().flat_map(|series| series.points());
    let samples = points.map(|point| UsageSample {
        time: Duration::from_nanos(point.t_ns.saturating_sub(record.start_ns)),
        rss: point.rss,
    });
    MemoryUsage {
        value,
        samples: samples.collect(),
        baseline: record.entry_rss,
        peak: record.entry_rss + record.peak_rss,
    }
}

fn without_recorder<T>(work: impl FnOnce() -> T) -> MemoryUsage<T> {
    let mut os = Os::open(None).ok();
    let mut rss = || os.as_mut().and_then(|os| os.rss().ok()).unwrap_or(0);
    let begin = std::time::Instant::now();
    let baseline = rss();
    let value = work();
    let last = rss();
    let sample = |time, rss| UsageSample { time, rss };
    MemoryUsage {
        value,
        samples: vec![
            sample(Duration::ZERO, baseline),
            sample(begin.elapsed(), last),
        ],
        baseline,
        peak: baseline.max(last),
    }
}

#[cfg(test)]
mod tests {
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
    fn times_count_from_the_call_s_start_and_the_peak_from_its_baseline() {
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
    fn without_a_recorder_there_are_the_first_sample_and_the_last() {
        let usage = without_recorder(|| 7);
        assert_eq!((usage.value, usage.samples.len()), (7, 2));
        let [first, last] = [usage.samples[0], usage.samples[1]];
        assert_eq!((first.time, first.rss), (Duration::ZERO, usage.baseline));
        assert_eq!(usage.peak, usage.baseline.max(last.rss));
        assert!(usage.baseline > 0 && last.time > Duration::ZERO);
    }

    #[test]
    fn where_recording_is_off_memory_is_read_all_the_same() {
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
    fn the_memory_that_work_takes_for_a_moment_is_in_the_peak_and_no_function_in_the_run() {
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
    fn a_panic_of_the_work_goes_on_and_leaves_no_call_in_progress() {
        alone(|| {
            let panics = || memory_usage(A_SECOND, || panic!("as the test wants it")).value;
            let result: Result<(), _> = catch_unwind(panics);
            assert!(result.is_err());
            let thread = current::recorder_if_any().expect("the thread was measured");
            assert!(!thread.is_busy());
        });
    }

    #[test]
    fn intervals_are_kept_within_what_a_sampler_can_do() {
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
}
