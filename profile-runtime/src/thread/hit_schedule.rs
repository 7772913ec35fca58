//! When a line has its next turn to be read, and what its hits keep by experience.
//!
//! A line has its next turn after a number of hits that is doubled when it comes round too soon, and
//! halved when it does not. So a line that runs seldom inside a current_line loop is read as often as the loop
//! itself, and what it takes is directory.

/// A line's turns are to be at least so far apart.
const APART_NS: u64 = 1_000_000;

/// The most hits from one turn to the next.
const LONGEST: u32 = 1 << 31;

/// When a line has its turns, and what is directory of one hit of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HitSchedule {
    /// Hits from one turn to the next.
    gap: u32,
    last_ns: u64,
    /// Hits that were read by themselves, and what they kept.
    read_hits: u32,
    read_net: f64,
    read_squares: f64,
    /// Hits up to where changes of RSS have been booked.
    pub(super) booked_hits: u64,
    /// While a stretch is split: what the line is expected to have to do with it, in bytes.
    pub(super) expected: f64,
}

impl HitSchedule {
    /// A turn began at `now_ns`, or could not be had (`None`): gives the hits until the next.
    pub(crate) fn next(&mut self, now_ns: Option<u64>) -> u64 {
        let soon = match now_ns {
            Some(now_ns) => {
                let apart_ns = now_ns.saturating_sub(self.last_ns);
                self.last_ns = now_ns;
                apart_ns < APART_NS
            }
            None => true,
        };
        let gap = if soon {
            self.gap.saturating_mul(2)
        } else {
            self.gap / 2
        };
        self.gap = gap.clamp(1, LONGEST);
        u64::from(self.gap)
    }

    /// One hit was read by itself, the last of `hits`, and nothing before it is left to be booked.
    pub(crate) fn learn_all(&mut self, hits: u64, net: i64) {
        self.learn(net);
        self.booked_hits = hits;
    }

    /// One hit was read by itself, inside a stretch, and kept `net` bytes.
    pub(crate) fn learn_one(&mut self, net: i64) {
        self.learn(net);
        self.booked_hits += 1;
    }

    fn learn(&mut self, net: i64) {
        self.read_hits = self.read_hits.saturating_add(1);
        self.read_net += net as f64;
        self.read_squares += net as f64 * net as f64;
    }

    /// What its hits up to number `hits`, as far as they are not booked, kept by experience: as much as is
    /// sure. A page that came by chance in one of a thousand hits says nothing of a million others.
    pub(super) fn expected(&self, hits: u64) -> f64 {
        let read = f64::from(self.read_hits);
        if read == 0.0 {
            return 0.0;
        }
        let mean = self.read_net / read;
        let variance = (self.read_squares / read - mean * mean).max(0.0);
        let error = 2.0 * (variance / read).sqrt();
        let sure = (mean.abs() - error).max(0.0).copysign(mean);
        hits.saturating_sub(self.booked_hits) as f64 * sure
    }
}

#[cfg(test)]
mod tests {
    use super::{APART_NS, HitSchedule};

    #[test]
    fn a_hot_line_has_turns_that_are_far_apart() {
        let (mut schedule, mut now_ns, mut turns) = (HitSchedule::default(), 0, 0_u64);
        let mut at = 1;
        for hit in 1..=10_000_000_u64 {
            now_ns += 10;
            if hit >= at {
                at = hit + schedule.next(Some(now_ns));
                turns += 1;
            }
        }
        let most = now_ns / APART_NS * 2 + 20;
        assert!((50..=most).contains(&turns), "{turns}");
    }

    #[test]
    fn a_seldom_line_has_one_at_every_hit() {
        let mut schedule = HitSchedule::default();
        for hit in 1..=100 {
            assert_eq!(schedule.next(Some(hit * 2 * APART_NS)), 1);
        }
    }

    #[test]
    fn what_hits_keep_is_learnt_from_those_that_were_read() {
        let mut schedule = HitSchedule::default();
        assert_eq!(schedule.expected(100), 0.0);
        schedule.learn_all(1, 4096);
        schedule.learn_one(4096);
        assert_eq!(schedule.expected(102), 100.0 * 4096.0);
    }

    #[test]
    fn what_happened_once_is_not_expected() {
        let mut schedule = HitSchedule::default();
        for hit in 1..=1_000 {
            schedule.learn_one(if hit == 500 { -4096 } else { 0 });
        }
        assert_eq!(schedule.expected(1_000_000), 0.0);
        for hit in 1..=1_000 {
            schedule.learn_one(if hit % 10 == 0 { -4096 } else { 0 });
        }
        assert!(schedule.expected(1_000_000) < -100e6);
    }
}
