//! Annotated.
memprof_benches::workloads!(#[memprof::profile_memory]);
