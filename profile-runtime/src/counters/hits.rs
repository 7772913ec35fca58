//! How often a line was hit, and how often it will be before its next turn to be read.
//!
//! Counted is what is left until then, downwards: a probe asks whether it is the line's turn, and whether
//! something else is to be done, by comparing the one number that it has just counted.

use crate::counters::atomics::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// The most that there can be left: less than any slow_path that a lane asks for.
pub(crate) const MOST: u64 = 1 << 60;

/// Stands for `before_measurement` while its owner changes both.
const CHANGING: u64 = u64::MAX;

/// Written by one thread alone, with plain loads and stores, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// Hits to come before the next turn; from -1 on it is the line's turn.
    left: AtomicI64,
    /// The number of the last hit before that turn: without `left`, the hits so far.
    before_measurement: AtomicU64,
}

impl Hits {
    /// One more. Gives how many there will be before the next turn: below 0, this is it.
    #[inline]
    pub(crate) fn count(&self) -> i64 {
        let left = self.left.load(Relaxed).wrapping_sub(1);
        self.left.store(left, Relaxed);
        left
    }

    /// Whether the hit in progress is the line's turn to be read.
    pub(crate) fn is_measurement_due(&self) -> bool {
        self.left.load(Relaxed) < 0
    }

    /// The next turn comes after so many hits. By the owner only, as all that counts.
    pub(crate) fn measure_after(&self, hits: u64) {
        let left = hits.clamp(1, MOST) - 1;
        let before_measurement = self.own().wrapping_add(left);
        self.before_measurement.store(CHANGING, Relaxed);
        fence(Release);
        self.left.store(left as i64, Relaxed);
        self.before_measurement.store(before_measurement, Release);
    }

    /// Hits so far, for the owner.
    pub(crate) fn own(&self) -> u64 {
        number(
            self.before_measurement.load(Relaxed),
            self.left.load(Relaxed),
        )
    }

    /// The same for anybody; `None` at a moment at which it cannot be told.
    pub(crate) fn seen(&self) -> Option<u64> {
        let before_measurement = self.before_measurement.load(Acquire);
        let left = self.left.load(Relaxed);
        fence(Acquire);
        let belong_together = before_measurement != CHANGING
            && self.before_measurement.load(Relaxed) == before_measurement;
        belong_together.then(|| number(before_measurement, left))
    }
}

fn number(before_measurement: u64, left: i64) -> u64 {
    before_measurement.wrapping_sub(left as u64)
}
