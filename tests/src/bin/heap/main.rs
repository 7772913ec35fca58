//! Heap figures with the system's allocator: see `program`.

mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
}
