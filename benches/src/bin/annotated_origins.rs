//! Annotated, with the counting allocator, which follows every block.
memprof_benches::workloads!(#[memprof::profile_memory]);

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system().with_origins();
