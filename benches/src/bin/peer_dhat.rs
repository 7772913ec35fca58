//! With dhat-rs, as its documentation sets it up.
memprof_benches::workloads!(, guard dhat::Profiler::new_heap());

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;
