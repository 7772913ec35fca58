//! With the counting allocator alone.
memprof_benches::workloads!();

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();
