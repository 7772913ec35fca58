//! Heap figures around mimalloc: see `heap/program.rs`.

#[path = "heap/program.rs"]
mod program;

use memprof::CountingAllocator;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: CountingAllocator<MiMalloc> = CountingAllocator::new(MiMalloc);

fn main() {
    program::run();
}
