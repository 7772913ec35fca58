//! `memory_usage`, which memory_profiler has, too: runs a closure and gives back how memory moved meanwhile.

use std::time::Duration;

use crate::heap;
use crate::os::Os;
use crate::own_code;
use crate::process::start;
use crate::reading::one_reading::LinePoint;
use crate::recorder::A_DAY_NS;
use crate::thread::call_stack::ThreadState;
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
        let _inside = own_code::enter()?;
        let recorder = start::recorder()?;
        let thread = current::recorder(&recorder.threads)?;
        let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let site = recorder.usage_site(interval_ns.clamp(100_000, A_DAY_NS));
        let depth = thread.enter(site, Kind::Usage).depth();
        Some(Open { thread, depth })
    }

    fn finish<T>(self, value: T) -> MemoryUsage<T> {
        let ended = own_code::enter().and_then(|_inside| {
            self.thread.close(self.depth, false, |_, ended| {
                (ended.record, ended.call.series.take())
            })
        });
        match ended {
            Some((record, series)) => {
                let usage = usage(value, &record, series.as_ref());
                // The samples that are handed out are the caller's memory. The series is memprof's.
                heap::without_counting(|| drop(series));
                usage
            }
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
        if let Some(_inside) = own_code::enter() {
            self.thread
                .close(self.depth, false, ThreadState::finish_call);
        }
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
mod tests;
