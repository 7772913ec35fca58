//! Threads that work for one annotated function. Each piece makes short calls and a long one, which takes the memory:
//! `pieces 5000`.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use memprof::profile_memory;

const THREADS: usize = 2;
/// What a piece keeps.
const BLOCK: usize = 16 << 10;
/// Long beside a reading, in a debug build, too.
const LONG: Duration = Duration::from_micros(200);

#[profile_memory]
fn pieces(all: usize) -> usize {
    let next = AtomicUsize::new(0);
    let kept = Mutex::new(Vec::with_capacity(all));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(piece) = piece(&next, all) {
                    if is_wanted(piece) {
                        let block = search(piece);
                        kept.lock().expect("no panic").push(block);
                    }
                }
            });
        }
    });
    let blocks = kept.into_inner().expect("no panic");
    let many = blocks.len();
    // Not freed before the end: it is looked at where it came from.
    std::mem::forget(blocks);
    many
}

#[profile_memory]
fn piece(next: &AtomicUsize, all: usize) -> Option<usize> {
    let piece = next.fetch_add(1, Relaxed);
    (piece < all).then_some(piece)
}

#[profile_memory]
fn is_wanted(piece: usize) -> bool {
    black_box(piece) != usize::MAX
}

#[profile_memory]
fn search(piece: usize) -> Vec<u8> {
    take(black_box(piece))
}

#[profile_memory]
fn take(piece: usize) -> Vec<u8> {
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        black_box(piece);
    }
    vec![1; BLOCK]
}

fn main() {
    let all = std::env::args().nth(1).and_then(|text| text.parse().ok());
    println!("{}", pieces(all.expect("a number of pieces")));
}
