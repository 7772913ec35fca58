//! Readings of the process's memory: what they say, how high RSS was in between, and when they may be taken.

pub(crate) mod budget;
pub(crate) mod instruments;
pub(crate) mod meter;
pub(crate) mod one_reading;
mod peak;
pub(crate) mod sampler_status;
pub(crate) mod spare_moment;
mod split;
