//! Moments as the clocks of their place showed them.

use jiff::civil;

/// The date and time of an RFC 3339 text as its place's clocks showed them.
pub(crate) fn local(started: &str) -> Option<civil::DateTime> {
    let pieces = jiff::fmt::temporal::Pieces::parse(started).ok()?;
    Some(pieces.date().to_datetime(pieces.time()?))
}
