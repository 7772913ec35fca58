//! Readings of the process's memory: when they may be taken, what they say, and how high RSS was in between.

pub(crate) mod budget;
pub(crate) mod instruments;
pub(crate) mod meter;
pub(crate) mod one_reading;
mod peak;
pub(crate) mod sampler_status;
