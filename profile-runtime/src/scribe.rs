//! The scribe: the one thread that writes files, so that nothing of that happens to the program.
//!
//! Its signals are blocked (a file-size limit sends one), and on Linux it has a table of descriptors
//! and a root and working directory of its own: what the program closes, duplicates or changes does
//! not reach our files, and no number of ours turns up among the program's descriptors.
//!
//! It writes the journal while the program runs, and the reports when it is asked to.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::baseline;
use crate::heap;
use crate::journal::Journal;
use crate::meter::Reading;
use crate::os::{Os, thread as os_thread};
use crate::output::{self, Written};
use crate::recorder::Recorder;
use crate::report::ReportError;
use crate::run::{Run, RunOutcome};
use crate::snapshot;

/// A program that ends within this time has no journal.
const FIRST: Duration = Duration::from_millis(100);
/// From one entry in the journal to the next.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest time without an entry.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Bytes a second that a program can fill with all its threads.
const FASTEST: f64 = 4e9;
/// The shortest time between two looks at how much memory is left.
const SOONEST: Duration = Duration::from_millis(5);
/// After this, a journal that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// The part of the time that entries may take.
const SHARE: u32 = 50;
/// Bytes that are written in a second, after the first entry, at most.
const BYTES_PER_SECOND: u64 = 1 << 20;

/// What an entry takes at most, unless functions are very many.
#[cfg(target_os = "linux")]
const ENTRY: usize = 4 << 20;
/// Functions whose figures are no more than what is held for entries anyway.
#[cfg(target_os = "linux")]
const FEW: usize = 32;

/// What is to be done with files, by the thread or, where there is none, by the caller.
type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// A handle to the thread.
#[derive(Debug, Default)]
pub(crate) struct Scribe {
    jobs: OnceLock<Sender<Job>>,
    #[cfg(target_os = "linux")]
    reserve: crate::reserve::Reserves,
}

impl Scribe {
    /// Starts the thread and waits until it is at work: its memory must not show up in the program's
    /// first lines.
    pub(crate) fn start(&self, recorder: &'static Recorder) -> io::Result<()> {
        let (jobs, todo) = mpsc::channel();
        let (at_work, begun) = mpsc::channel();
        os_thread::without_signals(|| {
            thread::Builder::new()
                .name("memprof-files".to_owned())
                .spawn(move || {
                    heap::outside_the_figures(|| {
                        // What ThreadSanitizer has to say is written to the program's stderr.
                        if cfg!(not(memprof_tsan)) {
                            os_thread::leave_the_programs_files();
                        }
                        let mut desk = Desk::new(recorder);
                        desk.rehearse();
                        // Nobody waits any more if it took too long; that does not matter here.
                        let _ = at_work.send(());
                        desk.run(&todo);
                    });
                })
        })?;
        let _ = begun.recv_timeout(Duration::from_millis(200));
        // The first to come is the only one: `start` is called once.
        let _ = self.jobs.set(jobs);
        Ok(())
    }

    /// Gives back what was set aside for reports. `false`: the system would not give what those of so many
    /// functions take, and the program would abort.
    pub(crate) fn make_room(&self, recorder: &Recorder, functions: usize) -> bool {
        #[cfg(target_os = "linux")]
        {
            self.reserve.release(recorder.meter());
            crate::reserve::is_enough_for(functions)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (recorder, functions);
            true
        }
    }

    /// Bytes of the process's RSS that are set aside.
    pub(crate) fn reserved_bytes(&self) -> u64 {
        #[cfg(target_os = "linux")]
        return self.reserve.bytes();
        #[cfg(not(target_os = "linux"))]
        0
    }

    /// Has `run` written and waits until it is. Without a thread it is written by the caller.
    pub(crate) fn write(
        &self,
        recorder: &'static Recorder,
        run: &Arc<Run>,
    ) -> Result<Written, ReportError> {
        let own = Arc::clone(run);
        let written = self.ask(move |desk| desk.write(&own));
        match written {
            Some(Some(result)) => result,
            Some(None) => Err(ReportError::bug()),
            None => output::write(recorder, run),
        }
    }

    /// Has the baseline saved or checked, if that was asked for. `status` is the process's exit code.
    pub(crate) fn baseline(
        &self,
        recorder: &'static Recorder,
        run: &Arc<Run>,
        status: Option<i32>,
    ) -> baseline::Outcome {
        let own = Arc::clone(run);
        let outcome = self.ask(move |desk| desk.baseline(&own, status));
        match outcome {
            Some(Some(outcome)) => outcome,
            Some(None) => baseline::Outcome::bug(recorder.settings().baseline.mode),
            None => output::baseline(recorder, run, status),
        }
    }

    /// Has the thread do `work` and waits until it is done; `None` if there is no thread.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = mpsc::channel();
        let job: Job = Box::new(move |desk| {
            // Whoever asked may be gone.
            let _ = done.send(work(desk));
        });
        self.jobs.get()?.send(job).ok()?;
        result.recv().ok()
    }
}

/// What the thread has in front of it.
struct Desk {
    recorder: &'static Recorder,
    /// The thread's own way to read the process's memory; its descriptors are not the program's.
    os: Option<Os>,
    /// `None` when the run has been finished.
    journal: Option<Journal>,
    last_entry: Instant,
    /// RSS at the last entry.
    rss: u64,
    watch: Watch,
}

