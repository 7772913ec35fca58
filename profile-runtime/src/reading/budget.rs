//! How much time a thread's readings may take, so that a line that runs a million times does not crawl.
//!
//! There are three token buckets, whose tokens are nanoseconds. The first is for all readings: a program that
//! needs few of them gets every one. The other two, small ones, are for readings on a *hot path*, where readings
//! follow each other so closely that they would take a good part of the time.
//!
//! On a hot path the first hits are all read. Once the second bucket has run dry, new tokens are spent on single
//! measured hits only (see `thread/hit_schedule.rs`). The third one is for the beginning and the end of outermost
//! calls: what happens outside of them is in no function, so what an unread one did is in none either.

/// The part of a thread's time that readings may take, and what may be spent at once: about 5,000 readings.
const ALL: Bucket = Bucket {
    share: 0.05,
    burst_ns: 20e6,
};

/// The same for readings on hot paths.
const HOT: Bucket = Bucket {
    share: 0.005,
    burst_ns: 1e6,
};

/// The same for the ends of outermost calls.
const OUTERMOST: Bucket = Bucket {
    share: 0.01,
    burst_ns: 1e6,
};

/// So many readings more than its last one a short call costs: opening it, closing it and keeping its record take about
/// three times as long as its two readings. Of a longer call that is nothing.
const SHORT_CALL: u64 = 6;

/// Where a reading is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// An outermost call begins with it, or a call that has been asked for.
    Entry,
    /// Such a call ends with it, which began then.
    Exit {
        /// When.
        since_ns: u64,
    },
    /// At neither.
    No,
}

/// A reading is on a hot path if the code since the previous reading ran for less than so many times as long
/// as the reading took.
const HOT_BELOW: u64 = 4;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Nanoseconds that it gets for each nanosecond that passes.
    share: f64,
    /// Nanoseconds that it can hold.
    burst_ns: f64,
}

/// What is left for the readings of one thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    all_ns: f64,
    hot_ns: f64,
    outermost_ns: f64,
    /// What the last reading at an end of an outermost call took.
    edge_ns: u64,
    /// When the buckets were filled last.
    filled_at_ns: u64,
    /// Whether the second bucket has run dry since it was last full.
    was_empty: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            all_ns: ALL.burst_ns,
            hot_ns: HOT.burst_ns,
            outermost_ns: OUTERMOST.burst_ns,
            edge_ns: 0,
            filled_at_ns: 0,
            was_empty: false,
        }
    }
}

impl Budget {
    /// Pays for a reading that ended at `now_ns` and took `took_ns`. Says whether another one may follow at
    /// the next line. `threads_per_processor`: how many threads in annotated calls share a processor, and
    /// thereby the time.
    pub(crate) fn spend(
        &mut self,
        now_ns: u64,
        took_ns: u64,
        threads_per_processor: f64,
        edge: Edge,
    ) -> bool {
        let elapsed = now_ns.saturating_sub(self.filled_at_ns);
        self.filled_at_ns = self.filled_at_ns.max(now_ns);
        let earned = elapsed as f64 / threads_per_processor.max(1.0);
        let ran = elapsed.saturating_sub(took_ns);
        let hot = ran < took_ns.saturating_mul(HOT_BELOW);
        ALL.move_on(&mut self.all_ns, earned, took_ns);
        if edge != Edge::No {
            self.edge_ns = took_ns;
        }
        let (of_hot, of_outermost) = match (hot, edge) {
            (false, _) => (0, 0),
            (true, Edge::No) => (took_ns, 0),
            (true, Edge::Entry) => (0, took_ns),
            (true, Edge::Exit { since_ns }) => {
                let is_short = self.is_short(now_ns.saturating_sub(since_ns));
                let more = if is_short { SHORT_CALL } else { 0 };
                (0, took_ns.saturating_mul(1 + more))
            }
        };
        HOT.move_on(&mut self.hot_ns, earned, of_hot);
        OUTERMOST.move_on(&mut self.outermost_ns, earned, of_outermost);
        self.was_empty = match self.hot_ns {
            ..=0.0 => true,
            left_ns => self.was_empty && left_ns < HOT.burst_ns,
        };
        self.may_read() && !(hot && self.was_empty)
    }

    /// Whether something is left for a reading on a hot path.
    pub(crate) fn may_read(&self) -> bool {
        self.all_ns > 0.0 && self.hot_ns > 0.0
    }

    /// Whether a call of this length is as short as what is read on a hot path.
    pub(crate) fn is_short(&self, length_ns: u64) -> bool {
        length_ns < self.edge_ns.saturating_mul(HOT_BELOW)
    }

