//! 64 threads that allocate, grow, shrink, hand over and free, come and go; in the end every byte is
//! accounted for. Made for AddressSanitizer and valgrind; see `.ci/sanitizers`.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use memprof::{CountingAllocator, profile_memory};
use memprof_tests::program::function;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system().with_origins();

const THREADS: u64 = 64;
/// More than a function keeps.
const SIZES: u64 = 150;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let rounds: u64 = rounds.unwrap_or(200);
    // Twice: the second generation goes on with the counters of the first.
    for _ in 0..2 {
        generation(rounds);
    }
    let run = memprof::snapshot().expect("calls were made");
    let heap = function(&run, "churn").heap.expect("counted");
    let calls = 2 * THREADS * rounds;
    assert_eq!(heap.allocated, calls * (100 + 900 + 64));
    assert_eq!(heap.allocations, calls * 2);
    // What was handed over is freed by its receiver, in `churn` or after it.
    assert!(heap.freed >= calls * 990, "{}", heap.freed);
    let lines = function(&run, "churn").lines.iter();
    let origins = lines.filter_map(|line| line.origins);
    let (alive, handed_over) = origins.fold((0, 0), |sums, origins| {
        let after_call = origins.alive_after_call_blocks;
        (sums.0 + origins.alive_blocks, sums.1 + after_call)
    });
    assert_eq!((alive, handed_over), (0, calls));
    assert_eq!(function(&run, "sized").calls, calls);
    println!("{} calls, every byte accounted for", heap.allocations / 2);
}

fn generation(rounds: u64) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel()).unzip();
    thread::scope(|scope| {
        for (at, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(at + 1) % senders.len()].clone();
            scope.spawn(move || worker(rounds, &next, &receiver));
        }
        drop(senders);
    });
}

fn worker(rounds: u64, next: &Sender<Vec<u8>>, mine: &Receiver<Vec<u8>>) {
    for round in 0..rounds {
        let given = churn();
        assert_eq!(sized(round % SIZES + 1), round % SIZES + 1);
        // A neighbour that has ended does not take it any more.
        drop(next.send(given));
        drop(mine.try_recv());
    }
}

#[profile_memory(interval_ms = 1)]
fn churn() -> Vec<u8> {
    let mut bytes: Vec<u8> = black_box(Vec::with_capacity(100));
    bytes.reserve_exact(1_000);
    bytes.extend([7; 10]);
    bytes.shrink_to_fit();
    let handed_over = black_box(vec![1; 64]);
    drop(bytes);
    handed_over
}

/// Written down call by call.
#[profile_memory(by = bytes, max_peak = "64 GiB")]
fn sized(bytes: u64) -> u64 {
    let block = black_box(vec![1_u8; bytes as usize]);
    block.len() as u64
}
