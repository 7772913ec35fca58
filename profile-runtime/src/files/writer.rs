//! The writer: the one thread that writes files. It writes the journal while the program runs, and the reports when
//! it is asked to.
//!
//! A thread of its own keeps our files away from the program:
//!
//! - its signals are blocked, because a limit on the size of files sends one;
//! - on Linux it has its own table of descriptors, root and working directory. What the program closes, duplicates or
//!   changes does not reach our files, and no descriptor of ours is among the program's.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::baseline_check;
use super::journal::Journal;
use super::memory_watch::{Look, MemoryWatch, SOONEST};
use super::reports;
use super::room;
use crate::heap;
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

/// Work for the writer thread.
type Job = Box<dyn FnOnce(&mut WriterThread) + Send>;

/// The way to the thread, once it has been started.
static JOBS: OnceLock<Sender<Job>> = OnceLock::new();

/// Starts the thread and waits until it is at work: its memory must not show up in the program's
/// first lines.
pub(crate) fn start(recorder: &'static Recorder) -> io::Result<()> {
    let (jobs, todo) = mpsc::channel();
    os_thread::start_and_wait("memprof-files", None, move |at_work| {
        heap::without_counting(|| {
            // What ThreadSanitizer has to say is written to the program's stderr.
            if cfg!(not(memprof_tsan)) {
                os_thread::leave_the_programs_files();
            }
            let mut writer = WriterThread::new(recorder);
            writer.warm_up();
            at_work();
            writer.run(&todo);
        });
    })?;
    // The first to come is the only one: `start` is called once.
    let _ = JOBS.set(jobs);
    Ok(())
}

/// Has `run` written and waits until it is. Without a writer thread the caller writes it.
pub(crate) fn write(recorder: &'static Recorder, run: &Arc<Run>) -> Result<Written, ReportError> {
    let own = Arc::clone(run);
    match ask(move |writer| writer.write(&own)) {
        Some(Some(result)) => result,
        Some(None) => Err(ReportError::bug()),
        None => reports::write(recorder, run),
    }
}

/// Has the baseline saved or checked, if that was asked for. `status` is the process's exit code.
pub(crate) fn check_baseline(
    recorder: &'static Recorder,
    run: &Arc<Run>,
    status: Option<i32>,
) -> baseline_check::BaselineOutcome {
    let own = Arc::clone(run);
    match ask(move |writer| writer.baseline(&own, status)) {
        Some(Some(outcome)) => outcome,
        Some(None) => baseline_check::BaselineOutcome::bug(recorder.settings.baseline.mode),
        None => reports::baseline(recorder, run, status),
    }
}

/// Has the writer thread do `work` and waits for the result; `None` if there is no such thread.
fn ask<T: Send + 'static>(work: impl FnOnce(&mut WriterThread) -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    let job: Job = Box::new(move |writer| {
        // The caller may be gone.
        let _ = done.send(work(writer));
    });
    JOBS.get()?.send(job).ok()?;
    result.recv().ok()
}

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
struct Due {
    usual: Instant,
    /// While memory is short.
    when_short: Instant,
}

impl Due {
    /// In so long a time, however much memory is left.
    fn after(pause: Duration) -> Due {
        let then = Instant::now() + pause;
        Due {
            usual: then,
            when_short: then,
        }
    }
}

/// The state of the writer thread.
struct WriterThread {
    recorder: &'static Recorder,
    /// Opened by this thread, because it cannot use the program's descriptors.
    os: Option<Os>,
    /// `None` when the run has been finished.
    journal: Option<Journal>,
    last_entry: Instant,
    /// RSS at the last entry.
    rss: u64,
    /// What the journal says of low memory.
    low_memory_ns: Option<u64>,
    memory: MemoryWatch,
}

impl WriterThread {
    fn new(recorder: &'static Recorder) -> WriterThread {
        WriterThread {
            recorder,
            os: None,
            journal: None,
            last_entry: Instant::now(),
            rss: 0,
            low_memory_ns: None,
            memory: MemoryWatch::default(),
        }
    }

    /// Makes an entry that is not written, so that the code and memory for entries are there before the program's
    /// first line.
    fn warm_up(&mut self) {
        self.os = Os::open(self.recorder.settings.backend).ok();
        let Some(now) = self.read() else { return };
        let Ok(mut journal) = Journal::new(identity::identity(self.recorder)) else {
            return;
        };
        journal.warm_up(&progress::own_figures(self.recorder, now));
        reports::prepare(self.recorder, journal.run());
        self.memory = MemoryWatch::begin();
        self.journal = Some(journal);
    }

    fn run(&mut self, todo: &Receiver<Job>) {
        let mut due = Due {
            usual: Instant::now() + FIRST,
            when_short: Instant::now(),
        };
        loop {
            let wait = self.entry_if_due(&mut due);
            match todo.recv_timeout(wait) {
                Ok(job) => job(self),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Makes an entry in the journal if one is due. Gives the time until this is to be asked again.
    fn entry_if_due(&mut self, due: &mut Due) -> Duration {
        let (entry_at, look_in) = self.watch_memory(due);
        let wait = entry_at.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            *due = self.entry();
        }
        wait.min(look_in)
    }

    /// `None` if there was a panic.
    fn write(&mut self, run: &Run) -> Option<Result<Written, ReportError>> {
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
    fn baseline(
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
    fn try_entry(&mut self) -> Result<u64, ReportError> {
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

    /// RSS, as the writer reads it.
    fn read(&mut self) -> Option<Reading> {
        let rss = self.os.as_mut()?.rss().ok()?;
        Some(Reading::of_process(
            self.recorder.instruments.meter.now_ns(),
            rss,
        ))
    }
}

#[cfg(test)]
mod tests;
