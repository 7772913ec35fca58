//! Annotated without lines, with the counting allocator.
memprof_benches::workloads!(#[memprof::profile_memory(lines = false)]);

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();
