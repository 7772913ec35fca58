//! Asks before anything is written whether there is memory for it: an allocation that fails aborts the program.

use crate::os;

/// Bytes that reports of a few functions take, with everything that is held at once: measured, and doubled (see the
/// tests).
const REPORTS: usize = 4 << 20;
/// Bytes for each function of the run: its figures, samples and calls, in all their forms.
const FUNCTION: usize = 128 << 10;
/// Bytes that an entry of the journal takes at most, unless there are very many functions.
const ENTRY: usize = 4 << 20;
/// An entry of fewer functions fits into memory that the allocator already holds for it (`journal`).
const FEW: usize = 32;

/// Whether there is memory for the reports of so many functions.
pub(super) fn is_enough_for_reports(functions: usize) -> bool {
    os::can_be_had(needed(functions))
}

/// Whether there is memory for an entry of so many functions.
pub(super) fn is_enough_for_entry(functions: usize) -> bool {
    functions < FEW || os::can_be_had(ENTRY)
}

/// About how many bytes the reports of a run with so many functions take.
fn needed(functions: usize) -> usize {
    REPORTS / 2 + functions.saturating_mul(FUNCTION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use memprof_report::{RunFolder, fixture};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        /// Bytes that this thread holds, and the most that it held; `None` while that is not measured.
        static HELD: Cell<Option<(isize, isize)>> = const { Cell::new(None) };
    }

    struct Measuring;

    #[global_allocator]
    static ALLOCATOR: Measuring = Measuring;

    fn count(change: isize) {
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
            count(layout.size() as isize);
            // SAFETY: as the caller promised.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            count(-(layout.size() as isize));
            // SAFETY: as the caller promised.
            unsafe { System.dealloc(block, layout) }
        }
    }

    /// What is held at most while `run` is copied and its reports are written.
    fn held_for(run: &memprof_model::run::Run) -> usize {
        let root = tempfile::tempdir().unwrap();
        HELD.set(Some((0, 0)));
        let copy = run.clone();
        memprof_report::write(&copy, root.path(), &RunFolder::new()).unwrap();
        let (_, most) = HELD.take().unwrap();
        most as usize
    }

    #[test]
    fn room_for_reports_of_few_functions_is_twice_what_they_take() {
        for run in [fixture::inverse(), fixture::crowd(8, 800)] {
            let held = held_for(&run);
            println!("{} functions: {held} bytes", run.functions.len());
            assert!(2 * held < REPORTS, "{held}");
        }
    }

    #[test]
    fn room_for_reports_covers_runs_of_many_functions() {
        for run in [fixture::crowd(100, 10_000), fixture::large()] {
            let functions = run.functions.len();
            let held = held_for(&run);
            println!("{functions} functions: {held} bytes");
            assert!(held < needed(functions), "{held}");
        }
    }

    #[test]
    fn room_reports_of_few_functions_can_be_made_and_those_of_more_than_any_machine_holds_cannot() {
        assert!(is_enough_for_reports(10));
        assert!(!is_enough_for_reports(1 << 40));
    }

    #[test]
    fn room_what_reports_need_grows_with_the_functions() {
        assert_eq!(needed(0), REPORTS / 2);
        assert_eq!(needed(1_000) - needed(0), 1_000 * FUNCTION);
    }

    #[test]
    fn room_an_entry_can_be_made() {
        assert!(is_enough_for_entry(0) && is_enough_for_entry(FEW - 1) && is_enough_for_entry(FEW));
    }
}
