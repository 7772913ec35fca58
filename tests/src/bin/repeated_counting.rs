//! The same program with the counting allocator: see `repeated/program.rs`.

#[path = "repeated/program.rs"]
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    program::run();
}
