//! Threads that are all within an annotated call at once. Prints by how many bytes RSS has grown when they are, after a
//! first call that starts memprof.

use std::hint::black_box;
use std::sync::Barrier;

use memprof::profile_memory;

pub(crate) fn run() {
    let argument = std::env::args().nth(1).expect("how many threads");
    let number: usize = argument.parse().expect("a number");
    all_within(1);
    let before = rss();
    println!("{}", all_within(number) - before);
}

/// RSS at the moment at which so many threads are within a call.
fn all_within(number: usize) -> i64 {
    let (within, seen) = (Barrier::new(number + 1), Barrier::new(number + 1));
    std::thread::scope(|scope| {
        for _ in 0..number {
            std::thread::Builder::new()
                .stack_size(128 << 10)
                .spawn_scoped(scope, || meets(&within, &seen))
                .expect("a thread");
        }
        within.wait();
        let now = rss();
        seen.wait();
        now
    })
}

#[profile_memory]
fn meets(within: &Barrier, seen: &Barrier) {
    let mine = black_box(vec![1_u8; 100]);
    within.wait();
    drop(mine);
    seen.wait();
}

/// Bytes resident now.
fn rss() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).and_then(|field| field.parse().ok());
    pages.map_or(0, |pages: i64| pages * 4096)
}
