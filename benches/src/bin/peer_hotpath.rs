//! With hotpath: what it measures, time or allocations, is a matter of its features.
memprof_benches::workloads!(#[hotpath::measure], main #[hotpath::main]);