/// The watch for memory that runs out.
#[derive(Default)]
struct Watch {
    #[cfg(target_os = "linux")]
    limits: crate::os::limits::Limits,
    /// When it was about to, the first time.
    low_ns: Option<u64>,
}

impl Desk {
    fn new(recorder: &'static Recorder) -> Desk {
        Desk {
            recorder,
            os: None,
            journal: None,
            last_entry: Instant::now(),
            rss: 0,
            watch: Watch::default(),
        }
    }

    /// Goes through the motions of an entry, so that code and memory for it are there before the
    /// program's first line.
    fn rehearse(&mut self) {
        self.os = Os::open(self.recorder.settings().backend).ok();
        let Some(now) = self.read() else { return };
        let Ok(mut journal) = Journal::new(snapshot::identity(self.recorder)) else {
            return;
        };
        journal.rehearse(&snapshot::own_figures(self.recorder, now));
        output::prepare(self.recorder);
        #[cfg(target_os = "linux")]
        {
            self.watch.limits = crate::os::limits::Limits::find();
            let _ = self.watch.limits.room();
            let reserve = &self.recorder.scribe().reserve;
            reserve.set_aside(&self.watch.limits);
        }
        self.journal = Some(journal);
    }

    fn run(&mut self, todo: &Receiver<Job>) {
        let mut next_entry = Instant::now() + FIRST;
        loop {
            let wait = next_entry.saturating_duration_since(Instant::now());
            match todo.recv_timeout(wait.min(self.watch())) {
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
    fn write(&mut self, run: &Run) -> Option<Result<Written, ReportError>> {
        let written = catch_unwind(AssertUnwindSafe(|| {
            if run.outcome == RunOutcome::Exited
                && let Some(mut journal) = self.journal.take()
            {
                journal.close();
            }
            output::write(self.recorder, run)
        }));
        written.ok()
    }

    /// `None` if there was a panic.
    fn baseline(&mut self, run: &Run, status: Option<i32>) -> Option<baseline::Outcome> {
        let recorder = self.recorder;
        catch_unwind(AssertUnwindSafe(|| output::baseline(recorder, run, status))).ok()
    }

    /// Writes the reports if memory is about to run out, once; gives the time until the next look.
    fn watch(&mut self) -> Duration {
        #[cfg(target_os = "linux")]
        if self.journal.is_some()
            && self.watch.low_ns.is_none()
            && let Some(room) = self.watch.limits.room()
        {
            let functions = self.recorder.sites().len();
            let needed = crate::reserve::needed(functions) as u64;
            if !room.is_short_of(needed) {
                // Until half of what is left can have been filled, by whoever is quick.
                let half = Duration::from_secs_f64(room.left as f64 / 2.0 / FASTEST);
                return half.clamp(SOONEST, INTERVAL);
            }
            self.write_with_low_memory(functions);
        }
        HEARTBEAT
    }

    #[cfg(target_os = "linux")]
    fn write_with_low_memory(&mut self, functions: usize) {
        let Some(now) = self.read() else { return };
        self.watch.low_ns = Some(now.t_ns);
        let recorder = self.recorder;
        // What the journal says counts if this fails or cannot be: it is written a little later all the
        // same.
        if recorder.scribe().make_room(recorder, functions) {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let run = snapshot::take_with_low_memory(recorder, now);
                (!run.functions.is_empty()).then(|| output::write(recorder, &run))
            }));
        }
        self.entry();
        let reserve = &recorder.scribe().reserve;
        reserve.set_aside_again(&self.watch.limits);
    }

    /// Makes an entry in the journal; gives the time until the next one.
    fn entry(&mut self) -> Duration {
        let began = os_thread::cpu_ns();
        match catch_unwind(AssertUnwindSafe(|| self.try_entry())) {
            Ok(Ok(bytes)) => {
                let took = Duration::from_nanos(os_thread::cpu_ns().saturating_sub(began));
                let by_bytes = Duration::from_millis(bytes * 1_000 / BYTES_PER_SECOND);
                INTERVAL.max(took * SHARE).max(by_bytes).min(HEARTBEAT)
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
        if !has_room_for_entry(recorder) {
            return Ok(0);
        }
        let since = journal.wants_samples_since();
        let mut figures = snapshot::figures(recorder, now, since, |id| journal.ended(id));
        let idle = figures.samples.is_empty() && now.rss == self.rss;
        if figures.functions.is_empty() || (idle && self.last_entry.elapsed() < HEARTBEAT) {
            return Ok(0);
        }
        figures.run.low_memory_ns = self.watch.low_ns;
        figures.run.overhead.profiler_bytes += journal.bytes();
        let folder = output::folder(recorder, journal.run())?;
        let written = journal.write(&folder, &figures);
        (self.last_entry, self.rss) = (Instant::now(), now.rss);
        written.map_err(|error| ReportError::write(&folder, error))
    }

    fn read(&mut self) -> Option<Reading> {
        let rss = self.os.as_mut()?.rss().ok()?;
        Some(Reading::of_process(self.recorder.meter().now_ns(), rss))
    }
}

/// Whether an entry can be put together without the program being ended for want of memory.
fn has_room_for_entry(recorder: &'static Recorder) -> bool {
    #[cfg(target_os = "linux")]
    if !crate::os::reserve::can_be_had(ENTRY) {
        let functions = recorder.sites().len();
        // An entry of a few functions fits into what the allocator was made to hold for it.
        return functions < FEW || recorder.scribe().make_room(recorder, functions);
    }
    let _ = recorder;
    true
}
