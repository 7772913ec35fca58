//! Of 100,001 short calls one is high. The heap is counted.

#[path = "one_high/program.rs"]
mod program;

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

fn main() {
    program::run();
}
