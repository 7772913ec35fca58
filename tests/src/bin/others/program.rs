//! Ten threads that allocate, sleep and free: what is each thread's own, and what others did meanwhile. The tests
//! are in `tests/tests/others.rs`.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use memprof::profile_memory;

const THREADS: usize = 10;
const BYTES: usize = 16_000_000;

pub(crate) fn run() {
    let scene = std::env::args().nth(1);
    match scene.as_deref() {
        Some("once") => once(),
        Some("churn") => churn(),
        Some("keeps") => keeps(),
        other => panic!("unknown: {other:?}"),
    }
}

fn on_all_threads(work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for number in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}

/// Each thread allocates 16 MB, sleeps, and frees it: 160 MB in all, and nothing is left.
fn once() {
    let all_inside = Barrier::new(THREADS);
    on_all_threads(|_| worker(&all_inside));
}

#[profile_memory]
fn worker(all_inside: &Barrier) {
    all_inside.wait();
    let mine = black_box(vec![1_u8; BYTES]);
    thread::sleep(Duration::from_millis(50));
    drop(mine);
}

/// The same again and again, each thread at its own pace.
fn churn() {
    on_all_threads(rounds);
}

#[profile_memory]
fn rounds(number: usize) {
    for round in 0..20 {
        one_round(number + round);
    }
}

#[profile_memory]
fn one_round(number: usize) {
    let mine = black_box(vec![1_u8; BYTES / 4]);
    thread::sleep(Duration::from_millis(1 + number as u64 % 4));
    drop(mine);
}

/// Half of the threads keep what they allocate, the others wait for them, twice as long as it takes.
fn keeps() {
    let all_inside = Barrier::new(THREADS);
    on_all_threads(|number| match number % 2 {
        0 => keeper(&all_inside),
        _ => sleeper(&all_inside),
    });
}

#[profile_memory]
fn keeper(all_inside: &Barrier) {
    all_inside.wait();
    let mine = black_box(vec![1_u8; BYTES]);
    std::mem::forget(mine);
    all_inside.wait();
}

#[profile_memory]
fn sleeper(all_inside: &Barrier) {
    all_inside.wait();
    thread::sleep(Duration::from_millis(10));
    all_inside.wait();
}
