//! Threads beside each other where the heap is counted: see `others/program.rs`.

#[path = "others/program.rs"]
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
}
