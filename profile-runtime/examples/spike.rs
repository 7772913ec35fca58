//! A temporary spike: one statement makes a copy of everything, and frees it before the next begins.
//!
//! `cargo run -p memprof --example spike`, then read docs/reading-a-report.md.

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    let readings: Vec<f64> = (0..4 << 20).map(|n| f64::from(n % 100)).collect();
    println!("variance {:.2}", variance(&readings));
}

#[profile_memory(interval_ms = 1)]
fn variance(readings: &[f64]) -> f64 {
    let count = readings.len() as f64;
    let mean = readings.iter().sum::<f64>() / count;
    let squares = squares(readings, mean).iter().sum::<f64>();
    squares / count
}

/// The squares of all distances from the mean: handy, and as large as the readings themselves.
fn squares(readings: &[f64], mean: f64) -> Vec<f64> {
    readings.iter().map(|x| (x - mean).powi(2)).collect()
}
