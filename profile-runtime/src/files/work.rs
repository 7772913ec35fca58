//! Who does the writer's work: a thread of its own, or where there is none, the program's threads as they come by.
//!
//! A thread of its own keeps our files away from the program:
//!
//! - its signals are blocked, because a limit on the size of files sends one;
//! - on Linux it has its own table of descriptors, root and working directory. What the program closes, duplicates or
//!   changes does not reach our files, and no descriptor of ours is among the program's.
//!
//! On a program's thread the signals that a write raises are blocked for as long as the work takes, and the journal's
//! descriptor gets out of the program's way.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock};

use super::baseline_check::BaselineOutcome;
use super::writer::{Due, Writer};
use crate::heap;
use crate::os::own_stack::on_own_stack;
use crate::os::thread as os_thread;
use crate::os::write_signals::taken_back;
use crate::own_code::uncancelled;
use crate::recorder::Recorder;
use crate::sync::lock;
use memprof_model::run::Run;
use memprof_report::ReportError;
use memprof_report::internal::store::Written;

/// Work for the writer.
type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// The way to the thread, once it has been started.
static THREAD: OnceLock<Sender<Job>> = OnceLock::new();

/// The writer of a run without threads.
static SHARED: OnceLock<Shared> = OnceLock::new();

/// A writer that works on whichever thread comes by.
struct Shared {
    writer: Mutex<(Writer, Due)>,
    recorder: &'static Recorder,
    /// When to look next whether an entry is due.
    look_at_ns: AtomicU64,
}

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
            let mut writer = Writer::new(recorder);
            writer.warm_up();
            at_work();
            run(&mut writer, &todo);
        });
    })?;
    // The first to come is the only one: `start` is called once.
    let _ = THREAD.set(jobs);
    Ok(())
}

/// From now on the program's threads make the entries of the journal, in spare moments.
pub(crate) fn start_without_a_thread(recorder: &'static Recorder) {
    let mut writer = Writer::new(recorder);
    writer.warm_up_among_the_programs();
    let shared = Shared {
        writer: Mutex::new((writer, Due::first())),
        recorder,
        look_at_ns: AtomicU64::new(0),
    };
    if SHARED.set(shared).is_ok() {
        recorder.instruments.spare_moment.use_for(come_by);
    }
}

/// Has `run` written and waits until it is.
pub(crate) fn write(recorder: &'static Recorder, run: &Arc<Run>) -> Result<Written, ReportError> {
    let own = Arc::clone(run);
    let asked = ask(move |writer| writer.write(&own));
    let written = asked.or_else(|| by_caller(recorder, |writer| writer.write(run)));
    written.flatten().unwrap_or_else(|| Err(ReportError::bug()))
}

/// Has the baseline saved or checked, if that was asked for. `status` is the process's exit code.
pub(crate) fn check_baseline(
    recorder: &'static Recorder,
    run: &Arc<Run>,
    status: Option<i32>,
) -> BaselineOutcome {
    let own = Arc::clone(run);
    let asked = ask(move |writer| writer.baseline(&own, status));
    let outcome = asked.or_else(|| by_caller(recorder, |writer| writer.baseline(run, status)));
    let mode = recorder.settings.baseline.mode;
    outcome
        .flatten()
        .unwrap_or_else(|| BaselineOutcome::bug(mode))
}

/// Called in the child of a fork.
pub(crate) fn forked() {
    // Another thread may have been at work. Then its descriptor stays open in the child.
    if let Some(Ok(mut shared)) = SHARED.get().map(|shared| shared.writer.try_lock()) {
        shared.0.leave_the_file_to_the_parent();
    }
}

/// The thread's loop: makes entries, and does what it is asked to do.
fn run(writer: &mut Writer, todo: &Receiver<Job>) {
    let mut due = Due::first();
    loop {
        let wait = writer.entry_if_due(&mut due);
        match todo.recv_timeout(wait) {
            Ok(job) => job(writer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Has the thread do `work` and waits for the result; `None` if there is no such thread.
fn ask<T: Send + 'static>(work: impl FnOnce(&mut Writer) -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    let job: Job = Box::new(move |writer| {
        // The caller may be gone.
        let _ = done.send(work(writer));
    });
    THREAD.get()?.send(job).ok()?;
    result.recv().ok()
}

/// Does `work` on the calling thread, with the writer that threads share if there is one. `None` if there was a panic.
fn by_caller<T>(recorder: &'static Recorder, work: impl FnOnce(&mut Writer) -> T) -> Option<T> {
    match SHARED.get() {
        Some(shared) => among_the_programs(|| work(&mut lock(&shared.writer).0)),
        None => among_the_programs(|| work(&mut Writer::new(recorder))),
    }
}

/// A thread of the program is in a spare moment: makes an entry in the journal if one is due.
fn come_by() {
    let Some(shared) = SHARED.get() else { return };
    let now_ns = || shared.recorder.instruments.meter.now_ns();
    if now_ns() < shared.look_at_ns.load(Relaxed) || heap::must_not_allocate() {
        return;
    }
    let _uncancelled = uncancelled(|| ());
    // Otherwise another thread is at it.
    if let Ok(mut guard) = shared.writer.try_lock() {
        let (writer, due) = &mut *guard;
        let wait = heap::without_counting(|| among_the_programs(|| writer.entry_if_due(due)));
        let wait_ns = wait.and_then(|wait| u64::try_from(wait.as_nanos()).ok());
        let look_at_ns = now_ns().saturating_add(wait_ns.unwrap_or(u64::MAX));
        shared.look_at_ns.store(look_at_ns, Relaxed);
    }
}

/// Does `work` on a thread of the program's. `None` if there was a panic.
fn among_the_programs<T>(work: impl FnOnce() -> T) -> Option<T> {
    let work = || taken_back(|| on_own_stack(work));
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests;
