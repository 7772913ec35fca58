//! The sampler thread as others see it: threads with calls need to know when it wakes, and reports how well it
//! keeps its time.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, fence};
use std::thread::Thread;

use memprof_model::run::SamplerReport;

/// Written by the sampler thread, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct SamplerStatus {
    thread: OnceLock<Thread>,
    /// When it will wake by itself; `u64::MAX` while parked.
    awake_at_ns: AtomicU64,
    ticks_due: AtomicU64,
    ticks_taken: AtomicU64,
    longest_gap_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl SamplerStatus {
    /// The sampler runs on this thread.
    pub(crate) fn set_thread(&self, thread: Thread) {
        // Never set before: a sampler is started once.
        let _ = self.thread.set(thread);
    }

    /// A call has begun that wants a sample at `deadline_ns`: wakes the sampler if it would sleep longer.
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

    /// The sampler is about to sleep until it is woken. It looks for calls once more after this.
    pub(crate) fn is_parking(&self) {
        self.awake_at_ns.store(u64::MAX, Relaxed);
        fence(SeqCst);
    }

    /// The sampler is awake.
    pub(crate) fn is_awake(&self) {
        self.awake_at_ns.store(0, Relaxed);
    }

    /// `taken` of the `due` samples have been taken, `gap_ns` after the sample before, if there was one.
    pub(crate) fn count_ticks(&self, due: u64, taken: u64, gap_ns: Option<u64>) {
        self.ticks_due.fetch_add(due, Relaxed);
        self.ticks_taken.fetch_add(taken, Relaxed);
        if let Some(gap_ns) = gap_ns {
            let longest = gap_ns.max(self.longest_gap_ns.load(Relaxed));
            self.longest_gap_ns.store(longest, Relaxed);
        }
    }

    /// The sampler thread has used so much processor time until now.
    pub(crate) fn set_cpu_ns(&self, cpu_ns: u64) {
        self.cpu_ns.store(cpu_ns, Relaxed);
    }

    pub(crate) fn report(&self) -> SamplerReport {
        SamplerReport {
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
