//! Helpers shared by the tests across crates: memory of known size, and programs run to their end.

pub mod mapping;
pub mod program;
pub mod truth;

/// One mebibyte.
pub const MIB: usize = 1 << 20;
