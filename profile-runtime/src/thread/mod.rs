//! What one thread records: its calls in progress, the lines they are at, and the totals over its calls.
//!
//! Words used in these files:
//!
//! - A *reading* says what RSS, its peak, and the heap are now. It costs microseconds.
//! - A call is *measured* if a reading was taken during it; otherwise it is only *counted*.
//! - A *stretch* is the time between two readings of a thread, in which several lines may have run.
//! - A *measured hit* is one hit of a line between two stretches, with a reading at its beginning and its end.
//! - A call is *unread* until the first reading during it.
//! - *Booking* adds what changed between two readings to the totals of a line.
//! - A *sample* is a reading of the sampler thread, for charts.

mod booking;
mod call_details;
pub(crate) mod call_handle;
pub(crate) mod call_stack;
pub(crate) mod copy;
pub(crate) mod current;
pub(crate) mod ended_call;
mod entry;
mod fast_path;
mod hit_schedule;
mod line_change;
pub(crate) mod line_group;
mod line_start;
pub(crate) mod open_call;
mod own_tick;
pub(crate) mod registry;
pub(crate) mod room;
mod samples;
mod spare_series;
mod spread_call;
mod stretch;
mod suspend;
pub(crate) mod suspended;
pub(crate) mod thread_recorder;
pub(crate) mod totals;
mod unread_call;
