//! The loop: a reading at each deadline, until the process ends or the watch does.

use std::io;
use std::time::{Duration, Instant};

use memprof_model::data;
use memprof_model::run::{Sample, Series};

use super::events::{Event, Events};
use super::family::Family;
use super::linux::Memory;
use super::pace::Pace;
use super::plan::Plan;
use super::prompt;
use super::record::Record;

/// From one look at the kernel's high-water mark to the next: it costs six times a reading.
const HIGH_WATER: Duration = Duration::from_millis(50);
/// The same while readings stay as they are. A rise that is gone by the next reading can be in the mark all
/// the same, and the mark keeps it.
const HIGH_WATER_AT_REST: Duration = Duration::from_millis(250);

/// Why a watch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The process has ended.
    Process,
    /// The time was up.
    Timeout,
    /// `on_signal` said so.
    Told,
}

/// Watches the process `pid` as `plan` says. Signals are given to `on_signal`, which says whether the
/// watch goes on.
///
/// # Errors
/// When the process cannot be read.
pub(crate) fn watch(
    pid: u32,
    plan: Plan,
    events: &Events,
    mut on_signal: impl FnMut(i32, bool) -> bool,
) -> io::Result<(Record, End)> {
    let mut watcher = Watcher::new(pid, plan)?;
    prompt::go_first();
    let end = loop {
        if !watcher.sample()? {
            break End::Process;
        }
        if plan
            .timeout
            .is_some_and(|timeout| watcher.start.elapsed() >= timeout)
        {
            break End::Timeout;
        }
        match watcher.wait(events) {
            None => {}
            Some(Event::Ended) => break End::Process,
            Some(Event::Signal {
                number,
                to_us_alone,
            }) if on_signal(number, to_us_alone) => {}
            Some(Event::Signal { .. }) => break End::Told,
        }
    };
    Ok((watcher.into_record(), end))
}

struct Watcher {
    plan: Plan,
    start: Instant,
    pace: Pace,
    memory: Memory,
    family: Option<Family>,
    series: Series<Sample>,
    baseline: Option<u64>,
    /// The last reading, in bytes.
    rss: u64,
    peak: u64,
    last_ns: u64,
    longest_gap_ns: u64,
    reading: Duration,
    /// When the mark was asked for last.
    high_water_at: Option<Instant>,
    /// Whether readings have changed since.
    moved: bool,
}

impl Watcher {
    fn new(pid: u32, plan: Plan) -> io::Result<Watcher> {
        let start = Instant::now();
        let family = plan.summed || plan.apart;
        Ok(Watcher {
            plan,
            start,
            pace: Pace::new(start, plan.interval),
            memory: Memory::open(pid, plan.measure)?,
            family: family.then(|| Family::of(pid, plan.measure, plan.apart)),
            series: Series::new(Sample::default()),
            baseline: None,
            rss: 0,
            peak: 0,
            last_ns: 0,
            longest_gap_ns: 0,
            reading: Duration::ZERO,
            high_water_at: None,
            moved: true,
        })
    }

    /// Takes a reading if it is time for one; `false` when the process has ended.
    fn sample(&mut self) -> io::Result<bool> {
        let now = Instant::now();
        if !self.pace.left(now).is_zero() {
            return Ok(true);
        }
        let t_ns = nanoseconds(now - self.start);
        let Some(own) = self.memory.read()? else {
            return Ok(false);
        };
        let family = self.family.as_mut().map_or(0, |family| family.sample(t_ns));
        let rss = if self.plan.summed { own + family } else { own };
        self.pace.tick(now);
        self.moved |= rss != self.rss;
        self.rss = rss;
        self.series.push(data!(Sample {
            t_ns,
            rss,
            heap: None,
        }));
        self.baseline.get_or_insert(rss);
        self.peak = self.peak.max(rss).max(self.high_water(now));
        self.longest_gap_ns = self.longest_gap_ns.max(t_ns - self.last_ns);
        self.last_ns = t_ns;
        self.reading += now.elapsed();
        Ok(true)
    }

    /// What RSS rose to between two readings, where the kernel tells and it is time to ask.
    fn high_water(&mut self, now: Instant) -> u64 {
        let asked = self.plan.measure == memprof_model::run::Measure::Rss && !self.plan.summed;
        let rest = if self.moved {
            HIGH_WATER
        } else {
            HIGH_WATER_AT_REST
        };
        if !asked || self.high_water_at.is_some_and(|at| now < at + rest) {
            return 0;
        }
        self.high_water_at = Some(now);
        self.moved = false;
        self.memory.high_water().unwrap_or(0)
    }

    /// Waits for the next deadline, or for something to happen.
    fn wait(&self, events: &Events) -> Option<Event> {
        let mut left = self.pace.left(Instant::now());
        if let Some(timeout) = self.plan.timeout {
            left = left.min(timeout.saturating_sub(self.start.elapsed()));
        }
        events.next(left)
    }

    fn into_record(self) -> Record {
        let (due, taken) = self.pace.counts();
        Record {
            plan: self.plan,
            duration_ns: nanoseconds(self.start.elapsed()),
            baseline: self.baseline.unwrap_or(0),
            peak: self.peak,
            due,
            taken,
            longest_gap_ns: self.longest_gap_ns,
            reading_ns: nanoseconds(self.reading),
            series: self.series.points().to_vec(),
            children: self.family.map_or_else(Vec::new, Family::into_children),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
