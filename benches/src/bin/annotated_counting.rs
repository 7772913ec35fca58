//! Annotated, with the counting allocator.
memprof_benches::workloads!(#[memprof::profile_memory]);

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();
