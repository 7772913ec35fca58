//! The plain program.
memprof_benches::workloads!();
