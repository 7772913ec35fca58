//! What follows from a run by reckoning alone: the rows of a function, its highest call, its peak's moment, RSS beside heap.

pub(crate) mod highest_call;
pub(crate) mod peak_moment;
pub(crate) mod rows;
pub(crate) mod rss_and_heap;
