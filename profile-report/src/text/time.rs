//! Moments as the clocks of their place showed them.

use jiff::civil;

use super::visible::visible;

/// The date and time of an RFC 3339 text as its place's clocks showed them.
pub(crate) fn local(started: &str) -> Option<civil::DateTime> {
    let pieces = jiff::fmt::temporal::Pieces::parse(started).ok()?;
    Some(pieces.date().to_datetime(pieces.time()?))
}

/// The start as clocks showed it, to the second.
pub(crate) fn started(rfc3339: &str) -> String {
    match local(rfc3339) {
        Some(start) => start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => visible(rfc3339),
    }
}
