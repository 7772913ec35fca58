//! The clock of a run, which tests replace by a script.

use std::time::Instant;

/// Counts nanoseconds since the run's start.
#[derive(Debug)]
pub(crate) enum Clock {
    Monotonic(Instant),
    #[cfg(test)]
    Scripted(&'static super::scripted::Script),
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Clock {
        Clock::Monotonic(Instant::now())
    }

    pub(crate) fn now_ns(&self) -> u64 {
        match self {
            Clock::Monotonic(start) => {
                u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
            }
            #[cfg(test)]
            Clock::Scripted(script) => script.next_ns(),
        }
    }
}
