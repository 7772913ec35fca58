//! What the measured programs consist of: workloads, written once and compiled for each variant, and
//! what a program says of itself at its end.

pub mod measured;
pub mod parts;
pub mod server;
pub mod workloads;

/// For the workloads, which are compiled in programs of their own.
#[doc(hidden)]
pub use {axum, faer};
