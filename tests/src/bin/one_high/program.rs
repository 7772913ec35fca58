//! Many short calls: one of them is high, or all are known.

use std::hint::black_box;

use memprof::profile_memory;

/// How many calls there are.
const CALLS: usize = 100_001;
/// The number of the high one, and what it allocates.
const HIGH: usize = 73_210;
const HIGH_BYTES: usize = 40 << 20;

pub(crate) fn run() {
    orders();
    shelf();
}

#[profile_memory]
fn orders() {
    for number in 0..CALLS {
        order(if number == HIGH { HIGH_BYTES } else { 100 });
    }
}

#[profile_memory]
fn order(bytes: usize) {
    let list = vec![1_u8; bytes];
    black_box(&list);
}

#[profile_memory]
fn shelf() {
    for bytes in 1..=1_000 {
        place(bytes);
    }
    for _ in 0..1_000 {
        idle();
    }
}

/// Each number of bytes from 1 to 1,000 once.
#[profile_memory]
fn place(bytes: usize) {
    drop(black_box(vec![1_u8; bytes]));
}

#[profile_memory]
fn idle() {
    black_box(());
}
