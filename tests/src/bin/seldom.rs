//! A hot loop, one line of which takes memory now and then, and a line whose many calls do: `seldom 3000000`.

use std::hint::black_box;

use memprof::profile_memory;

/// The line with the `push` runs once in so many rounds.
const EVERY: u64 = 10_000;

#[profile_memory]
fn seldom(rounds: u64) -> (u64, usize) {
    let mut kept = Vec::with_capacity(usize::try_from(rounds / EVERY).expect("fits") + 1);
    let mut sum = 0_u64;
    for round in 0..rounds {
        sum = sum.wrapping_add(black_box(round));
        if round.is_multiple_of(EVERY) {
            kept.push(vec![1_u8; 64 << 10]);
        }
    }
    // Not freed before the end: the nets of the loop's lines are what is looked at.
    let blocks = kept.len();
    std::mem::forget(kept);
    (sum, blocks)
}

#[profile_memory]
fn by_calls(rounds: u64) -> usize {
    let kept: Vec<Vec<u8>> = (0..rounds).filter_map(block).collect();
    let blocks = kept.len();
    std::mem::forget(kept);
    blocks
}

#[profile_memory]
fn block(round: u64) -> Option<Vec<u8>> {
    round.is_multiple_of(EVERY).then(|| vec![1_u8; 64 << 10])
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let rounds = rounds.expect("a number of rounds");
    let (sum, blocks) = seldom(rounds);
    println!("{sum} {blocks} {}", by_calls(rounds));
}
