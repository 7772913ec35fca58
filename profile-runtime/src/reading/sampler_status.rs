//! What threads with calls and reports need to know of the sampler thread: when it looks up by itself, and
//! how well it keeps its time.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, fence};
use std::thread::Thread;

use memprof_model::data;
use memprof_model::run::SamplerReport;

/// Written by the sampler thread, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct SamplerStatus {
    thread: OnceLock<Thread>,
    /// When it will look up by itself; `u64::MAX` while parked.
    awake_at_ns: AtomicU64,
    ticks_due: AtomicU64,
    ticks_taken: AtomicU64,
    longest_gap_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl SamplerStatus {
    /// The sampler is this thread, from now on.
    pub(crate) fn set_thread(&self, thread: Thread) {
        // The first to come is the only one: a sampler is started once.
        let _ = self.thread.set(thread);
    }

    /// A call has begun that wants a sample at `deadline_ns`.
    #[inline]
    pub(crate) fn expect(&self, deadline_ns: u64) {
        // Pairs with the fence in `is_parking`: either we see that the sampler parks, or it sees our call.
        fence(SeqCst);
        if deadline_ns < self.awake_at_ns.load(Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// The sampler sleeps until `deadline_ns`.
    pub(crate) fn sleeps_until(&self, deadline_ns: u64) {
        self.awake_at_ns.store(deadline_ns, Relaxed);
    }

    /// The sampler is about to sleep until somebody wakes it. It looks for calls once more after this.
    pub(crate) fn is_parking(&self) {
        self.awake_at_ns.store(u64::MAX, Relaxed);
        fence(SeqCst);
    }

    /// The sampler is up.
    pub(crate) fn is_awake(&self) {
        self.awake_at_ns.store(0, Relaxed);
    }

    /// So many of the samples that were due have been taken, the first of them `gap_ns` after the one
    /// before, if there was one.
    pub(crate) fn count_ticks(&self, due: u64, taken: u64, gap_ns: Option<u64>) {
        self.ticks_due.fetch_add(due, Relaxed);
        self.ticks_taken.fetch_add(taken, Relaxed);
        if let Some(gap_ns) = gap_ns {
            let longest = gap_ns.max(self.longest_gap_ns.load(Relaxed));
            self.longest_gap_ns.store(longest, Relaxed);
        }
    }

    /// The thread has taken so much processor time until now.
    pub(crate) fn set_cpu_ns(&self, cpu_ns: u64) {
        self.cpu_ns.store(cpu_ns, Relaxed);
    }

    pub(crate) fn report(&self) -> SamplerReport {
        data!(SamplerReport {
            ticks_due: self.ticks_due.load(Relaxed),
            ticks_taken: self.ticks_taken.load(Relaxed),
            longest_gap_ns: self.longest_gap_ns.load(Relaxed),
        })
    }

    /// Processor time of the thread up to its last tick.
    pub(crate) fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Relaxed)
    }
}
