//! An operating system for tests, which says what the test wants.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::ProcessCounts;

/// The memory and the clock of a process that does not exist.
#[derive(Debug, Default)]
pub(crate) struct Script {
    now_ns: AtomicU64,
    rss: AtomicU64,
    high_water: AtomicU64,
    faults: AtomicU64,
}

/// Every look at the clock takes this long, because no two readings are at the same moment.
const TICK_NS: u64 = 10;

pub(super) const PAGE: u64 = 4096;

impl Script {
    /// A process with `rss` bytes. Leaked, because recorders hold it for ever.
    pub(crate) fn leaked(rss: u64) -> &'static Script {
        let script = Box::leak(Box::<Script>::default());
        script.rss.store(rss, SeqCst);
        script.high_water.store(rss, SeqCst);
        script
    }

    /// Time passes.
    pub(crate) fn pass(&self, nanoseconds: u64) {
        self.now_ns.fetch_add(nanoseconds, SeqCst);
    }

    /// So many pages come, by faults of the calling thread, or go.
    pub(crate) fn change(&self, pages: i64) {
        let rss = self
            .rss
            .load(SeqCst)
            .saturating_add_signed(pages * PAGE as i64);
        self.rss.store(rss, SeqCst);
        self.high_water.fetch_max(rss, SeqCst);
        self.faults
            .fetch_add(u64::try_from(pages).unwrap_or(0), SeqCst);
    }

    pub(crate) fn rss(&self) -> u64 {
        self.rss.load(SeqCst)
    }

    pub(super) fn next_ns(&self) -> u64 {
        self.now_ns.fetch_add(TICK_NS, SeqCst)
    }

    pub(super) fn reset_high_water(&self) -> io::Result<()> {
        self.high_water.store(self.rss(), SeqCst);
        Ok(())
    }

    pub(super) fn high_water(&self) -> u64 {
        self.high_water.load(SeqCst)
    }

    pub(super) fn counts(&self) -> ProcessCounts {
        ProcessCounts {
            faults: self.faults.load(SeqCst),
            max_rss: self.high_water(),
        }
    }

    pub(super) fn thread_faults(&self) -> u64 {
        self.faults.load(SeqCst)
    }
}
