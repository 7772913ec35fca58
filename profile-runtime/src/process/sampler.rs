//! The sampler: one thread for the whole process, which reads RSS at the intervals of the calls in progress. It is
//! parked while there are none.
//!
//! It sleeps until absolute deadlines, so that being late once does not make it late for ever. It counts the
//! deadlines that it missed. Once it has seen all intervals it allocates nothing.

use std::io;
use std::thread;
use std::time::Duration;

use crate::heap;
use crate::os::thread as os_thread;
use crate::reading::instruments::Instruments;
use crate::thread::registry::ThreadRegistry;

/// How many samples are taken after the last call has ended, so that the chart shows the fall.
const TAIL: u32 = 5;

/// Starts the thread and waits until it is at work, so that the memory that a thread needs to begin does not show
/// up in the program's first lines.
pub(crate) fn start(
    instruments: &'static Instruments,
    threads: &'static ThreadRegistry,
) -> io::Result<()> {
    let thread = os_thread::start_and_wait("memprof", Some(256 << 10), move |at_work| {
        heap::without_counting(|| {
            at_work();
            Loop::new(instruments, threads).run();
        });
    })?;
    instruments.sampler.set_thread(thread);
    Ok(())
}

/// A sampling interval in use, and when its next sample is due.
#[derive(Debug, Clone, Copy)]
struct Beat {
    interval_ns: u64,
    next_ns: u64,
}

/// The sampler's state from one round to the next.
struct Loop {
    instruments: &'static Instruments,
    threads: &'static ThreadRegistry,
    beats: Vec<Beat>,
    /// Intervals of the calls in progress, as found in the last round.
    intervals: Vec<u64>,
    /// Intervals due in this round.
    due: Vec<u64>,
    /// When the last sample was taken, as long as calls have been in progress since.
    last_sample_ns: Option<u64>,
    /// Rounds since the last call ended.
    idle: u32,
}

impl Loop {
    fn new(instruments: &'static Instruments, threads: &'static ThreadRegistry) -> Loop {
        Loop {
            instruments,
            threads,
            beats: Vec::with_capacity(16),
            intervals: Vec::with_capacity(16),
            due: Vec::with_capacity(16),
            last_sample_ns: None,
            idle: 0,
        }
    }

    fn run(mut self) {
        os_thread::wake_precisely();
        loop {
            self.look_around();
            match self.next_deadline() {
                Some(deadline_ns) => self.sleep_until(deadline_ns),
                None => self.park(),
            }
            self.tick();
        }
    }

    /// Finds out which intervals are in use now, and adds or removes their beats.
    fn look_around(&mut self) {
        self.intervals.clear();
        let mut busy = 0;
        self.threads.for_each(|thread| {
            busy += usize::from(thread.is_busy());
            thread.tick(None, &mut self.intervals);
        });
        self.instruments.set_busy_threads(busy);
        if self.intervals.is_empty() {
            self.idle += 1;
            self.last_sample_ns = None;
            return;
        }
        self.idle = 0;
        let now_ns = self.instruments.meter.now_ns();
        let intervals = &self.intervals;
        self.beats
            .retain(|beat| intervals.contains(&beat.interval_ns));
        for &interval_ns in intervals {
            if !self
                .beats
                .iter()
                .any(|beat| beat.interval_ns == interval_ns)
            {
                self.beats.push(Beat {
                    interval_ns,
                    next_ns: now_ns.saturating_add(interval_ns),
                });
            }
        }
        self.last_sample_ns.get_or_insert(now_ns);
    }

    /// When the next sample is due; `None` when nothing is left to sample.
    fn next_deadline(&mut self) -> Option<u64> {
        if self.idle > TAIL {
            return None;
        }
        self.beats.iter().map(|beat| beat.next_ns).min()
    }

    /// Sleeps until the deadline, or until a call wants an earlier sample.
    fn sleep_until(&self, deadline_ns: u64) {
        let sampler = &self.instruments.sampler;
        sampler.sleeps_until(deadline_ns);
        let now_ns = self.instruments.meter.now_ns();
        if deadline_ns > now_ns {
            thread::park_timeout(Duration::from_nanos(deadline_ns - now_ns));
        }
        sampler.is_awake();
    }

    /// Waits for the next call. Every thread is asked for a reading first, so that its next call is measured: only
    /// the entry of a measured call wakes the sampler.
    fn park(&mut self) {
        self.beats.clear();
        let sampler = &self.instruments.sampler;
        sampler.set_cpu_ns(os_thread::cpu_ns());
        sampler.is_parking();
        let mut busy = false;
        self.threads.for_each(|thread| {
            thread.ask_for_reading();
            busy |= thread.is_busy();
        });
        if !busy {
            thread::park();
        }
        sampler.is_awake();
    }

    /// Takes a sample if one is due, and hands it to the calls that wanted it.
    fn tick(&mut self) {
        let meter = &self.instruments.meter;
        let now_ns = meter.now_ns();
        self.due.clear();
        let mut missed = 0;
        for beat in &mut self.beats {
            if beat.next_ns <= now_ns {
                let passed = (now_ns - beat.next_ns) / beat.interval_ns;
                beat.next_ns += (passed + 1) * beat.interval_ns;
                missed += passed;
                self.due.push(beat.interval_ns);
            }
        }
        if self.due.is_empty() {
            return;
        }
        let reading = meter.sample();
        self.intervals.clear();
        self.threads
            .for_each(|thread| thread.tick(Some((reading, &self.due)), &mut self.intervals));
        if !self.intervals.is_empty() {
            self.account(reading.t_ns, missed);
        }
    }

    /// Counts the samples of this round, with those that were missed.
    fn account(&mut self, now_ns: u64, missed: u64) {
        let sampler = &self.instruments.sampler;
        let taken = self.due.len() as u64;
        let last_ns = self.last_sample_ns.replace(now_ns);
        let gap_ns = last_ns.map(|last_ns| now_ns.saturating_sub(last_ns));
        sampler.count_ticks(taken + missed, taken, gap_ns);
        sampler.set_cpu_ns(os_thread::cpu_ns());
    }
}

#[cfg(test)]
mod tests;
