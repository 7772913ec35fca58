//! The writer writes the journal while the program runs, and the reports when it is asked to. Who does its work is said
//! in [`super::work`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::baseline_check;
use super::journal::Journal;
use super::memory_watch::{Look, MemoryWatch, SOONEST};
use super::reports;
use super::room;
use crate::os::{Os, thread as os_thread};
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::snapshot::{identity, progress};
use memprof_model::run::{Run, RunOutcome};
use memprof_report::ReportError;
use memprof_report::internal::store::Written;

/// The time before the first entry: a program that ends within it has no journal.
const FIRST: Duration = Duration::from_millis(100);
/// From one entry in the journal to the next.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest time without an entry.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// After this, a journal that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often entries are made.
const USUAL: Pace = Pace {
    interval: INTERVAL,
    share: 50,
    bytes_per_second: 1 << 20,
};
/// The same while memory is short, when the next entry may be the last.
const WHEN_SHORT: Pace = Pace {
    interval: SOONEST,
    share: 20,
    bytes_per_second: 4 << 20,
};

/// How often entries may be made in the journal.
struct Pace {
    /// The shortest time from one entry to the next.
    interval: Duration,
    /// Entries take one part in so many of the time.
    share: u32,
    /// Bytes that are written in a second, after the first entry, at most.
    bytes_per_second: u64,
}

impl Pace {
    /// The time from an entry that took this long, and so many bytes, to the next one.
    fn pause(&self, took: Duration, bytes: u64) -> Duration {
        let by_bytes = Duration::from_millis(bytes * 1_000 / self.bytes_per_second);
        let pause = self.interval.max(took * self.share).max(by_bytes);
        pause.min(HEARTBEAT)
    }
}

/// When the next entry in the journal is due.
#[derive(Debug)]
pub(super) struct Due {
    usual: Instant,
    /// While memory is short.
    when_short: Instant,
}

impl Due {
    /// The first one.
    pub(super) fn first() -> Due {
        Due {
            usual: Instant::now() + FIRST,
            when_short: Instant::now(),
        }
    }

    /// In so long a time, however much memory is left.
    fn after(pause: Duration) -> Due {
        let then = Instant::now() + pause;
        Due {
            usual: then,
            when_short: then,
        }
    }
}

/// See the file's beginning.
pub(super) struct Writer {
    recorder: &'static Recorder,
    rss_by: RssBy,
    /// `None` when the run has been finished.
    journal: Option<Journal>,
    last_entry: Instant,
    /// RSS at the last entry.
    rss: u64,
    /// What the journal says of low memory.
    low_memory_ns: Option<u64>,
    memory: MemoryWatch,
}

/// How the writer reads RSS.
enum RssBy {
    /// Not at all.
    Nothing,
    /// With descriptors of its own, because it cannot use the program's.
    Own(Os),
    /// As the program's threads do.
    Meter,
}

impl Writer {
    pub(super) fn new(recorder: &'static Recorder) -> Writer {
        Writer {
            recorder,
            rss_by: RssBy::Nothing,
            journal: None,
            last_entry: Instant::now(),
            rss: 0,
            low_memory_ns: None,
            memory: MemoryWatch::default(),
        }
    }

    /// Gets ready on a thread that is the writer's alone.
    pub(super) fn warm_up(&mut self) {
        if let Ok(os) = Os::open(self.recorder.settings.backend) {
            self.rss_by = RssBy::Own(os);
        }
        if let Some(journal) = self.rehearsed() {
            self.memory = MemoryWatch::begin();
            self.journal = Some(journal);
        }
    }

    /// Gets ready on a thread of the program's. Nobody looks how much memory is left then: that would be work every 5 ms.
    pub(super) fn warm_up_among_the_programs(&mut self) {
        self.rss_by = RssBy::Meter;
        self.journal = self.rehearsed().map(Journal::among_the_programs_files);
    }

    /// A journal of which an entry was made that is not written, so that the code and memory for entries are there before
    /// the program's first line.
    fn rehearsed(&mut self) -> Option<Journal> {
        let now = self.read()?;
        let mut journal = Journal::new(identity::identity(self.recorder)).ok()?;
        journal.warm_up(&progress::own_figures(self.recorder, now));
        reports::prepare(self.recorder, journal.run());
        Some(journal)
    }

