//! An operating system for tests, which says what the test wants.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use super::counts::ProcessCounts;

/// The memory and the clock of a process that does not exist.
#[derive(Debug, Default)]
pub(crate) struct Script {
    now_ns: AtomicU64,
    rss: AtomicU64,
    high_water: AtomicU64,
    faults: AtomicU64,
    /// Of these, by the thread that the test acts for.
    own_faults: AtomicU64,
    /// What others touch as soon as RSS has been read.
    late_pages: AtomicU32,
    tick_ns: AtomicU64,
    slept_ns: AtomicU64,
    cannot_be_read: AtomicBool,
    keeps_the_mark: AtomicBool,
}

/// Every look at the clock takes this long unless the test says otherwise, because no two readings are at the
/// same moment.
const TICK_NS: u64 = 10;

pub(crate) const PAGE: u64 = 4096;

impl Script {
    /// A process with `rss` bytes. Leaked, because recorders hold it for ever.
    pub(crate) fn leaked(rss: u64) -> &'static Script {
        let script = Box::leak(Box::<Script>::default());
        script.rss.store(rss, SeqCst);
        script.high_water.store(rss, SeqCst);
        script.tick_ns.store(TICK_NS, SeqCst);
        script
    }

    /// From now on every look at the clock takes so long: readings become dear.
    pub(crate) fn set_tick_ns(&self, nanoseconds: u64) {
        self.tick_ns.store(nanoseconds, SeqCst);
    }

    /// The test acts for another thread, which has had so many page faults; gives those of the one before.
    pub(crate) fn switch_thread(&self, faults: u64) -> u64 {
        self.own_faults.swap(faults, SeqCst)
    }

    /// Time passes.
    pub(crate) fn pass(&self, nanoseconds: u64) {
        self.now_ns.fetch_add(nanoseconds, SeqCst);
    }

    /// Time passes, and the thread that the test acts for sleeps.
    pub(crate) fn sleep(&self, nanoseconds: u64) {
        self.slept_ns.fetch_add(nanoseconds, SeqCst);
        self.pass(nanoseconds);
    }

    /// So many pages come, by faults of the calling thread, or go.
    pub(crate) fn change(&self, pages: i64) {
        let rss = self
            .rss
            .load(SeqCst)
            .saturating_add_signed(pages * PAGE as i64);
        self.rss.store(rss, SeqCst);
        self.high_water.fetch_max(rss, SeqCst);
        let came = u64::try_from(pages).unwrap_or(0);
        self.faults.fetch_add(came, SeqCst);
        self.own_faults.fetch_add(came, SeqCst);
    }

    /// Pages come by faults of another thread.
    pub(crate) fn change_by_others(&self, pages: u32) {
        self.change(pages.into());
        self.own_faults.fetch_sub(pages.into(), SeqCst);
    }

    /// Others touch so many pages between the next reading of RSS and that of the faults.
    pub(crate) fn change_in_between(&self, pages: u32) {
        self.late_pages.store(pages, SeqCst);
    }

    /// From now on RSS can be read, or cannot.
    pub(crate) fn set_readable(&self, readable: bool) {
        self.cannot_be_read.store(!readable, SeqCst);
    }

    /// From now on the high-water mark cannot be reset.
    pub(crate) fn refuse_resets(&self) {
        self.keeps_the_mark.store(true, SeqCst);
    }

    pub(crate) fn rss(&self) -> u64 {
        self.rss.load(SeqCst)
    }

    pub(super) fn read_rss(&self) -> io::Result<u64> {
        match self.cannot_be_read.load(SeqCst) {
            true => Err(io::Error::other("the script says so")),
            false => {
                let rss = self.rss();
                self.change_by_others(self.late_pages.swap(0, SeqCst));
                Ok(rss)
            }
        }
    }

    pub(super) fn next_ns(&self) -> u64 {
        self.now_ns.fetch_add(self.tick_ns.load(SeqCst), SeqCst)
    }

    pub(super) fn reset_high_water(&self) -> io::Result<()> {
        if self.keeps_the_mark.load(SeqCst) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
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
        self.own_faults.load(SeqCst)
    }

    /// Whichever thread the test acts for, it runs all the time, unless the test says that it slept.
    pub(super) fn thread_cpu_ns(&self) -> u64 {
        self.now_ns.load(SeqCst) - self.slept_ns.load(SeqCst)
    }
}
