//! Checks whether a call that has ended kept to its limits, and says so if not.

mod message;
pub(crate) mod pending;
pub(crate) mod verdict;

pub(crate) use verdict::CheckedCall;

use crate::site::limits::Limits;

/// Checks a call that has ended, and leaves the limits that it broke for its guard.
pub(crate) fn check(limits: &Limits, ended: &CheckedCall<'_>) {
    if let Some(broken_limits) = verdict::broken_by(limits, ended) {
        pending::leave(broken_limits);
    }
}