    /// Makes an entry in the journal if one is due. Gives the time until this is to be asked again.
    pub(super) fn entry_if_due(&mut self, due: &mut Due) -> Duration {
        let (entry_at, look_in) = self.watch_memory(due);
        let wait = entry_at.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            *due = self.entry();
        }
        wait.min(look_in)
    }

    /// `None` if there was a panic.
    pub(super) fn write(&mut self, run: &Run) -> Option<Result<Written, ReportError>> {
        let written = catch_unwind(AssertUnwindSafe(|| {
            if run.outcome == RunOutcome::Exited
                && let Some(mut journal) = self.journal.take()
            {
                journal.close();
            }
            reports::write(self.recorder, run)
        }));
        written.ok()
    }

    /// `None` if there was a panic.
    pub(super) fn baseline(
        &mut self,
        run: &Run,
        status: Option<i32>,
    ) -> Option<baseline_check::BaselineOutcome> {
        let recorder = self.recorder;
        catch_unwind(AssertUnwindSafe(|| {
            reports::baseline(recorder, run, status)
        }))
        .ok()
    }

    /// Looks at how much memory is left. Gives the moment at which the next entry is due, and the time until
    /// the next look. Where memory is about to run out, what comes next may be the end: an entry is due at
    /// once then, and others as often as they may take time.
    fn watch_memory(&mut self, due: &Due) -> (Instant, Duration) {
        if self.journal.is_none() {
            return (Instant::now() + HEARTBEAT, HEARTBEAT);
        }
        match self.memory.look() {
            Look::Enough(next) => (due.usual, next),
            Look::Short => {
                let now_ns = self.recorder.instruments.meter.now_ns();
                let entry_at = match self.recorder.note_low_memory(now_ns) {
                    true => Instant::now(),
                    false => due.when_short,
                };
                (entry_at, INTERVAL)
            }
            Look::Unknown => (due.usual, HEARTBEAT),
        }
    }

    /// Makes an entry in the journal.
    fn entry(&mut self) -> Due {
        let began = os_thread::cpu_ns();
        match catch_unwind(AssertUnwindSafe(|| self.try_entry())) {
            Ok(Ok(bytes)) => {
                let took = Duration::from_nanos(os_thread::cpu_ns().saturating_sub(began));
                let now = Instant::now();
                Due {
                    usual: now + USUAL.pause(took, bytes),
                    when_short: now + WHEN_SHORT.pause(took, bytes),
                }
            }
            // The run's folder cannot be written now. The reports at the end will say so if they cannot be
            // written either.
            Ok(Err(_)) => Due::after(AGAIN),
            Err(_) => {
                self.journal = None;
                Due::after(HEARTBEAT)
            }
        }
    }

    /// Makes an entry if there is something new. Gives the bytes written.
    pub(super) fn try_entry(&mut self) -> Result<u64, ReportError> {
        let Some(now) = self.read() else { return Ok(0) };
        let recorder = self.recorder;
        let Some(journal) = &mut self.journal else {
            return Ok(0);
        };
        // Where the system refuses what an entry takes, the next one may have room again.
        if !room::is_enough_for_entry(recorder.sites().len()) {
            return Ok(0);
        }
        let since = journal.wants_samples_since();
        let mut figures = progress::figures(recorder, now, since, |id| journal.ended(id));
        let low_memory_ns = figures.run.low_memory_ns;
        let idle = figures.samples.is_empty()
            && now.rss == self.rss
            && low_memory_ns == self.low_memory_ns;
        if figures.functions.is_empty() || (idle && self.last_entry.elapsed() < HEARTBEAT) {
            return Ok(0);
        }
        figures.run.overhead.profiler_bytes += journal.bytes();
        let folder = reports::folder(recorder, journal.run())?;
        let written = journal.write(&folder, &figures);
        (self.last_entry, self.rss) = (Instant::now(), now.rss);
        let bytes = written.map_err(|error| ReportError::write(&folder, error))?;
        self.low_memory_ns = low_memory_ns;
        Ok(bytes)
    }

    /// Whether the run has been finished.
    #[cfg(test)]
    pub(super) fn is_done(&self) -> bool {
        self.journal.is_none()
    }

    /// Closes the journal's file in a process to which a fork has given a second descriptor of it.
    pub(super) fn leave_the_file_to_the_parent(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.close();
        }
    }

    /// RSS, as the writer reads it.
    fn read(&mut self) -> Option<Reading> {
        let meter = &self.recorder.instruments.meter;
        let rss = match &mut self.rss_by {
            RssBy::Nothing => return None,
            RssBy::Own(os) => os.rss().ok()?,
            RssBy::Meter => meter.sample().rss,
        };
        Some(Reading::of_process(meter.now_ns(), rss))
    }
}

#[cfg(test)]
pub(super) mod tests;
