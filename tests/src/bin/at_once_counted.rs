//! Threads within a call at once where the heap is counted: see `at_once/program.rs`.

#[path = "at_once/program.rs"]
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
}
