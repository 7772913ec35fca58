//! How much time readings may take, so that a line that runs a million times does not crawl.
//!
//! A token bucket of nanoseconds: a program that makes few readings gets every one of them; one that
//! would make millions spends at most [`SHARE`] of its time on them, in bursts in which every line is
//! measured exactly.

/// Part of the time that readings may take, per lane.
const SHARE: f64 = 0.05;

/// What may be spent at once: about 5,000 readings.
const BURST_NS: f64 = 20e6;

/// One lane's allowance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    left_ns: f64,
    filled_at_ns: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            left_ns: BURST_NS,
            filled_at_ns: 0,
        }
    }
}

impl Budget {
    /// Books a reading that ended at `now_ns` and took `took_ns`, on one of `lanes` threads that
    /// share the machine's processors. Says whether another one may follow.
    pub(crate) fn spend(&mut self, now_ns: u64, took_ns: u64, lanes_per_processor: f64) -> bool {
        let elapsed = now_ns.saturating_sub(self.filled_at_ns) as f64;
        self.filled_at_ns = self.filled_at_ns.max(now_ns);
        let earned = elapsed * SHARE / lanes_per_processor.max(1.0);
        self.left_ns = (self.left_ns + earned).min(BURST_NS) - took_ns as f64;
        self.left_ns > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spends 3 µs on a reading whenever allowed, for `seconds`, in steps of `step_ns`, with the
    /// sampler's 10 ms ticks asking again. Gives readings and the time they took.
    fn simulate(seconds: u64, step_ns: u64) -> (u64, u64) {
        let mut budget = Budget::default();
        let (mut due, mut readings, mut now) = (true, 0, 0);
        while now < seconds * 1_000_000_000 {
            let before = now / 10_000_000;
            now += step_ns;
            due |= now / 10_000_000 != before;
            if due {
                now += 3_000;
                readings += 1;
                due = budget.spend(now, 3_000, 1.0);
            }
        }
        (readings, readings * 3_000)
    }

    #[test]
    fn slow_lines_are_all_measured() {
        assert_eq!(simulate(2, 100_000).0, 2_000_000_000_u64.div_ceil(103_000));
    }

    #[test]
    fn fast_lines_take_no_more_than_their_share() {
        let (readings, took) = simulate(10, 1_000);
        assert!(readings > 100_000, "{readings}");
        assert!(took as f64 <= 10e9 * SHARE + BURST_NS + 1e6, "{took}");
    }

    #[test]
    fn an_idle_hour_does_not_pay_for_a_crawl() {
        let mut budget = Budget::default();
        assert!(budget.spend(3_600_000_000_000, 0, 1.0));
        let mut readings = 0;
        while budget.spend(3_600_000_000_000, 3_000, 1.0) {
            readings += 1;
        }
        assert!(readings < 10_000, "{readings}");
    }
}
