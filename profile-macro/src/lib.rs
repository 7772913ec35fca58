//! The attribute of memprof: `#[profile_memory]`.
