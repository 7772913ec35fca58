//! Numbers and other people's text as reports show them, for tools that print more of their kind.

pub(crate) mod bar;
pub(crate) mod markdown;
pub(crate) mod sentence;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod units;
pub(crate) mod visible;

pub use units::{align_points, duration, mib, mib_unit, signed_mib};
pub use visible::{truncate, visible, width};
