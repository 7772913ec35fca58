//! A benchmark with an annotated function, for the tests of `cargo memprof bench`.
//!
//!     cargo memprof bench -p cargo-memprof --bench sort

use std::time::Instant;

use memprof::profile_memory;

#[profile_memory]
fn sort(numbers: &[u64]) -> Vec<u64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted
}

fn main() {
    let numbers: Vec<u64> = (0..100_000).map(|n| n * 7_919 % 100_003).collect();
    let began = Instant::now();
    assert!(sort(&numbers).is_sorted());
    println!("sort: {:?}", began.elapsed());
}
