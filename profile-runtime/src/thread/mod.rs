//! What one thread records: its calls in progress, the lines they are at, and what it has added up.

mod booking;
mod call_details;
pub(crate) mod call_stack;
mod copy;
pub(crate) mod current;
pub(crate) mod ended_call;
mod fast_path;
mod hit_schedule;
mod line_change;
pub(crate) mod open_call;
pub(crate) mod registry;
mod samples;
mod stretch;
mod suspend;
pub(crate) mod suspended;
pub(crate) mod thread_recorder;
pub(crate) mod totals;
