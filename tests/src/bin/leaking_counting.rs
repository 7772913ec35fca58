//! The same program with the counting allocator: see `leaking/program.rs`.

#[path = "leaking/program.rs"]
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
}
