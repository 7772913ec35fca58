//! Absolute deadlines: being late once does not make one late for ever, and what was missed is counted.

use std::time::{Duration, Instant};

/// Deadlines at even distances.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Instant,
    due: u64,
    taken: u64,
}

impl Pace {
    /// The first deadline is `start`.
    pub(super) fn new(start: Instant, interval: Duration) -> Pace {
        Pace {
            interval,
            next: start,
            due: 0,
            taken: 0,
        }
    }

    /// How long there is until the next deadline.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }

    /// A reading was taken for the deadline that is due at `now`.
    pub(super) fn tick(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next).as_nanos();
        let passed = u64::try_from(late / self.interval.as_nanos().max(1)).unwrap_or(u64::MAX);
        self.due += passed + 1;
        self.taken += 1;
        let step = self
            .interval
            .as_nanos()
            .saturating_mul(u128::from(passed) + 1);
        self.next += Duration::from_nanos(u64::try_from(step).unwrap_or(u64::MAX));
    }

    /// Deadlines so far, and readings.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.due, self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_deadlines_are_counted_and_not_caught_up() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start, Duration::from_millis(10));
        pace.tick(ms(0));
        assert_eq!(pace.left(ms(3)), Duration::from_millis(7));
        pace.tick(ms(12));
        assert_eq!(pace.left(ms(12)), Duration::from_millis(8), "late once");
        pace.tick(ms(55));
        assert_eq!(pace.counts(), (6, 3), "20 is late, 30 to 50 are missed");
        assert_eq!(pace.left(ms(55)), Duration::from_millis(5));
    }
}
