//! The life of the process: the start of recording, the sampler thread, and the end.

mod exit;
mod sampler;
pub(crate) mod start;
