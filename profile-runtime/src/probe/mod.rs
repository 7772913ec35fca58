//! What generated code calls (frames, futures, scope guards), and `memory_usage`, which users call by hand.

pub(crate) mod frame;
pub(crate) mod future;
pub(crate) mod limit_guard;
pub(crate) mod memory_usage;
mod scope_guards;
pub(crate) mod size;
