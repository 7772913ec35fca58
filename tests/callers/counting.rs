//! A program as a user has it: memprof's feature `counting` has its heap bytes counted, or an allocator
//! of its own does.

use memprof::profile_memory;

#[cfg(feature = "own")]
#[global_allocator]
static ALLOCATOR: std::alloc::System = std::alloc::System;

#[cfg(feature = "wrapped")]
#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::new(std::alloc::System);

#[profile_memory]
fn grown() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1_000);
    bytes.resize(3_000, 1);
    let zeroed = vec![0_u8; 500];
    drop(zeroed);
    bytes
}

pub fn main() {
    let grown = grown();
    assert_eq!(grown.capacity(), 3_000);
    let run = memprof::snapshot();
    let heap = run.and_then(|run| run.functions[0].heap);
    match heap {
        Some(heap) => println!(
            "allocated {}, freed {}, {} allocations",
            heap.allocated, heap.freed, heap.allocations
        ),
        None => println!("not counted"),
    }
}
