//! What the workloads share and no variant annotates.

use std::hint::black_box;

use faer::Mat;

use crate::measured::main_ns;

/// A matrix of numbers between 0 and 1, the same for the same seed.
#[must_use]
pub fn random_matrix(n: usize, seed: u64) -> Mat<f64> {
    let mut state = seed;
    Mat::from_fn(n, n, |_, _| {
        (next(&mut state) >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// Knuth's linear congruential generator.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state
}

/// Work of 20 µs to 2 ms, spread evenly by magnitude: the duration of the line with this number.
#[must_use]
pub fn duration_ns(number: u64) -> u64 {
    let mut state = number;
    next(&mut state);
    let random = (next(&mut state) >> 11) as f64 / (1_u64 << 53) as f64;
    (20_000.0 * 100_f64.powf(random)) as u64
}

/// Keeps the thread busy for so much of its own processor time, so that what the machine does
/// besides does not count.
pub fn spin(number: u64) {
    let end_ns = main_ns() + duration_ns(number);
    while main_ns() < end_ns {}
}

/// The same, with 64 KiB that are there only meanwhile.
pub fn spin_with_memory(number: u64) {
    let memory = black_box(vec![1_u8; 64 << 10]);
    spin(number);
    drop(memory);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_from_20_us_to_2_ms() {
        let durations: Vec<u64> = (0..5_000).map(duration_ns).collect();
        assert!(durations.iter().all(|ns| (20_000..2_000_000).contains(ns)));
        let short = durations.iter().filter(|&&ns| ns < 200_000).count();
        assert!((2_300..2_700).contains(&short), "{short} below 0.2 ms");
    }
}
