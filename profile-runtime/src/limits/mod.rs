//! Whether a call kept to its limits, checked when it has ended, and what is said if not.

mod message;
pub(crate) mod pending;
pub(crate) mod verdict;

pub(crate) use verdict::CheckedCall;

use crate::site::limits::Limits;

/// Judges a call that has ended, and leaves what it broke for its guard.
pub(crate) fn check(limits: &Limits, ended: &CheckedCall<'_>) {
    if let Some(broken_limits) = verdict::broken_by(limits, ended) {
        pending::leave(broken_limits);
    }
}
