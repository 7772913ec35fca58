//! Watches how much memory is left, so that the journal gets an entry before memory runs out.

use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::os::memory_left::MemoryLimits;

/// How many bytes a second a program can fill with all its threads.
#[cfg(target_os = "linux")]
const FASTEST: f64 = 4e9;
/// The shortest time between two looks at how much memory is left.
pub(super) const SOONEST: Duration = Duration::from_millis(5);

/// Looks at how much is left of the limits that hold for the process.
#[derive(Debug, Default)]
pub(super) struct MemoryWatch {
    #[cfg(target_os = "linux")]
    limits: MemoryLimits,
}

/// The result of a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Look {
    /// There is enough; the next look is due after this time.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nothing can be told")
    )]
    Enough(Duration),
    /// Memory may run out at any moment.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nothing can be told")
    )]
    Short,
    /// It cannot be told how much is left.
    Unknown,
}

#[cfg(target_os = "linux")]
impl MemoryWatch {
    /// Finds out which limits there are.
    pub(super) fn begin() -> MemoryWatch {
        let limits = MemoryLimits::find();
        // Looked at once, so that later looks bring no new code into memory.
        let _ = limits.left();
        MemoryWatch { limits }
    }

    pub(super) fn look(&self) -> Look {
        match self.limits.left() {
            None => Look::Unknown,
            Some(left) if left.is_short() => Look::Short,
            // The time in which the fastest program can fill half of what is left.
            Some(left) => {
                let half = Duration::from_secs_f64(left.left as f64 / 2.0 / FASTEST);
                Look::Enough(half.max(SOONEST))
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl MemoryWatch {
    pub(super) fn begin() -> MemoryWatch {
        MemoryWatch::default()
    }

    pub(super) fn look(&self) -> Look {
        Look::Unknown
    }
}
