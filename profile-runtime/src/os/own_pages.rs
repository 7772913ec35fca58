//! The part of RSS that is memprof's own. Readings are without it, so that the program's figures are too.
//!
//! Two things are known to the byte: the pages of memprof's own heap ([`reserve`]), and by how much RSS rose while the
//! recorder started ([`note_start`]): stacks of our threads, code, and tables.
//!
//! A reading must not see half of a change, so one lock is held for the one as for the other ([`without_own`]).

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::own_mark::OwnMark;
use crate::sync::lock;

/// Held while the figures change, and while they are read together with the process's.
static CHANGES: Mutex<OwnMark> = Mutex::new(OwnMark::new());
/// Resident bytes of our own heap.
static HEAP: AtomicU64 = AtomicU64::new(0);
/// By how much RSS rose at the start, without what is in `HEAP`.
static START: AtomicU64 = AtomicU64::new(0);
/// Page faults that made pages of `HEAP` resident.
static FAULTS: AtomicU64 = AtomicU64::new(0);
/// Page faults of our own threads while the recorder started.
static START_FAULTS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Those of the calling thread. Without a destructor, so that the allocator can use it at any moment.
    static OWN_FAULTS: Cell<u64> = const { Cell::new(0) };
}

/// What is memprof's own at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OwnMemory {
    /// Resident bytes of its heap.
    pub heap: u64,
    /// What came with the start: stacks, code, tables.
    pub start: u64,
    /// Page faults of the process that made pages of its heap resident.
    pub faults: u64,
}

impl OwnMemory {
    /// What is memprof's own now.
    pub(crate) fn now() -> OwnMemory {
        OwnMemory {
            heap: HEAP.load(Relaxed),
            start: START.load(Relaxed),
            faults: FAULTS.load(Relaxed),
        }
    }

    /// Bytes of RSS.
    pub(crate) fn rss(self) -> u64 {
        self.heap + self.start
    }
}

/// Page faults that made pages of our heap resident, of the calling thread.
pub(crate) fn faults_of_this_thread() -> u64 {
    OWN_FAULTS.with(Cell::get)
}

/// Reads something of the process's memory, and gives it with what was memprof's own at that moment.
pub(crate) fn without_own<T>(read: impl FnOnce() -> T) -> (T, OwnMemory) {
    let _unchanged = lock(&CHANGES);
    (read(), OwnMemory::now())
}

/// The program's part of the kernel's high-water mark, which `read` gives as `getrusage` tells it, and what is memprof's
/// own.
#[cfg(target_os = "linux")]
pub(super) fn mark_without_own<T>(
    read: impl FnOnce() -> Option<(u64, T)>,
) -> Option<(u64, T, OwnMemory)> {
    let mut mark = lock(&CHANGES);
    let (bytes, more) = read()?;
    let own = OwnMemory::now();
    Some((mark.look(bytes, own.rss()), more, own))
}

/// The same of the mark in `/proc/self/status`.
#[cfg(target_os = "linux")]
pub(super) fn exact_mark_without_own(
    read: impl FnOnce() -> std::io::Result<u64>,
) -> std::io::Result<u64> {
    let mark = lock(&CHANGES);
    read().map(|bytes| mark.program_part(bytes, OwnMemory::now().rss()))
}

/// Runs `reset`, which sets the mark to the present RSS.
#[cfg(target_os = "linux")]
pub(super) fn resetting_mark<T>(reset: impl FnOnce() -> T) -> T {
    let mut mark = lock(&CHANGES);
    mark.begin_anew();
    reset()
}

/// Runs `work`, which changes what is resident of our own.
#[cfg(target_os = "linux")]
fn changing<T>(work: impl FnOnce() -> T) -> T {
    let mut mark = lock(&CHANGES);
    if let Some(counts) = super::procfs::counts() {
        mark.look(counts.max_rss, OwnMemory::now().rss());
    }
    work()
}

/// RSS rose by `bytes` while the recorder started, our heap left out.
pub(crate) fn note_start(bytes: u64) {
    let mut mark = lock(&CHANGES);
    mark.begin_anew();
    START.store(bytes, Relaxed);
}

/// The calling thread is ours, and has begun.
pub(crate) fn own_thread_has_begun() {
    #[cfg(target_os = "linux")]
    START_FAULTS.fetch_add(super::procfs::thread_faults().unwrap_or(0), Relaxed);
}

/// Page faults of our own threads while the recorder started.
pub(crate) fn faults_of_own_threads() -> u64 {
    START_FAULTS.load(Relaxed)
}

/// Reserves addresses for our heap: pages that are not there until [`make_usable`] and [`make_resident`]. `None` where
/// the system has none to spare, or is not Linux.
pub(crate) fn reserve(bytes: usize) -> Option<*mut u8> {
    #[cfg(target_os = "linux")]
    return super::procfs::reserve(bytes);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bytes;
        None
    }
}

/// Lets the reserved pages from `begin` be read and written. `false` if the system refuses.
///
/// # Safety
/// The pages are part of what [`reserve`] gave.
pub(crate) unsafe fn make_usable(begin: *mut u8, bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's promise is passed on.
    return unsafe { super::procfs::make_usable(begin, bytes) };
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (begin, bytes);
        false
    }
}

