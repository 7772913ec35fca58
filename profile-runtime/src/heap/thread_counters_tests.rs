//! Tests of the counters of threads. They have a file of their own, because the loom test includes
//! `thread_counters.rs`, and outside of a model loom has no atomics.

use std::ptr;

use super::thread_counters::{CounterList, ThreadCounters};
use crate::counters::atomics::AtomicPtr;
use crate::counters::counts::Counts;

fn list() -> CounterList {
    CounterList {
        newest: AtomicPtr::new(ptr::null_mut()),
    }
}

#[test]
fn thread_counters_live_bytes_are_what_was_allocated_less_what_was_freed_and_may_be_below_zero() {
    let counters = ThreadCounters::new();
    assert_eq!(counters.count_allocation(100), 100);
    assert_eq!(counters.count_growth(20), 120);
    counters.count_free(150);
    assert_eq!(counters.live(), -30);
    let expected = Counts {
        allocated: 120,
        freed: 150,
        allocations: 1,
    };
    assert_eq!(counters.counts(), expected);
}

#[test]
fn thread_counters_the_highest_live_bytes_begin_anew_where_they_are_set() {
    let counters = ThreadCounters::new();
    counters.count_allocation(100);
    counters.count_free(60);
    counters.count_growth(10);
    assert_eq!(counters.high(), 100);
    counters.set_high(counters.live());
    counters.count_growth(5);
    counters.count_free(30);
    counters.count_allocation(20);
    assert_eq!(counters.high(), 55);
}

#[test]
fn thread_counters_a_block_that_was_given_back_goes_to_the_next_thread_with_its_sums() {
    let list = list();
    let first = list.claim().expect("there is memory");
    let second = list.claim().expect("there is memory");
    assert!(!ptr::eq(first, second));
    first.count_allocation(7);
    CounterList::give_back(first);
    let third = list.claim().expect("there is memory");
    assert!(ptr::eq(first, third));
    assert_eq!(third.counts().allocated, 7);
    assert_eq!(list.blocks().count(), 2);
}

#[test]
fn thread_counters_blocks_are_visited_newest_first() {
    let list = list();
    assert_eq!(list.blocks().count(), 0);
    let claimed = [list.claim(), list.claim(), list.claim()];
    let claimed: Vec<_> = claimed
        .iter()
        .flatten()
        .map(|&block| ptr::from_ref(block))
        .collect();
    let mut visited: Vec<_> = list.blocks().map(ptr::from_ref).collect();
    visited.reverse();
    assert_eq!(visited, claimed);
}
