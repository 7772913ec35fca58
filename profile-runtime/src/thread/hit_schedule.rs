//! Which hit of a line is measured next, and how many bytes of RSS a hit keeps by experience.
//!
//! Memory does not follow time: the line that allocates may run once in ten thousand hits. So every line gets
//! its share of measured hits. The number of hits from one to the next is doubled when less than a
//! millisecond lies between the two, and halved otherwise. So a rare line inside a hot loop is measured as
//! often as the loop's other lines.

/// The time from one measured hit of a line to the next is to be at least this.
const APART_NS: u64 = 1_000_000;

/// So many hits of a line have to be read by themselves before they prove anything. A line's first hit is not
/// among them: first hits touch pages that later ones do not.
const ENOUGH: u32 = 8;

/// The mean of these is proven if it is known to this part of itself.
const KNOWN_WITHIN: f64 = 0.25;

/// The most hits from one measured hit to the next.
const LONGEST: u32 = 1 << 31;

/// When hits of a line are measured, and what these have shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HitSchedule {
    /// Hits from one measured hit to the next.
    gap: u32,
    /// When the last measured hit began.
    last_ns: u64,
    /// Hits that were read by themselves.
    read_hits: u32,
    /// The sum of the bytes that they kept.
    read_net: f64,
    /// The sum of the squares of these.
    read_squares: f64,
}

impl HitSchedule {
    /// A measured hit began at `now_ns`, or had to be left out (`None`). Gives the number of hits until the
    /// next.
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

    /// The line's hit with the number `hits` was read by itself and kept `net` bytes.
    pub(crate) fn learn(&mut self, hits: u64, net: i64) {
        if hits > 1 {
            self.read_hits = self.read_hits.saturating_add(1);
            self.read_net += net as f64;
            self.read_squares += net as f64 * net as f64;
        }
    }

    /// The bytes that so many hits keep, if the hits that were read prove it: there were enough, and two standard
    /// errors are at most a quarter of the mean. So a page that came by chance in one of a thousand hits says
    /// nothing about a million others. At most `little` bytes, two standard errors included, are nothing.
    pub(super) fn proven(&self, hits: u64, little: f64) -> Option<f64> {
        let read = f64::from(self.read_hits);
        if self.read_hits < ENOUGH {
            return None;
        }
        let mean = self.read_net / read;
        let variance = (self.read_squares / read - mean * mean).max(0.0);
        let error = 2.0 * (variance / read).sqrt();
        if (mean.abs() + error) * hits as f64 <= little {
            return Some(0.0);
        }
        (error <= mean.abs() * KNOWN_WITHIN).then_some(mean * hits as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::{APART_NS, HitSchedule};

    #[test]
    fn hit_schedule_measures_a_hot_line_at_long_intervals() {
        let (mut schedule, mut now_ns, mut measured) = (HitSchedule::default(), 0, 0_u64);
        let mut at = 1;
        for hit in 1..=10_000_000_u64 {
            now_ns += 10;
            if hit >= at {
                at = hit + schedule.next(Some(now_ns));
                measured += 1;
            }
        }
        let most = now_ns / APART_NS * 2 + 20;
        assert!((50..=most).contains(&measured), "{measured}");
    }

    #[test]
    fn hit_schedule_measures_every_hit_of_a_rare_line() {
        let mut schedule = HitSchedule::default();
        for hit in 1..=100 {
            assert_eq!(schedule.next(Some(hit * 2 * APART_NS)), 1);
        }
    }

    #[test]
    fn hit_schedule_learns_what_hits_keep_from_those_that_were_read() {
        let mut schedule = HitSchedule::default();
        schedule.learn(1, 1 << 20);
        for hit in 2..=8 {
            schedule.learn(hit, 4096);
        }
        assert_eq!(schedule.proven(3, 0.0), None, "seven are too few");
        schedule.learn(9, 4096);
        assert_eq!(
            schedule.proven(3, 0.0),
            Some(3.0 * 4096.0),
            "the first hit is left out"
        );
    }

    #[test]
    fn hit_schedule_lines_that_never_keep_anything_are_proven_to_keep_nothing() {
        let mut schedule = HitSchedule::default();
        (1..=9).for_each(|hit| schedule.learn(hit, 0));
        assert_eq!(schedule.proven(1_000, 0.0), Some(0.0));
    }

    #[test]
    fn hit_schedule_does_not_expect_what_happened_once() {
        let mut schedule = HitSchedule::default();
        for hit in 1..=1_000 {
            schedule.learn(hit, if hit == 500 { -4096 } else { 0 });
        }
        // A mean of 4 bytes, 8 more or less: too little to matter beside a stretch of a megabyte, if it is of a
        // thousand hits, but not if it is of a million.
        assert_eq!(schedule.proven(1_000, 64e3), Some(0.0));
        assert_eq!(schedule.proven(1_000_000, 64e3), None);
        for hit in 1_001..=2_000 {
            schedule.learn(hit, if hit % 10 == 0 { -4096 } else { -3072 });
        }
        assert!(schedule.proven(1, 0.0).is_some_and(|mean| mean < -1_000.0));
    }
}
