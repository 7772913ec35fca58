//! Watches how much memory is left, so that the journal gets an entry before memory runs out.

use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::os::memory_left::{Left, MemoryLimits};

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
        look_at(self.limits.left())
    }
}

/// What is to be made of so much memory left.
#[cfg(target_os = "linux")]
fn look_at(left: Option<Left>) -> Look {
    match left {
        None => Look::Unknown,
        Some(left) if left.is_short() => Look::Short,
        // The time in which the fastest program can fill half of what is left.
        Some(left) => {
            let half = Duration::from_secs_f64(left.left as f64 / 2.0 / FASTEST);
            Look::Enough(half.max(SOONEST))
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

#[cfg(all(test, target_os = "linux"))]
impl MemoryWatch {
    /// Of a control group that says in `folder` what it may hold and what it holds.
    pub(super) fn of_group(folder: &std::path::Path, limit: u64, usage: u64) -> MemoryWatch {
        for (file, bytes) in [("memory.max", limit), ("memory.current", usage)] {
            std::fs::write(folder.join(file), bytes.to_string()).expect("it can be written");
        }
        MemoryWatch {
            limits: MemoryLimits::of_group(folder),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn left(left: u64, limit: u64) -> Look {
        look_at(Some(Left { left, limit }))
    }

    #[test]
    fn memory_watch_looks_again_before_half_of_what_is_left_can_be_filled() {
        for gibibytes in [1, 4, 100] {
            let Look::Enough(next) = left(gibibytes * GIB, 200 * GIB) else {
                panic!("{gibibytes} GiB are enough");
            };
            let filled = next.as_secs_f64() * FASTEST;
            let half = (gibibytes * GIB) as f64 / 2.0;
            assert!((filled - half).abs() < 100.0, "{filled} of {half}");
        }
    }

    #[test]
    fn memory_watch_never_looks_again_sooner_than_it_pays() {
        assert_eq!(left(17 << 20, 100 << 20), Look::Enough(SOONEST));
    }

    #[test]
    fn memory_watch_finds_memory_short_when_a_twentieth_is_left() {
        let limit = 2_000 << 20;
        assert_eq!(left((100 << 20) - 1, limit), Look::Short);
        assert!(matches!(left(100 << 20, limit), Look::Enough(_)));
        assert_eq!(left(0, limit), Look::Short);
    }

    #[test]
    fn memory_watch_without_a_limit_cannot_tell() {
        assert_eq!(look_at(None), Look::Unknown);
        assert_eq!(MemoryWatch::default().look(), Look::Unknown);
    }

    #[test]
    fn memory_watch_asks_anew_at_every_look() {
        let folder = tempfile::tempdir().expect("a folder");
        let watch = MemoryWatch::of_group(folder.path(), GIB, GIB / 2);
        assert!(matches!(watch.look(), Look::Enough(_)));
        std::fs::write(folder.path().join("memory.current"), GIB.to_string()).expect("written");
        assert_eq!(watch.look(), Look::Short);
    }

    #[test]
    fn memory_watch_finds_the_limits_of_this_process() {
        assert_ne!(MemoryWatch::begin().look(), Look::Unknown);
    }
}
