//! The programs of `world` whose heap is looked at, with the counting allocator.

#[path = "world/one_thread.rs"]
mod one_thread;

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

fn main() {
    one_thread::main("");
    std::process::exit(7);
}
