//! The writer: the one thread that writes files, so that nothing of that happens to the program.
//!
//! Its signals are blocked (a file-size limit sends one), and on Linux it has a table of descriptors
//! and a root and working directory of its own: what the program closes, duplicates or changes does
//! not reach our files, and no number of ours turns up among the program's descriptors.
//!
//! It writes the journal while the program runs, and the reports when it is asked to.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::baseline_check;
use super::journal::Journal;
use super::memory_watch::{Look, MemoryWatch, SOONEST};
use super::reports::{self, ReportsWritten};
use super::room;
use crate::heap;
use crate::os::{Os, thread as os_thread};
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::snapshot::{identity, progress};
use memprof_model::run::{Run, RunOutcome};
use memprof_report::ReportError;

/// A program that ends within this time has no journal.
const FIRST: Duration = Duration::from_millis(100);
/// From one entry in the journal to the next.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest time without an entry.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// After this, a journal that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// The part of the time that entries may take.
const SHARE: u32 = 50;
/// The same while memory is short, when the next entry may be the last.
const SHARE_WHEN_SHORT: u32 = 4;
/// Bytes that are written in a second, after the first entry, at most.
const BYTES_PER_SECOND: u64 = 1 << 20;

/// What is to be done with files, by the thread or, where there is none, by the caller.
type Job = Box<dyn FnOnce(&mut WriterThread) + Send>;

/// The way to the thread, once it has been started.
static JOBS: OnceLock<Sender<Job>> = OnceLock::new();

/// When memory was about to run out for the first time; `u64::MAX` for never.
static LOW_MEMORY_NS: AtomicU64 = AtomicU64::new(u64::MAX);

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

/// Has `run` written and waits until it is. Without a thread it is written by the caller.
pub(crate) fn write(
    recorder: &'static Recorder,
    run: &Arc<Run>,
) -> Result<ReportsWritten, ReportError> {
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
) -> baseline_check::Outcome {
    let own = Arc::clone(run);
    match ask(move |writer| writer.baseline(&own, status)) {
        Some(Some(outcome)) => outcome,
        Some(None) => baseline_check::Outcome::bug(recorder.settings.baseline.mode),
        None => reports::baseline(recorder, run, status),
    }
}

/// When memory was about to run out for the first time, if it ever was.
pub(crate) fn low_memory_ns() -> Option<u64> {
    let t_ns = LOW_MEMORY_NS.load(Relaxed);
    (t_ns != u64::MAX).then_some(t_ns)
}

fn note_low_memory(t_ns: u64) {
    LOW_MEMORY_NS.fetch_min(t_ns, Relaxed);
}

/// Has the thread do `work` and waits until it is done; `None` if there is no thread.
fn ask<T: Send + 'static>(work: impl FnOnce(&mut WriterThread) -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    let job: Job = Box::new(move |writer| {
        // Whoever asked may be gone.
        let _ = done.send(work(writer));
    });
    JOBS.get()?.send(job).ok()?;
    result.recv().ok()
}

