//! Hot code in which one function, or one line, takes all the memory, beside others that take none:
//! `whose getter`, `whose header`, `whose spike`.

use std::hint::black_box;

use memprof::profile_memory;

/// So many blocks of 1,000 bytes are kept.
const BLOCKS: usize = 100_000;

pub(crate) fn main() {
    let program = std::env::args().nth(1);
    let kept = match program.as_deref() {
        Some("getter") => getter(),
        Some("header") => header(),
        Some("spike") => spike(),
        _ => panic!("getter, header or spike"),
    };
    println!("{}", black_box(&kept).len());
    // Not freed before the end: what the lines kept is what is looked at.
    std::mem::forget(kept);
}

#[profile_memory]
fn getter() -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(BLOCKS);
    while len(&kept) < BLOCKS {
        add(&mut kept);
    }
    kept
}

#[profile_memory]
fn len(kept: &[Vec<u8>]) -> usize {
    black_box(kept.len())
}

#[profile_memory]
fn add(kept: &mut Vec<Vec<u8>>) {
    kept.push(vec![1; 1_000]);
}

#[profile_memory]
fn header() -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(BLOCKS);
    let mut left = BLOCKS;
    while let Some(n) = next(&mut left) {
        kept.push(work(n));
    }
    kept
}

#[profile_memory]
fn next(left: &mut usize) -> Option<usize> {
    *left = left.checked_sub(1)?;
    Some(*left)
}

#[profile_memory]
fn work(n: usize) -> Vec<u8> {
    vec![n as u8; 300]
}

#[profile_memory]
fn spike() -> Vec<Vec<u8>> {
    let mut sum = 0;
    for n in 0..=BLOCKS {
        sum += one_of_many(n);
    }
    vec![sum.to_le_bytes().to_vec()]
}

/// One of its calls has 40 MiB for a while.
#[profile_memory]
fn one_of_many(n: usize) -> u64 {
    let bytes = if n == BLOCKS / 2 { 40 << 20 } else { 10 };
    black_box(vec![1_u8; bytes])
        .iter()
        .map(|&byte| u64::from(byte))
        .sum()
}
