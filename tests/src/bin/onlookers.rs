//! Threads on a hot path, in calls that take no lock, while another thread takes snapshots all the time.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use memprof::run::{Outcome, Run};
use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

const THREADS: u64 = 3;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let rounds: u64 = rounds.expect("the number of rounds");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| look_on(&over));
        let work: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| outer(rounds)))
            .collect();
        for work in work {
            work.join().expect("no panic");
        }
        over.store(true, Relaxed);
        println!("{} looks", looks.join().expect("no panic"));
    });
}

fn look_on(over: &AtomicBool) -> u64 {
    let (mut looks, mut calls) = (0, 0);
    while !over.load(Relaxed) {
        let Some(run) = memprof::snapshot() else {
            continue;
        };
        check(&run);
        let now = run.functions.iter().map(|profile| profile.calls).sum();
        assert!(now >= calls, "{now} calls after {calls}");
        calls = now;
        looks += 1;
    }
    looks
}

fn check(run: &Run) {
    for profile in &run.functions {
        let running = profile.call_records.iter();
        let running = running.filter(|call| call.outcome == Outcome::Running);
        let deepest = if profile.label == "recurse" { 40 } else { 1 };
        assert!(
            running.count() as u64 <= deepest * THREADS,
            "{}",
            profile.name
        );
    }
}

#[profile_memory(interval_ms = 1)]
fn outer(rounds: u64) {
    for round in 0..rounds {
        black_box(inner(round));
        if round % 100 == 0 {
            recurse(40);
        }
    }
}

#[profile_memory]
fn inner(round: u64) -> u64 {
    let boxed = black_box(Box::new(round));
    *boxed + 1
}

/// Deeper than there is room for counted calls.
#[profile_memory]
fn recurse(depth: u64) {
    if depth > 1 {
        recurse(depth - 1);
    }
}
