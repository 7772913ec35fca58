//! Heap figures with the system's allocator: see `program` and `nested`.

mod nested;
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
    nested::run();
}
