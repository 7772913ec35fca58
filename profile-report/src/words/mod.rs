//! Sentences that say what memory did.

pub(crate) mod findings;
pub(crate) mod groups;
pub(crate) mod growth;
pub(crate) mod heap_story;
mod heap_sums;
mod origins_story;
pub(crate) mod own_memory;
pub(crate) mod places;
pub(crate) mod readings;
pub(crate) mod spread;
pub(crate) mod stopped;
pub(crate) mod story;
pub(crate) mod suspended;
pub(crate) mod untold;
pub(crate) mod watched;
