//! Growth in a loop: each round needs one chunk, and holds on to all the chunks before it.
//!
//! `cargo run -p memprof --example growth`, then read docs/reading-a-report.md.

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    println!("{} lines", count_lines(100));
}

#[profile_memory(interval_ms = 1)]
fn count_lines(chunks: usize) -> usize {
    let mut lines = 0;
    let mut done = Vec::new();
    for number in 0..chunks {
        let chunk = read_chunk(number);
        lines += chunk.iter().filter(|&&byte| byte == b'\n').count();
        done.push(chunk);
    }
    lines
}

/// Stands for a file that is read in chunks of 512 KiB.
fn read_chunk(number: usize) -> Vec<u8> {
    let byte = if number.is_multiple_of(4) {
        b'\n'
    } else {
        b'.'
    };
    vec![byte; 512 << 10]
}
