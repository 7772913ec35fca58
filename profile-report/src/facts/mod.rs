//! What follows from a run by reckoning alone: the order of functions and what they are called, the rows of one, its
//! highest call, its peak's moment, RSS beside heap.

pub(crate) mod groups;
pub(crate) mod highest_call;
pub(crate) mod names;
pub(crate) mod own;
pub(crate) mod peak_moment;
pub(crate) mod ranking;
pub(crate) mod rows;
pub(crate) mod rss_and_heap;
