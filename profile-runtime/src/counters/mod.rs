//! Counters that one thread writes and anybody reads, without a lock.

pub(crate) mod atomics;
pub(crate) mod counted_calls;
pub(crate) mod counts;
pub(crate) mod current_line;
pub(crate) mod hits;
pub(crate) mod line;
pub(crate) mod line_blocks;
pub(crate) mod site;
pub(crate) mod site_directory;
pub(crate) mod spread;
pub(crate) mod static_cell;
