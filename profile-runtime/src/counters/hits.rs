//! How often a line was hit, and how many hits are left before one of them is measured.
//!
//! The probe counts down. It compares the number it has just counted with `slow_path`
//! ([`CurrentLine`](crate::counters::current_line::CurrentLine)), so that one comparison answers two
//! questions: whether this hit is to be measured, and whether the thread has something else to do.
//!
//! ```text
//! measure_after(3) at hit 5:   before_measurement = 7
//! hit                 5    6    7    8
//! left                2    1    0   -1     hit 8 is measured
//! hits = before_measurement - left
//! ```

use crate::counters::atomics::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// The most hits that can be left: less than any value of `slow_path` but 0.
pub(crate) const MOST: u64 = 1 << 60;

/// In place of `before_measurement` while the owner changes both fields.
const CHANGING: u64 = u64::MAX;

/// The hits of one line on one thread. Only that thread writes them, with plain loads and stores; anybody
/// reads them.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// Hits to come before the next measured one. Below 0 the hit in progress is due to be measured.
    left: AtomicI64,
    /// The number of the last hit before the measured one. Minus `left`, it is the hits so far.
    before_measurement: AtomicU64,
}

impl Hits {
    /// Counts a hit. Gives how many are left before the next measured one; below 0, this hit is due.
    #[inline]
    pub(crate) fn count(&self) -> i64 {
        let left = self.left.load(Relaxed).wrapping_sub(1);
        self.left.store(left, Relaxed);
        left
    }

    /// Whether the hit in progress is due to be measured.
    pub(crate) fn is_measurement_due(&self) -> bool {
        self.left.load(Relaxed) < 0
    }

    /// The hit after so many from now is measured. By the owner only, like everything that counts.
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

    /// Hits so far, for other threads. `None` while the owner is changing the fields.
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
