//! Lines and calls that run far more often than readings could be taken.

use std::hint::black_box;

use memprof::profile_memory;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let rounds = rounds.expect("the number of rounds");
    println!("{}", lines(rounds));
    println!("{}", calls(rounds));
}

#[profile_memory]
fn lines(rounds: u64) -> u64 {
    let mut sum: u64 = 0;
    for round in 0..rounds {
        sum = sum.wrapping_add(black_box(round));
        sum = sum.rotate_left(1);
    }
    sum
}

#[profile_memory]
fn calls(rounds: u64) -> u64 {
    (0..rounds).map(call).fold(0, u64::wrapping_add)
}

#[profile_memory]
fn call(round: u64) -> u64 {
    black_box(round)
}
