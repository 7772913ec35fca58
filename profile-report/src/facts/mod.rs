//! What follows from a run by reckoning alone: the order of functions and what they are called, the rows of one, its
//! peak's moment, the call that stands for it, RSS beside heap, and what samples prove.

pub(crate) mod groups;
pub(crate) mod names;
pub(crate) mod own;
pub(crate) mod peak_moment;
pub(crate) mod ranking;
pub(crate) mod rows;
pub(crate) mod rss_and_heap;
pub(crate) mod seen;
pub(crate) mod shown_call;
