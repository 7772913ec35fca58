//! Memory kept by the allocator: all but one of many small blocks are freed, and RSS stays up.
//!
//! The word that survives was allocated last, so it lies above all the others, and the system's
//! allocator gives back only what lies above the highest block in use.
//!
//! `cargo run -p memprof --example kept`, then read docs/reading-a-report.md.

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    let kept: Vec<String> = (0..3).map(|_| last_word(300_000)).collect();
    println!("{kept:?}");
}

#[profile_memory(interval_ms = 1)]
fn last_word(count: usize) -> String {
    let words = read_words(count);
    let last = words[count - 1].clone();
    drop(words);
    last
}

/// Stands for a file that is read word by word.
fn read_words(count: usize) -> Vec<String> {
    let word = |n| format!("the word with the number {n} of all words");
    (0..count).map(word).collect()
}
