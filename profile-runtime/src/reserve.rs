//! What is set aside for the reports of a program that runs out of memory, and whether they can be
//! written.
//!
//! A program without a limit on its memory pays nothing. With a limit on a control group the reserve's
//! pages are there from before the program's first line; with one on the address space it has none. It is
//! given back right before the reports are written. Figures leave it out, while it is there and when it goes.

use std::sync::Mutex;

use crate::meter::Meter;
use crate::os::leave_out;
use crate::os::limits::Limits;
use crate::os::reserve::{self, Reserve};

/// What reports of a few functions take, with all that is held at once: measured, and doubled. See the
/// test `the_reports_fit_into_the_reserve`.
const REPORTS: usize = 4 << 20;
/// For each function of the run: its figures, its samples, its calls, in all forms that they take.
const FUNCTION: usize = 128 << 10;
/// The part of a limit that is set aside, at most.
const PART: u64 = 32;

/// The process's reserve.
#[derive(Debug, Default)]
pub(crate) struct Reserves {
    held: Mutex<Option<Reserve>>,
}

impl Reserves {
    /// Sets memory aside if a limit asks for it.
    pub(crate) fn set_aside(&self, limits: &Limits) {
        let Some(limit) = limits.lowest() else { return };
        let bytes = (REPORTS as u64).min(limit / PART) as usize;
        let reserve = Reserve::new(bytes, limits.counts_pages());
        leave_out(reserve.as_ref().map_or(0, Reserve::resident_bytes));
        *crate::lock(&self.held) = reserve;
    }

    /// After [`release`](Reserves::release): sets aside again what costs no pages.
    pub(crate) fn set_aside_again(&self, limits: &Limits) {
        if limits.lowest().is_some() && !limits.counts_pages() {
            self.set_aside(limits);
        }
    }

    /// Gives it back, for what is allocated next.
    pub(crate) fn release(&self, meter: &Meter) {
        let Some(reserve) = crate::lock(&self.held).take() else {
            return;
        };
        if !reserve.resident {
            return;
        }
        meter.give_back(|| {
            drop(reserve);
            leave_out(0);
        });
    }

    /// Bytes that it adds to the process's RSS.
    pub(crate) fn bytes(&self) -> u64 {
        let held = crate::lock(&self.held);
        held.as_ref().map_or(0, Reserve::resident_bytes)
    }
}

/// What the reports of a run with so many functions take, about.
pub(crate) fn needed(functions: usize) -> usize {
    REPORTS / 2 + functions.saturating_mul(FUNCTION)
}

/// Whether reports of so many functions can be written: if the system does not give what they take, the
/// program would abort.
pub(crate) fn is_enough_for(functions: usize) -> bool {
    reserve::can_be_had(needed(functions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{self, RunFolder, fixture};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        /// Bytes that this thread holds, and the most that it held; `None` while nobody wants to know.
        static HELD: Cell<Option<(isize, isize)>> = const { Cell::new(None) };
    }

    struct Measuring;

    #[global_allocator]
    static ALLOCATOR: Measuring = Measuring;

    fn book(change: isize) {
        // The thread may be on its way out.
        let _ = HELD.try_with(|held| {
            if let Some((now, most)) = held.get() {
                held.set(Some((now + change, most.max(now + change))));
            }
        });
    }

    // SAFETY: everything is passed on to the system's allocator.
    unsafe impl GlobalAlloc for Measuring {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            book(layout.size() as isize);
            // SAFETY: as the caller promised.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            book(-(layout.size() as isize));
            // SAFETY: as the caller promised.
            unsafe { System.dealloc(block, layout) }
        }
    }

    /// What is held at most while `run` is copied and its reports are written.
    fn held_for(run: &crate::run::Run) -> usize {
        let root = tempfile::tempdir().unwrap();
        HELD.set(Some((0, 0)));
        let copy = run.clone();
        report::write(&copy, root.path(), &RunFolder::new()).unwrap();
        let (_, most) = HELD.take().unwrap();
        most as usize
    }

    #[test]
    fn the_reports_fit_into_the_reserve() {
        for run in [fixture::inverse(), fixture::crowd(8, 800)] {
            let held = held_for(&run);
            println!("{} functions: {held} bytes", run.functions.len());
            assert!(2 * held < REPORTS, "{held}");
        }
    }

    #[test]
    fn what_is_needed_covers_runs_of_many_functions() {
        for run in [fixture::crowd(100, 10_000), fixture::large()] {
            let functions = run.functions.len();
            let held = held_for(&run);
            println!("{functions} functions: {held} bytes");
            assert!(held < needed(functions), "{held}");
        }
    }
}
