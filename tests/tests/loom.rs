//! The lock-free list of the heap counters' blocks, under every order of events in which a thread is
//! interrupted a bounded number of times: without a bound the orders are too many to try.

/// The atomics that the file below builds on: loom's.
mod sync {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering};
}

#[allow(dead_code)] // The allocator uses all of it.
#[path = "../../profile-runtime/src/heap/block.rs"]
mod block;

use std::ptr;

use block::{Counters, Counts, List};

/// Threads that come, count and go: no block is owned by two at a time, none is lost, and the sums
/// are exact in the end.
fn explore(threads: usize, rounds: usize, interruptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(move || {
        let list = loom::sync::Arc::new(List {
            newest: sync::AtomicPtr::new(ptr::null_mut()),
        });
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let list = list.clone();
                loom::thread::spawn(move || {
                    for _ in 0..rounds {
                        let block = list.claim().expect("memory");
                        block.count_allocation(16);
                        block.count_free(6);
                        List::give_back(block);
                    }
                })
            })
            .collect();
        for handle in handles {
            handle.join().expect("no panic");
        }
        let sum = list.blocks().map(Counters::counts).reduce(Counts::plus);
        let sum = sum.expect("a block");
        let expected = (threads * rounds) as u64;
        assert_eq!(
            (sum.allocated, sum.freed, sum.allocations),
            (16 * expected, 6 * expected, expected)
        );
        assert!(list.blocks().count() <= threads);
    });
}

#[test]
fn two_threads_that_come_twice() {
    explore(2, 2, 3);
}

#[test]
fn three_threads() {
    explore(3, 1, 2);
}
