use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::os::own_process::alone;

/// The calling thread allocates a block of so many bytes.
fn allocate(bytes: usize) {
    count(bytes, |counters, _, bytes| {
        counters.count_allocation(bytes);
    });
}

fn allocated() -> Option<u64> {
    of_this_thread().map(|counters| counters.counts().allocated)
}

fn by_all() -> u64 {
    of_all_threads().map_or(0, |counts| counts.allocated)
}

#[test]
fn this_thread_nothing_is_known_of_the_heap_until_somebody_counts() {
    alone(|| {
        assert!(without_counting(|| !is_counted()));
        assert!(of_this_thread().is_none() && of_all_threads().is_none());
        allocate(0);
        assert!(is_counted());
        assert!(of_this_thread().is_some() && of_all_threads().is_some());
    });
}

#[test]
fn this_thread_what_is_done_without_counting_is_outside_the_figures() {
    alone(|| {
        allocate(1);
        let result = without_counting(|| {
            allocate(100);
            without_counting(|| allocate(100));
            allocate(100);
            assert!(of_this_thread().is_none());
            7
        });
        allocate(2);
        assert_eq!((result, allocated(), by_all()), (7, Some(3), 3));
    });
}

#[test]
fn this_thread_what_is_freed_while_rss_is_read_was_being_freed() {
    alone(|| {
        allocate(300);
        let counters = of_this_thread().expect("it has allocated");
        counters.count_free(100);
        let before = of_all_threads().map_or(0, |counts| counts.freed);
        counters.begin_free(150);
        assert_eq!(pending_frees(before).being_freed, 150);
        counters.end_free(150);
        counters.count_free(150);
        assert_eq!(pending_frees(before).being_freed, 150);
        assert_eq!(pending_frees(250).being_freed, 0);
    });
}

#[test]
fn this_thread_counting_goes_on_after_a_panic_in_without_counting() {
    alone(|| {
        allocate(1);
        let result = catch_unwind(|| without_counting(|| panic!("as the test wants it")));
        assert!(result.is_err());
        allocate(2);
        assert_eq!(allocated(), Some(3));
    });
}

#[test]
fn this_thread_a_thread_whose_first_work_is_ours_is_counted_from_then_on() {
    alone(|| {
        allocate(1);
        let elsewhere = thread::spawn(|| {
            assert_eq!(allocated(), None);
            without_counting(|| allocate(100));
            allocate(2);
            allocated()
        });
        let elsewhere = elsewhere.join().expect("no panic");
        assert_eq!(elsewhere, Some(2));
        assert_eq!(by_all(), 3);
    });
}

#[test]
fn this_thread_threads_at_once_have_counters_of_their_own_and_the_next_goes_on_with_those_of_one_that_ended()
 {
    alone(|| {
        allocate(1);
        for _ in 0..3 {
            let next = thread::spawn(|| {
                allocate(10);
                of_this_thread().map(|counters| ptr::from_ref(counters).addr())
            });
            let next = next.join().expect("no panic");
            assert_ne!(next, of_this_thread().map(|own| ptr::from_ref(own).addr()));
        }
        assert_eq!((COUNTERS.blocks().count(), by_all()), (2, 31));
    });
}

#[test]
fn this_thread_a_destructor_that_runs_after_the_counters_were_given_back_is_counted_all_the_same() {
    struct Late(mpsc::Sender<Option<u64>>);
    impl Drop for Late {
        fn drop(&mut self) {
            allocate(5);
            let _ = self.0.send(allocated());
        }
    }
    thread_local! {
        static LATE: Cell<Option<Late>> = const { Cell::new(None) };
    }
    alone(|| {
        allocate(1);
        let (late, heard) = mpsc::channel();
        thread::spawn(|| {
            // Destructors run in the order in which they were registered, or the other way round.
            LATE.set(Some(Late(late.clone())));
            allocate(10);
            LATE.set(Some(Late(late)));
        })
        .join()
        .expect("no panic");
        assert_eq!(heard.iter().count(), 2);
        assert_eq!((COUNTERS.blocks().count(), by_all()), (2, 21));
        assert!(
            COUNTERS.claim().is_some() && COUNTERS.blocks().count() == 2,
            "given back"
        );
    });
}