/// What the thread has in front of it.
struct WriterThread {
    recorder: &'static Recorder,
    /// The thread's own way to read the process's memory; its descriptors are not the program's.
    os: Option<Os>,
    /// `None` when the run has been finished.
    journal: Option<Journal>,
    last_entry: Instant,
    /// RSS at the last entry.
    rss: u64,
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
            memory: MemoryWatch::default(),
        }
    }

    /// Goes through the motions of an entry, so that code and memory for it are there before the
    /// program's first line.
    fn warm_up(&mut self) {
        self.os = Os::open(self.recorder.settings.backend).ok();
        let Some(now) = self.read() else { return };
        let Ok(mut journal) = Journal::new(identity::identity(self.recorder)) else {
            return;
        };
        journal.warm_up(&progress::own_figures(self.recorder, now));
        reports::prepare(self.recorder);
        self.memory = MemoryWatch::begin();
        self.journal = Some(journal);
    }

    fn run(&mut self, todo: &Receiver<Job>) {
        let mut next_entry = Instant::now() + FIRST;
        loop {
            let wait = next_entry.saturating_duration_since(Instant::now());
            match todo.recv_timeout(wait.min(self.watch_memory())) {
                Ok(job) => job(self),
                Err(RecvTimeoutError::Timeout) if Instant::now() >= next_entry => {
                    next_entry = Instant::now() + self.entry();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// `None` if there was a panic.
    fn write(&mut self, run: &Run) -> Option<Result<ReportsWritten, ReportError>> {
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
    fn baseline(&mut self, run: &Run, status: Option<i32>) -> Option<baseline_check::Outcome> {
        let recorder = self.recorder;
        catch_unwind(AssertUnwindSafe(|| {
            reports::baseline(recorder, run, status)
        }))
        .ok()
    }

    /// Makes an entry at once where memory is about to run out: what comes next may be the end. Gives the
    /// time until the next look.
    fn watch_memory(&mut self) -> Duration {
        if self.journal.is_none() {
            return HEARTBEAT;
        }
        match self.memory.look() {
            Look::Enough(next) => next.min(INTERVAL),
            Look::Short => {
                if let Some(now) = self.read() {
                    note_low_memory(now.t_ns);
                }
                let began = Instant::now();
                self.entry();
                (began.elapsed() * SHARE_WHEN_SHORT).clamp(SOONEST, INTERVAL)
            }
            Look::Unknown => HEARTBEAT,
        }
    }

    /// Makes an entry in the journal; gives the time until the next one.
    fn entry(&mut self) -> Duration {
        let began = os_thread::cpu_ns();
        match catch_unwind(AssertUnwindSafe(|| self.try_entry())) {
            Ok(Ok(bytes)) => {
                let took = Duration::from_nanos(os_thread::cpu_ns().saturating_sub(began));
                until_next_entry(took, bytes)
            }
            // The run's folder cannot be written now, or nothing is to be told. The reports at the end
            // will say so if they cannot be written either.
            Ok(Err(_)) => AGAIN,
            Err(_) => {
                self.journal = None;
                HEARTBEAT
            }
        }
    }

    /// Bytes written.
    fn try_entry(&mut self) -> Result<u64, ReportError> {
        let Some(now) = self.read() else { return Ok(0) };
        let recorder = self.recorder;
        let Some(journal) = &mut self.journal else {
            return Ok(0);
        };
        if !room::is_enough_for_entry(recorder.sites().len()) {
            return Ok(0);
        }
        let since = journal.wants_samples_since();
        let mut figures = progress::figures(recorder, now, since, |id| journal.ended(id));
        let idle = figures.samples.is_empty() && now.rss == self.rss;
        if figures.functions.is_empty() || (idle && self.last_entry.elapsed() < HEARTBEAT) {
            return Ok(0);
        }
        figures.run.low_memory_ns = low_memory_ns();
        figures.run.overhead.profiler_bytes += journal.bytes();
        let folder = reports::folder(recorder, journal.run())?;
        let written = journal.write(&folder, &figures);
        (self.last_entry, self.rss) = (Instant::now(), now.rss);
        written.map_err(|error| ReportError::write(&folder, error))
    }

    fn read(&mut self) -> Option<Reading> {
        let rss = self.os.as_mut()?.rss().ok()?;
        Some(Reading::of_process(
            self.recorder.instruments.meter.now_ns(),
            rss,
        ))
    }
}

/// How long after an entry of so many bytes, which took so much processor time, the next one is made.
fn until_next_entry(took: Duration, bytes: u64) -> Duration {
    let by_bytes = Duration::from_millis(bytes * 1_000 / BYTES_PER_SECOND);
    INTERVAL.max(took * SHARE).max(by_bytes).min(HEARTBEAT)
}

#[cfg(test)]
mod tests;
