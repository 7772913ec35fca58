//! Heap figures around jemalloc: see `heap/program.rs`.

#[path = "heap/program.rs"]
mod program;

use memprof::CountingAllocator;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: CountingAllocator<Jemalloc> = CountingAllocator::new(Jemalloc);

fn main() {
    program::run();
}
