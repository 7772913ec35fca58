//! What a thread does where there is no sampler to ask it for readings: it looks at the clock itself, at some calls and
//! lines, and asks when the sampler's tick would have.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A line in a counted call looks at the clock after so many hits at the latest: a look costs as much as some thirty.
pub(super) const MOST_HITS: u64 = 1_000;

/// Looks at outermost calls are to be this far apart at least.
const APART_NS: u64 = 1_000_000;

/// So many outermost calls pass between two looks at most.
const MOST_CALLS: u64 = 1 << 20;

/// When a thread looks at the clock.
#[derive(Debug, Default)]
pub(super) struct OwnTick {
    /// So many outermost calls pass before the next look. Always 0 where there is a sampler.
    pub(super) calls_to_pass: AtomicU64,
    /// When it looked last at an outermost call.
    looked_at_ns: AtomicU64,
}

impl OwnTick {
    /// The outermost call of this moment could not be read. The next looks come half as often if they come too often.
    pub(super) fn put_off(&self, now_ns: u64) {
        let apart_ns = now_ns.saturating_sub(self.looked_at_ns.swap(now_ns, Relaxed));
        let calls = self.calls_to_pass.load(Relaxed);
        let calls = match apart_ns < APART_NS {
            true => (2 * calls).clamp(1, MOST_CALLS),
            false => calls / 2,
        };
        self.calls_to_pass.store(calls, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_tick_looks_at_every_long_call_and_once_a_millisecond_at_short_ones() {
        for (length_ns, looks_at_most) in [(100, 2_050), (10_000, 2_050), (5_000_000, 200)] {
            let (tick, mut now_ns, mut looks, mut passed) = (OwnTick::default(), 0, 0, 0);
            while now_ns < 1_000_000_000 {
                now_ns += length_ns;
                passed += 1;
                if passed > tick.calls_to_pass.load(Relaxed) {
                    tick.put_off(now_ns);
                    (looks, passed) = (looks + 1, 0);
                }
            }
            let least = (1_000_000_000 / length_ns).min(400);
            assert!(
                (least..=looks_at_most).contains(&looks),
                "{length_ns}: {looks}"
            );
        }
    }
}
