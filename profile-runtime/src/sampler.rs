//! The sampler: one thread for the whole process, parked while no annotated call is in progress.
//!
//! It sleeps to absolute deadlines, so that being late once does not make it late for ever, and it
//! counts the deadlines that it missed. In its steady state it allocates nothing.

use std::io;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, fence};
use std::sync::{OnceLock, mpsc};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::heap;
use crate::os::thread as os_thread;
use crate::recorder::Recorder;

/// Samples taken after the last call has ended, so that the chart shows the fall.
const TAIL: u32 = 5;

/// A handle to the sampler thread, and what it reports of itself.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    thread: OnceLock<Thread>,
    /// When it will look up by itself; `u64::MAX` while parked.
    awake_at_ns: AtomicU64,
    ticks_due: AtomicU64,
    ticks_taken: AtomicU64,
    longest_gap_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl Sampler {
    /// Starts the thread and waits until it is at work: what a thread needs to begin, memory of its
    /// own among it, must not show up in the program's first lines.
    pub(crate) fn start(&self, recorder: &'static Recorder) -> io::Result<()> {
        let (at_work, begun) = mpsc::channel();
        let handle = os_thread::without_signals(|| {
            thread::Builder::new()
                .name("memprof".to_owned())
                .stack_size(256 << 10)
                .spawn(move || {
                    heap::outside_the_figures(|| {
                        // Nobody waits any more if it took too long; that does not matter here.
                        let _ = at_work.send(());
                        Loop::new(recorder).run();
                    });
                })
        })?;
        // On a machine so busy that this does not suffice, the first lines say a little too much.
        let _ = begun.recv_timeout(Duration::from_millis(200));
        // The first to come is the only one: `start` is called once.
        let _ = self.thread.set(handle.thread().clone());
        Ok(())
    }

    /// A call has begun that wants a sample at `deadline_ns`.
    #[inline]
    pub(crate) fn expect(&self, deadline_ns: u64) {
        // Pairs with the fence in `park`: either we see that the sampler parks, or it sees our call.
        fence(SeqCst);
        if deadline_ns < self.awake_at_ns.load(Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    pub(crate) fn report(&self) -> crate::run::SamplerReport {
        crate::run::SamplerReport {
            ticks_due: self.ticks_due.load(Relaxed),
            ticks_taken: self.ticks_taken.load(Relaxed),
            longest_gap_ns: self.longest_gap_ns.load(Relaxed),
        }
    }

    /// Processor time of the thread up to its last tick.
    pub(crate) fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Relaxed)
    }
}

/// A sampling interval in use, and when its next sample is due.
#[derive(Debug, Clone, Copy)]
struct Beat {
    interval_ns: u64,
    next_ns: u64,
}

/// What the thread knows from one round to the next.
struct Loop {
    recorder: &'static Recorder,
    beats: Vec<Beat>,
    /// Intervals of the calls in progress, as found in the last round.
    intervals: Vec<u64>,
    /// Intervals due in this round.
    due: Vec<u64>,
    /// When the last sample was taken, if a call has been in progress since.
    last_sample_ns: Option<u64>,
    /// Rounds since the last call ended.
    idle: u32,
}

impl Loop {
    fn new(recorder: &'static Recorder) -> Loop {
        Loop {
            recorder,
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

    /// Finds out which intervals are in use, and begins or ends their beats.
    fn look_around(&mut self) {
        self.intervals.clear();
        let mut busy = 0;
        self.recorder.meter().for_each_lane(|lane| {
            busy += usize::from(lane.is_busy());
            lane.tick(None, &mut self.intervals);
        });
        self.recorder.set_busy_lanes(busy);
        if self.intervals.is_empty() {
            self.idle += 1;
            self.last_sample_ns = None;
            return;
        }
        self.idle = 0;
        let now_ns = self.recorder.meter().now_ns();
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

    /// `None` when there is nothing left to watch.
    fn next_deadline(&mut self) -> Option<u64> {
        if self.idle > TAIL {
            return None;
        }
        self.beats.iter().map(|beat| beat.next_ns).min()
    }

    /// Sleeps until the deadline or until a call wants an earlier one.
    fn sleep_until(&self, deadline_ns: u64) {
        let sampler = self.recorder.sampler();
        sampler.awake_at_ns.store(deadline_ns, Relaxed);
        let now_ns = self.recorder.meter().now_ns();
        if deadline_ns > now_ns {
            thread::park_timeout(Duration::from_nanos(deadline_ns - now_ns));
        }
        sampler.awake_at_ns.store(0, Relaxed);
    }

    /// Waits for the next call. Every lane is asked for a reading first, so that its next call
    /// takes the careful way in, which wakes the sampler.
    fn park(&mut self) {
        self.beats.clear();
        self.recorder
            .sampler()
            .cpu_ns
            .store(os_thread::cpu_ns(), Relaxed);
        let sampler = self.recorder.sampler();
        sampler.awake_at_ns.store(u64::MAX, Relaxed);
        fence(SeqCst);
        let mut busy = false;
        self.recorder.meter().for_each_lane(|lane| {
            lane.ask_for_reading();
            busy |= lane.is_busy();
        });
        if !busy {
            thread::park();
        }
        sampler.awake_at_ns.store(0, Relaxed);
    }

    /// Takes a sample if one is due, and hands it to the calls that wanted it.
    fn tick(&mut self) {
        let meter = self.recorder.meter();
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
        meter.for_each_lane(|lane| lane.tick(Some((reading, &self.due)), &mut self.intervals));
        if !self.intervals.is_empty() {
            self.account(reading.t_ns, missed);
        }
    }

    fn account(&mut self, now_ns: u64, missed: u64) {
        let sampler = self.recorder.sampler();
        let taken = self.due.len() as u64;
        sampler.ticks_due.fetch_add(taken + missed, Relaxed);
        sampler.ticks_taken.fetch_add(taken, Relaxed);
        if let Some(last_ns) = self.last_sample_ns.replace(now_ns) {
            let gap_ns = now_ns.saturating_sub(last_ns);
            let longest = gap_ns.max(sampler.longest_gap_ns.load(Relaxed));
            sampler.longest_gap_ns.store(longest, Relaxed);
        }
        sampler.cpu_ns.store(os_thread::cpu_ns(), Relaxed);
    }
}
