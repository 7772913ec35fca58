//! What a line's counters said when the stretch in progress began.

use crate::counters::counts::Counts;

/// What a line's counters said when the stretch in progress began. From the stretch's end on: what the line did in
/// it. See `stretch.rs`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineStart {
    /// How often the line was hit or gone back to.
    pub(super) turns: u64,
    pub(super) heap: Counts,
    /// Whether the line ran in the stretch that ended last.
    pub(super) ran: bool,
    /// How many bytes of RSS its hits in that stretch are proven to keep; not a number where nothing is proven.
    pub(super) expected: f64,
    /// How many bytes of that stretch's change are the line's.
    pub(super) part: u64,
}
