//! All recorders of the process: those of running threads, and those that wait for a new thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::room::Room;
use super::suspended::SuspendedCalls;
use super::thread_recorder::ThreadRecorder;
use crate::reading::instruments::Instruments;
use crate::sync::lock;

/// The recorders of all threads, and the suspended calls.
#[derive(Debug)]
pub(crate) struct ThreadRegistry {
    instruments: &'static Instruments,
    /// All recorders there ever were.
    recorders: Mutex<Vec<&'static ThreadRecorder>>,
    /// How many recorders were made, those among them that are not in the list yet.
    made: AtomicUsize,
    /// Recorders whose thread has ended.
    free: Mutex<Vec<&'static ThreadRecorder>>,
    /// Number of threads so far.
    threads: AtomicU64,
    /// The calls that are on no thread's stack.
    pub suspended: SuspendedCalls,
}

impl ThreadRegistry {
    pub(crate) fn new(instruments: &'static Instruments) -> ThreadRegistry {
        ThreadRegistry {
            instruments,
            recorders: Mutex::default(),
            made: AtomicUsize::new(0),
            free: Mutex::default(),
            threads: AtomicU64::new(0),
            suspended: SuspendedCalls::default(),
        }
    }

    /// A recorder for a thread that has none.
    #[cold]
    pub(crate) fn take(&self) -> &'static ThreadRecorder {
        let recorder = self.free().unwrap_or_else(|| {
            let room = Room::after(self.made.fetch_add(1, Relaxed));
            // Leaked: frames point to it, and it is used again by later threads.
            let recorder = &*Box::leak(Box::new(ThreadRecorder::new(self.instruments, room)));
            self.instruments.meter.add_listener(recorder);
            lock(&self.recorders).push(recorder);
            recorder
        });
        recorder.take(self.threads.fetch_add(1, Relaxed) + 1);
        recorder
    }

    /// A recorder whose thread has ended: one with all the room, if there is one.
    fn free(&self) -> Option<&'static ThreadRecorder> {
        let mut free = lock(&self.free);
        let whole = free
            .iter()
            .rposition(|recorder| recorder.room == Room::Whole);
        match whole {
            Some(at) => Some(free.swap_remove(at)),
            None => free.pop(),
        }
    }

    /// The thread of `recorder` has ended.
    pub(crate) fn give_back(&self, recorder: &'static ThreadRecorder) {
        // A thread that is taken down inside a call has called `exit`. Its calls stay in progress, and the
        // report shows them as that.
        if recorder.is_busy() {
            recorder.leave_busy();
        } else {
            lock(&self.free).push(recorder);
        }
    }

    /// Visits every recorder there ever was. `visit` may lock the recorder: no lock of ours is held then.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&'static ThreadRecorder)) {
        let mut at = 0;
        loop {
            let recorder = lock(&self.recorders).get(at).copied();
            match recorder {
                Some(recorder) => visit(recorder),
                None => return,
            }
            at += 1;
        }
    }
}