    /// Whether something is left for the next outermost call.
    pub(crate) fn may_read_outermost(&self) -> bool {
        self.all_ns > 0.0 && self.outermost_ns > 0.0
    }
}

impl Bucket {
    fn move_on(&self, left_ns: &mut f64, elapsed_ns: f64, spent_ns: u64) {
        *left_ns = (*left_ns + elapsed_ns * self.share).min(self.burst_ns) - spent_ns as f64;
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
                due = budget.spend(now, 3_000, 1.0, Edge::No);
            }
        }
        (readings, readings * 3_000)
    }

    #[test]
    fn budget_pays_for_all_readings_of_slow_lines() {
        assert_eq!(simulate(2, 100_000).0, 2_000_000_000_u64.div_ceil(103_000));
    }

    #[test]
    fn budget_pays_for_lines_of_some_microseconds_as_far_as_their_share_goes() {
        // 15 µs a line: no hot path, but more than the share.
        let (readings, took) = simulate(10, 15_000);
        assert!(readings > 100_000, "{readings}");
        assert!(
            took as f64 <= 10e9 * ALL.share + ALL.burst_ns + 1e6,
            "{took}"
        );
    }

    #[test]
    fn budget_gives_hot_paths_no_more_than_their_share() {
        let (readings, took) = simulate(10, 1_000);
        // The tokens for measured hits, which are not simulated, are not used.
        assert!(readings > 1_500, "{readings}");
        // At each tick one reading comes after a long time, and is not on the hot path.
        let ticks = 1_000.0 * 3_000.0;
        let allowed = 10e9 * HOT.share + HOT.burst_ns + ticks + 1e6;
        assert!(took as f64 <= allowed, "{took}");
    }

    #[test]
    fn budget_keeps_what_slow_lines_need_after_a_hot_path() {
        let mut budget = Budget::default();
        let mut now = 0;
        while budget.spend(now, 3_000, 1.0, Edge::No) {
            now += 4_000;
        }
        now += 1_000_000_000;
        budget.spend(now, 3_000, 1.0, Edge::No);
        for _ in 0..1_000 {
            now += 20_000;
            assert!(budget.spend(now, 3_000, 1.0, Edge::No));
        }
    }

    #[test]
    fn budget_of_an_idle_hour_does_not_pay_for_a_crawl() {
        let mut budget = Budget::default();
        assert!(budget.spend(3_600_000_000_000, 0, 1.0, Edge::No));
        let mut readings = 0;
        while budget.spend(3_600_000_000_000, 3_000, 1.0, Edge::No) {
            readings += 1;
        }
        assert!(readings < 10_000, "{readings}");
    }

    /// How many outermost calls of this length are read within a second, where a reading takes 3 µs and the hot path's
    /// bucket has run dry.
    fn outermost_calls(length_ns: u64) -> f64 {
        let mut budget = Budget::default();
        let mut now = 0;
        while budget.spend(now, 3_000, 1.0, Edge::No) {
            now += 4_000;
        }
        assert!(!budget.may_read() && budget.may_read_outermost());
        let (begun, mut read) = (now, 0);
        while now < begun + 1_000_000_000 {
            let before = now / 10_000_000;
            let is_read = budget.may_read_outermost();
            if is_read {
                now += 3_100;
                budget.spend(now, 3_000, 1.0, Edge::Entry);
            }
            let since_ns = now;
            now += length_ns;
            if is_read {
                now += 3_000;
                budget.spend(now, 3_000, 1.0, Edge::Exit { since_ns });
                read += 1;
            } else if now / 10_000_000 != before {
                // The sampler has asked for a reading of the call in progress.
                budget.spend(now, 3_000, 1.0, Edge::No);
            }
        }
        assert!(budget.may_read(), "the hot path has not paid for them");
        f64::from(read)
    }

    #[test]
    fn budget_of_outermost_calls_is_their_own() {
        let in_all = 1e9 * OUTERMOST.share + OUTERMOST.burst_ns;
        // Of short ones each costs two readings, and six more for its record.
        let short = outermost_calls(100) / (in_all / 24_000.0);
        assert!((0.9..1.1).contains(&short), "{short}");
        // Of long ones only the entry follows closely upon the reading before.
        let long = outermost_calls(100_000) / (in_all / 3_000.0);
        assert!((0.9..1.1).contains(&long), "{long}");
        // Of still longer ones each is read.
        assert!(outermost_calls(1_000_000) >= 1e9 / 1_006_100.0);
    }
}
