//! The same program with the counting allocator.

#[path = "whose/program.rs"]
mod program;

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

fn main() {
    program::main();
}
