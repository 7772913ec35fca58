//! What changed since the run before.

use super::compare::Diff;

/// A comparison with the run before.
pub(crate) struct Before {
    /// Its folder, beside the new run's.
    pub(crate) folder: String,
    /// What changed since.
    pub(crate) diff: Diff,
}
