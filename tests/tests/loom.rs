//! What is lock-free, under every order of events in which a thread is interrupted a bounded number of
//! times: without a bound the orders are too many to try.

/// What the files below import, with loom's atomics.
mod counters {
    pub(crate) use crate::{counts, current_line, static_cell};

    pub(crate) mod atomics {
        pub(crate) use loom::sync::atomic::{
            AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence,
        };

        pub(crate) fn add(counter: &AtomicU64, amount: u64) {
            let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
            counter.store(sum, Ordering::Relaxed);
        }
    }
}

#[allow(dead_code)] // The allocator uses all of it.
#[path = "../../profile-runtime/src/counters/counts.rs"]
mod counts;

#[allow(dead_code)] // The allocator uses all of it.
#[path = "../../profile-runtime/src/heap/thread_counters.rs"]
mod thread_counters;

#[allow(dead_code)] // The threads' recorders use all of it.
#[path = "../../profile-runtime/src/counters/current_line.rs"]
mod current_line;

#[allow(dead_code)] // The threads' recorders use all of it.
#[path = "../../profile-runtime/src/counters/counted_calls.rs"]
mod counted_calls;

#[path = "../../profile-runtime/src/counters/static_cell.rs"]
mod static_cell;

#[allow(dead_code)] // The totals use all of it.
#[path = "../../profile-runtime/src/counters/hits.rs"]
mod hits;

use std::ptr;

use counted_calls::{CallStart, CountedCalls, Position};
use counts::Counts;
use hits::Hits;
use thread_counters::{CounterList, ThreadCounters};

/// All that is looked at happens on threads that `orders` starts: what its own thread does is not tried in
/// every order (loom 0.7.2).
fn explore(interruptions: usize, orders: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(orders);
}

/// Threads that come, count and go: no block is owned by two at a time, none is lost, and the sums
/// are exact in the end.
fn count(threads: usize, rounds: usize, interruptions: usize) {
    explore(interruptions, move || {
        let list = loom::sync::Arc::new(CounterList {
            newest: counters::atomics::AtomicPtr::new(ptr::null_mut()),
        });
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let list = list.clone();
                loom::thread::spawn(move || {
                    for _ in 0..rounds {
                        let block = list.claim().expect("memory");
                        block.count_allocation(16);
                        block.count_free(6);
                        CounterList::give_back(block);
                    }
                })
            })
            .collect();
        for handle in handles {
            handle.join().expect("no panic");
        }
        let sum = list
            .blocks()
            .map(ThreadCounters::counts)
            .reduce(Counts::plus);
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
    count(2, 2, 3);
}

#[test]
fn three_threads() {
    count(3, 1, 2);
}

/// A call of the site `number`, which counts on the cells of the same number.
fn call(number: &'static u64) -> CallStart<u64, u64> {
    CallStart {
        site: number,
        counters: number,
        panicking: false,
        call_id: 0,
        heap: Counts {
            allocated: *number,
            ..Counts::default()
        },
    }
}

fn at(line: Option<&'static u64>) -> Position<u64> {
    Position {
        line,
        ..Position::NOWHERE
    }
}

/// Whoever looks at the counted calls of a thread at work sees calls that were in progress at one moment,
/// each at a line of its own.
#[test]
fn calls_seen_from_another_thread_belong_together() {
    static SITES: [u64; 2] = [10, 20];
    // Where each of them is before its line, and its line.
    static LINES: [[u64; 2]; 2] = [[11, 12], [21, 22]];
    let [first, second] = &SITES;
    let [of_first, of_second] = &LINES;
    explore(1, move || {
        let counted = loom::sync::Arc::new(CountedCalls::with_room_for(1, 0));
        let depth = counted
            .push(call(first), &of_first[0], || at(None))
            .expect("room");
        counted.current_line.begin(&of_first[1]);
        let owner = counted.clone();
        let work = loom::thread::spawn(move || {
            owner.current_line.touch(|| 5, |_| ());
            let top = owner.top(depth).expect("the innermost");
            owner.pop(depth, top, 0);
            owner
                .push(call(second), &of_second[0], || at(None))
                .expect("room");
            owner.current_line.begin(&of_second[1]);
        });
        let look = loom::thread::spawn(move || {
            if let Some(look) = counted.look_if_still() {
                let calls = look.counted.iter();
                let seen: Vec<(u64, Option<u64>)> = calls
                    .map(|(call, line)| (*call.site, line.line.copied()))
                    .collect();
                for (call, _) in &look.counted {
                    assert_eq!(
                        (call.site, call.heap.allocated),
                        (call.counters, *call.site)
                    );
                }
                assert!(
                    matches!(seen[..], [] | [(10, Some(12))] | [(20, Some(21 | 22))]),
                    "{seen:?}"
                );
            }
        });
        look.join().expect("no panic");
        work.join().expect("no panic");
    });
}

/// Whoever looks at a line's hits sees a number that it had, and never fewer than before, also while its
/// next turn is set.
#[test]
fn hits_seen_from_another_thread_only_grow() {
    explore(2, || {
        let hits = loom::sync::Arc::new(Hits::default());
        let owner = hits.clone();
        let work = loom::thread::spawn(move || {
            assert_eq!(owner.count(), -1, "the first is a turn");
            owner.measure_after(3);
            assert_eq!(owner.count(), 1);
            owner.measure_after(1);
            assert!(!owner.is_measurement_due());
            assert_eq!(owner.count(), -1);
        });
        let other = hits.clone();
        let look = loom::thread::spawn(move || {
            let seen = [other.seen(), other.seen()];
            let known: Vec<u64> = seen.into_iter().flatten().collect();
            assert!(
                known.is_sorted() && known.iter().all(|&hits| hits <= 3),
                "{known:?}"
            );
        });
        look.join().expect("no panic");
        work.join().expect("no panic");
        assert_eq!(hits.seen(), Some(3));
    });
}
