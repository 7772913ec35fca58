//! The same program, whose blocks are followed: see `leaking/program.rs`.

#[path = "leaking/program.rs"]
mod program;

use memprof::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system().with_origins();

fn main() {
    program::run();
}
