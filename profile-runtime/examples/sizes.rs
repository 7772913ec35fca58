//! How memory grows with the size of the input: the pairwise distances of n points.
//! See `docs/limits-and-growth.md`.

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

#[profile_memory(by = n)]
fn distances(n: usize) -> f64 {
    let points: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
    let all: Vec<f64> = points
        .iter()
        .flat_map(|a| points.iter().map(move |b| (a - b).abs()))
        .collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn main() {
    for exponent in 4..12 {
        let n = 1 << exponent;
        println!("{n:>5}  {:.3}", distances(n));
    }
}