/// Makes pages resident, and counts them as our own.
///
/// # Safety
/// The pages are usable ones of ours, nobody else has them, and none is resident.
pub(crate) unsafe fn make_resident(begin: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    changing(|| {
        let before = super::procfs::thread_faults();
        // SAFETY: the caller's promise is passed on.
        unsafe { super::procfs::touch(begin, bytes) };
        let after = super::procfs::thread_faults();
        let faults = before
            .zip(after)
            .map_or(0, |(before, after)| after - before);
        HEAP.fetch_add(bytes as u64, Relaxed);
        FAULTS.fetch_add(faults, Relaxed);
        OWN_FAULTS.with(|own| own.set(own.get() + faults));
    });
    #[cfg(not(target_os = "linux"))]
    let _ = (begin, bytes);
}

/// Gives resident pages back to the system. They stay usable. `false` if the system refuses: they stay resident.
///
/// # Safety
/// [`make_resident`] has been called for them, and what is in them is not needed.
pub(crate) unsafe fn give_back(begin: *mut u8, bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    return changing(|| {
        // SAFETY: the caller's promise is passed on.
        let given = unsafe { super::procfs::give_back(begin, bytes) };
        if given {
            HEAP.fetch_sub(bytes as u64, Relaxed);
        }
        given
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (begin, bytes);
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ptr;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;
    use crate::os::Os;
    use crate::os::own_process::alone;

    const BYTES: usize = 4 << 20;

    #[test]
    fn own_pages_come_and_go_without_a_trace_in_readings() {
        alone(|| {
            let mut os = Os::open(None).expect("this process can be read");
            let mut figures = move || {
                let counts = os.counts().expect("counted");
                let thread = os.thread_faults().expect("counted");
                (os.rss().expect("read"), counts.faults, thread)
            };
            // The first reading runs code for the first time.
            figures();
            let (before, heap) = (figures(), OwnMemory::now().heap);
            let begin = reserve(BYTES).expect("addresses");
            // SAFETY: just reserved.
            assert!(unsafe { make_usable(begin, BYTES) });
            // SAFETY: usable, and nobody else's.
            unsafe { make_resident(begin, BYTES) };
            assert_eq!(OwnMemory::now().heap, heap + BYTES as u64);
            // A fault may bring 128 KiB of code.
            let near = |now: (u64, u64, u64)| {
                let far = now.0.abs_diff(before.0) > 512 << 10;
                let faults = [now.1 - before.1, now.2 - before.2];
                assert!(
                    !far && faults.iter().all(|&more| more < 16),
                    "{now:?} {before:?}"
                );
            };
            near(figures());
            // SAFETY: resident, and empty.
            assert!(unsafe { give_back(begin, BYTES) });
            assert_eq!(OwnMemory::now().heap, heap);
            near(figures());
        });
    }

    /// What is read of the mark is the program's part.
    #[test]
    fn own_pages_that_come_and_go_are_in_no_peak() {
        alone(|| {
            let mut os = Os::open(None).expect("this process can be read");
            os.reset_high_water().expect("reset");
            let (rss, begun) = (
                os.rss().expect("read"),
                os.counts().expect("counted").max_rss,
            );
            let own = reserve(BYTES).expect("addresses");
            // SAFETY: just reserved.
            assert!(unsafe { make_usable(own, BYTES) });
            // SAFETY: usable, and nobody else's.
            unsafe { make_resident(own, BYTES) };
            // SAFETY: resident, and empty.
            assert!(unsafe { give_back(own, BYTES) });
            let near = |bytes: u64, right: u64| bytes.abs_diff(right) < 1 << 20;
            let (mark, counted) = (
                os.high_water().expect("read"),
                os.counts().expect("counted").max_rss,
            );
            assert!(near(mark, rss), "{mark} {rss}");
            assert!(near(counted, begun), "{counted} {begun}");
            // Above everything from before this process's `exec`: `getrusage` tells of the whole test program, too.
            let high = std::hint::black_box(vec![1_u8; begun as usize + 16 * BYTES]);
            let (now, counted) = (
                os.rss().expect("read"),
                os.counts().expect("counted").max_rss,
            );
            let right = now.max(begun);
            assert!(
                near(counted, right),
                "{counted}: {begun} before, {now} with {}",
                high.len()
            );
        });
    }

    #[test]
    fn own_pages_a_reading_sees_no_half_of_a_change() {
        alone(|| {
            let mut os = Os::open(None).expect("this process can be read");
            let begin = reserve(BYTES).expect("addresses");
            // SAFETY: just reserved.
            assert!(unsafe { make_usable(begin, BYTES) });
            let address = begin.expose_provenance();
            let done = AtomicBool::new(false);
            // Kept in figures, not in lists: a list that grows is memory, too.
            let (mut readings, mut least, mut most, mut faults) = (0, u64::MAX, 0, 0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let begin = ptr::with_exposed_provenance_mut(address);
                    for _ in 0..50 {
                        // SAFETY: usable pages of ours, of which none is resident.
                        unsafe { make_resident(begin, BYTES) };
                        // SAFETY: resident, and empty.
                        assert!(unsafe { give_back(begin, BYTES) });
                    }
                    done.store(true, Relaxed);
                });
                while !done.load(Relaxed) {
                    let rss = os.rss().expect("read");
                    (least, most, readings) = (rss.min(least), rss.max(most), readings + 1);
                    let now = os.counts().expect("counted").faults;
                    assert!(now >= faults, "{now} after {faults}");
                    faults = now;
                }
            });
            let apart = most - least;
            assert!(apart < 1 << 20, "{apart} in {readings} readings");
        });
    }
}
