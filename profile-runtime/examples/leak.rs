//! A leak: every page that is served is copied into a history that nobody ever empties.
//!
//! `cargo run -p memprof --example leak`, then read docs/reading-a-report.md.

use std::sync::Mutex;

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// What was served. It was meant for the last few pages.
static HISTORY: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn main() {
    let served: usize = (0..200).map(serve).sum();
    println!("{} MiB served", served >> 20);
}

#[profile_memory(interval_ms = 1)]
fn serve(request: usize) -> usize {
    let page = render(request);
    let mut history = HISTORY.lock().expect("no other thread panicked");
    history.push(page.clone());
    page.len()
}

/// A page of 256 KiB.
fn render(request: usize) -> Vec<u8> {
    let letter = b'a' + (request % 26) as u8;
    vec![letter; 256 << 10]
}
