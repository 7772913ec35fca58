//! How much time may be spent on what a program is not about: reading the runs of others when it ends.
//!
//! By a clock of processor time where there is one, so that a busy machine does not make lists of runs shorter than a
//! quiet one. This package has none: to ask the system for it takes `unsafe`.

use std::io::{self, Read};
use std::time::Duration;

/// A clock, from any beginning.
pub(crate) type Clock = fn() -> Duration;

/// What may be spent by the thread that was given it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    clock: Clock,
    /// What the clock says then; `None` if there is no end.
    end: Option<Duration>,
}

impl Allowance {
    /// Somebody asked for the work: it takes what it takes.
    pub(crate) const UNLIMITED: Self = Self {
        clock: standing_clock,
        end: None,
    };

    /// Nothing is left.
    #[cfg(test)]
    pub(crate) const SPENT: Self = Self {
        clock: standing_clock,
        end: Some(Duration::ZERO),
    };

    /// So much from now on, by this clock.
    pub(crate) fn of(time: Duration, clock: Clock) -> Self {
        let end = Some(clock().saturating_add(time));
        Self { clock, end }
    }

    /// How much is left; `None` if there is no end.
    pub(crate) fn left(self) -> Option<Duration> {
        Some(self.end?.saturating_sub((self.clock)()))
    }

    /// The clock that it goes by.
    pub(crate) fn clock(self) -> Clock {
        self.clock
    }

    pub(crate) fn is_spent(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// `inner`, which can be read as long as something is left.
    pub(crate) fn reader<R>(self, inner: R) -> LimitedReader<R> {
        LimitedReader {
            inner,
            allowance: self,
        }
    }
}

/// A clock that stands still: for work that somebody asked for, and waits for.
pub(crate) fn standing_clock() -> Duration {
    Duration::ZERO
}

/// Fails when the allowance is spent. A reader of JSON asks for a KiB at a time, so it notices.
#[derive(Debug)]
pub(crate) struct LimitedReader<R> {
    inner: R,
    allowance: Allowance,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowance.is_spent() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no time is left"));
        }
        self.inner.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_is_read_ends_with_the_allowance() {
        let read = |allowance: Allowance| {
            let mut text = String::new();
            let read = allowance.reader(&b"text"[..]).read_to_string(&mut text);
            read.map(|_| text)
        };
        assert_eq!(read(Allowance::UNLIMITED).unwrap(), "text");
        let long = Allowance::of(Duration::from_secs(3600), wall_clock);
        assert_eq!(read(long).unwrap(), "text");
        let spent = read(Allowance::SPENT).unwrap_err();
        assert_eq!(spent.kind(), io::ErrorKind::TimedOut);
    }

    fn wall_clock() -> Duration {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        BEGAN.get_or_init(Instant::now).elapsed()
    }

    #[test]
    fn work_spends_it() {
        let allowance = Allowance::of(Duration::from_millis(2), wall_clock);
        let mut turns = 0_u64;
        while !allowance.is_spent() {
            turns += 1;
        }
        assert!(turns > 1);
    }
}
