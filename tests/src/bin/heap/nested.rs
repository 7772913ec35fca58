//! Calls inside of calls: what each line did by itself, and what calls of one function did together.

use std::hint::black_box;

use memprof::profile_memory;

const MIB: usize = 1 << 20;

/// How often what is called often is called: most of these calls take no reading.
const OFTEN: usize = 1_000;

pub(crate) fn run() {
    black_box(caller());
    let mut kept = Vec::with_capacity(10);
    recursion(10, &mut kept);
    black_box(&kept);
    ping(6);
    let shared: &&&&Worker = &&&&Worker;
    for _ in 0..OFTEN {
        black_box(shared.work());
        branch(4);
        hand_on();
    }
    visitor();
    measured();
}

#[profile_memory]
fn caller() -> Vec<u8> {
    let own = black_box(vec![0_u8; 5_000]); //= allocated 5000 peak_heap 5000 self_allocated 5000 self_peak 5000
    let kept = callee(); //= allocated 71000 freed 70000 peak_heap 71000 self_allocated 0 self_freed 0 self_peak 0
    let more = black_box(vec![0_u8; 300]); //= allocated 300 peak_heap 300 self_allocated 300 self_peak 5300
    drop((own, more)); //= freed 5300 self_freed 5300 self_peak 0
    kept
}

#[profile_memory]
fn callee() -> Vec<u8> {
    let kept = black_box(vec![0_u8; 1_000]); //= allocated 1000 self_allocated 1000 self_allocations 1
    drop(black_box(vec![0_u8; 70_000])); //= allocated 70000 self_allocated 70000 self_freed 70000 self_peak 71000
    kept
}

/// Keeps 10 MiB, 1 MiB in each call.
#[profile_memory]
fn recursion(calls: usize, kept: &mut Vec<Vec<u8>>) {
    kept.push(black_box(vec![1_u8; MIB])); //= hits 10 allocated 10485760 peak_heap 1048576 self_peak 1048576
    if calls > 1 {
        recursion(calls - 1, kept); //= hits 9 allocated 0 freed 0 peak_heap 9437184 self_peak 0
    }
}

/// `ping` and `pong` call each other: 3 calls of each.
#[profile_memory]
fn ping(calls: usize) {
    let own = black_box(vec![0_u8; 100]); //= hits 3 allocated 300 self_allocated 300
    if calls > 1 {
        pong(calls - 1); //= hits 3 allocated 3000 freed 3000 self_allocated 0
    }
    drop(own); //= freed 300 self_freed 300
}

#[profile_memory]
fn pong(calls: usize) {
    let own = black_box(vec![0_u8; 1_000]); //= hits 3 allocated 3000 self_allocated 3000 self_peak 1000
    if calls > 1 {
        ping(calls - 1); //= hits 2 allocated 200 freed 200 self_allocated 0
    }
    drop(own); //= freed 3000 self_freed 3000
}

trait Work {
    fn work(&self) -> Vec<u8>;
}

struct Worker;

impl Work for Worker {
    #[profile_memory]
    fn work(&self) -> Vec<u8> {
        black_box(vec![0_u8; 50]) //= hits 1000 allocated 50000 self_allocated 50000 self_peak 50
    }
}

/// Through three references this is three calls, the innermost of which calls the worker.
impl<W: Work + ?Sized> Work for &W {
    #[profile_memory(name = "blanket")]
    fn work(&self) -> Vec<u8> {
        (**self).work() //= hits 3000 allocated 50000 freed 0 peak_heap 50 self_allocated 0 self_peak 0
    }
}

/// A tree of 15 calls.
#[profile_memory]
fn branch(height: usize) {
    let own = black_box(vec![0_u8; 10]); //= hits 15000 allocated 150000 peak_heap 10 self_allocated 150000 self_peak 10
    for _ in 0..2 {
        if height > 1 {
            branch(height - 1); //= hits 14000 allocated 0 freed 0 peak_heap 30 self_allocated 0
        }
    }
    drop(own); //= allocated 0 freed 150000 self_freed 150000
}

#[profile_memory]
fn hand_on() {
    let own = black_box(vec![0_u8; 8]); //= allocated 8000 self_allocated 8000 self_peak 8
    let kept = make(); //= allocated 30000 freed 10000 self_allocated 0 self_freed 0 peak_heap 20
    let more = black_box(vec![0_u8; 4]); //= allocated 4000 self_allocated 4000 self_peak 12
    drop((kept, own, more)); //= freed 32000 self_freed 32000
}

#[profile_memory]
fn make() -> Vec<u8> {
    drop(black_box(vec![0_u8; 10])); //= allocated 10000 freed 10000 self_peak 10
    let mut made = Vec::new();
    made.reserve_exact(black_box(20)); //= allocated 20000 freed 0 self_allocated 20000 self_peak 20
    made
}

/// The closure's lines are its function's own, whoever calls it.
#[profile_memory]
fn visitor() {
    let own = black_box(vec![0_u8; 100]); //= self_allocated 100 self_peak 100
    let mut seen = Vec::with_capacity(2); //= self_allocated 48 self_peak 148
    each(|| {
        //= hits 1 allocated 500 freed 500 self_allocated 0 self_freed 0
        let found = black_box(vec![0_u8; 1_000]); //= hits 2 allocated 2000 self_allocated 2000 self_peak 2148
        seen.push(found); //= allocated 0 self_allocated 0
    });
    drop(black_box(vec![0_u8; 1])); //= self_allocated 1 self_freed 1 self_peak 2149
    drop((own, seen)); //= freed 2148 self_freed 2148
}

#[profile_memory]
fn each(mut visit: impl FnMut()) {
    let own = black_box(vec![0_u8; 500]); //= self_allocated 500 self_peak 500
    visit(); //= allocated 1000 self_allocated 0
    visit(); //= allocated 1000 self_allocated 0
    drop(own); //= freed 500 self_freed 500 self_peak 0
}

/// What runs in `memory_usage` is the caller's own, as without it. The samples take 96 bytes.
#[profile_memory]
fn measured() {
    memprof::memory_usage(std::time::Duration::from_secs(1), unannotated); //= self_allocated 3096 self_freed 3096 self_peak 3000
}

fn unannotated() {
    drop(black_box(vec![0_u8; 3_000]));
}
