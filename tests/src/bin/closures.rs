//! Closures and async blocks inside annotated functions, on the calling thread and on others: see
//! `memprof_tests::truth` for the comments.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;

use memprof::{CountingAllocator, profile_memory};
use memprof_tests::mapping::Mapping;
use memprof_tests::{MIB, yield_now};
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    drop((Mapping::new(MIB), Mapping::untouched(MIB)));
    own_thread();
    through_another();
    scoped();
    parallel();
    let mut future = pin!(futures());
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {}
}

/// Run by an iterator, right from the line that made it.
#[profile_memory]
fn own_thread() {
    let kept: Vec<Mapping> = (1..=3)
        .map(|size| {
            drop(Mapping::new(8 * MIB)); //= hits 3 net 0 peak 8
            Mapping::new(size * MIB) //= hits 3 net 6 peak 3
        })
        .collect();
    drop(kept); //= hits 1 net -6
}

/// Run by another annotated function: booked on its own lines, once.
#[profile_memory]
fn through_another() {
    let mut kept = Vec::new();
    calls_three_times(|| {
        drop(Mapping::new(4 * MIB)); //= hits 3 net 0 peak 4
        kept.push(Mapping::new(2 * MIB)); //= hits 3 net 6 peak 2
    });
    drop(kept); //= hits 1 net -6
}

#[profile_memory]
fn calls_three_times(mut work: impl FnMut()) {
    let own = Mapping::new(MIB); //= hits 1 net 1 peak 1
    for _ in 0..3 {
        work(); //= hits 3 net 6 peak 4
    }
    drop(own); //= hits 1 net -1
}

/// Threads: what they do on the heap is theirs.
#[profile_memory]
fn scoped() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let bytes = black_box(vec![1_u8; 1_000]); //= worker_hits 4 worker_allocated 4000
                drop(bytes); //= worker_hits 4 worker_freed 4000
            });
        }
    });
}

/// A pool that takes the calling thread along, or not: together each line ran once an item.
#[profile_memory]
fn parallel() {
    let sum: usize = (0..1_000_usize)
        .into_par_iter()
        .map(|item| {
            let text = black_box(item.to_string()); //= all_hits 1000 all_allocations 1000
            text.len() //= all_hits 1000
        })
        .sum();
    assert_eq!(sum, 10 + 90 * 2 + 900 * 3);
}

/// An async block that is awaited, and the function around it.
#[profile_memory]
async fn futures() {
    let before = Mapping::new(3 * MIB); //= hits 1 net 3 peak 3
    let made = async {
        let inside = Mapping::new(5 * MIB); //= hits 1 net 5 peak 5
        yield_now().await;
        drop(Mapping::new(7 * MIB)); //= hits 1 net 0 peak 7
        inside
    };
    let made = made.await;
    yield_now().await;
    drop((before, made)); //= hits 1 net -8
}
