//! All threads' recorders, and those that wait for a new thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::suspended::SuspendedCalls;
use super::thread_recorder::Lane;
use crate::reading::instruments::Instruments;
use crate::sync::lock;

/// The threads of a run.
#[derive(Debug)]
pub(crate) struct ThreadRegistry {
    instruments: &'static Instruments,
    lanes: Mutex<Vec<&'static Lane>>,
    /// Lanes whose thread has ended.
    free: Mutex<Vec<&'static Lane>>,
    /// Threads so far.
    threads: AtomicU64,
    /// Calls that are on no thread.
    pub suspended: SuspendedCalls,
}

impl ThreadRegistry {
    pub(crate) fn new(instruments: &'static Instruments) -> ThreadRegistry {
        ThreadRegistry {
            instruments,
            lanes: Mutex::default(),
            free: Mutex::default(),
            threads: AtomicU64::new(0),
            suspended: SuspendedCalls::default(),
        }
    }

    /// A lane for a thread that has none.
    #[cold]
    pub(crate) fn take(&self) -> &'static Lane {
        let free = lock(&self.free).pop();
        let lane = free.unwrap_or_else(|| {
            // Leaked: frames point to it, and it is used again by later threads.
            let lane = &*Box::leak(Box::new(Lane::new(self.instruments)));
            self.instruments.meter.add_listener(lane);
            lock(&self.lanes).push(lane);
            lane
        });
        lane.take(self.threads.fetch_add(1, Relaxed) + 1);
        lane
    }

    /// The thread of `lane` has ended.
    pub(crate) fn give_back(&self, lane: &'static Lane) {
        // A thread that is taken down inside a call is one that called `exit`: its calls stay in
        // progress, and so they are reported.
        if !lane.is_busy() {
            lock(&self.free).push(lane);
        }
    }

    /// Visits every lane that was ever taken. A lane's lock may be taken inside: ours is not held.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&'static Lane)) {
        let mut at = 0;
        loop {
            let lane = lock(&self.lanes).get(at).copied();
            match lane {
                Some(lane) => visit(lane),
                None => return,
            }
            at += 1;
        }
    }
}
