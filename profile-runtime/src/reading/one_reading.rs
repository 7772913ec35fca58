//! What one reading says, and what is remembered from one reading to the next.

use super::split::Parts;
use crate::counters::counts::Counts;
use crate::heap;
use memprof_model::data;
use memprof_model::run::Sample;
use memprof_model::run::SeriesPoint;

/// What is split by an estimate and makes nothing doubtful.
const STRAY_BYTES: u64 = 32 << 10;

/// A reading: the process's memory at a moment, as one thread sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// Since the run's start. No two readings of a thread are at the same moment.
    pub t_ns: u64,
    pub rss: u64,
    /// By how many bytes others have changed RSS so far, as far as the thread knows. Only differences between
    /// readings of one thread say something.
    pub others: i64,
    /// What all other threads did on the heap so far; zero without the counting allocator.
    pub other_threads: Counts,
    /// Live heap bytes of all threads; 0 without the counting allocator.
    pub heap: u64,
    /// Whether other threads were at work since this thread's previous reading. Of a reading on nobody's behalf:
    /// whether several threads are in calls.
    pub others_worked: bool,
    /// How many bytes of what happened since then were split between the thread and others by an estimate;
    /// [`u64::MAX`] where nothing is known.
    pub unsure: u64,
}

impl Reading {
    /// The process at `t_ns`, as seen by none of the program's threads.
    #[cfg(feature = "report")]
    pub(crate) fn of_process(t_ns: u64, rss: u64) -> Reading {
        Reading {
            t_ns,
            rss,
            heap: live_heap(),
            ..Reading::default()
        }
    }

    /// RSS without what others changed: the thread's own level, from which everything of its own is reckoned.
    pub(crate) fn own(self) -> i64 {
        self.rss as i64 - self.others
    }

    /// As a height.
    pub(crate) fn high(self) -> High {
        self.high_of(self.rss)
    }

    /// A height of RSS since the previous reading. Where others were at work, too, nothing of a height that has
    /// passed is the thread's.
    pub(crate) fn high_of(self, rss: u64) -> High {
        let own = match self.others_worked {
            true => self.own(),
            false => rss as i64 - self.others,
        };
        High { rss, own }
    }

    /// Whether more was split by an estimate than the pages of a stack or two.
    pub(crate) fn is_shared(self) -> bool {
        self.unsure > STRAY_BYTES
    }

    /// This reading at a later moment, as if only time had passed.
    pub(crate) fn at(self, t_ns: u64) -> Reading {
        Reading { t_ns, ..self }
    }

    /// Whichever of the two was taken later. The other threads' heap is always this reading's, since `other`
    /// was not taken by the same thread. If several threads are in calls, nobody knows yet what has changed since
    /// by whom: nothing of it is this thread's.
    pub(crate) fn or_later(self, other: Reading) -> Reading {
        if other.t_ns > self.t_ns {
            let change = match other.others_worked {
                true => other.rss.wrapping_sub(self.rss) as i64,
                false => 0,
            };
            Reading {
                others: self.others + change,
                other_threads: self.other_threads,
                ..other
            }
        } else {
            self
        }
    }

    /// As a sample during a call that is at `line`.
    pub(crate) fn point(self, line: u32) -> LinePoint {
        LinePoint {
            t_ns: self.t_ns,
            rss: self.rss,
            heap: self.heap,
            line,
        }
    }

    /// As a sample of the process.
    pub(crate) fn sample(self) -> Sample {
        sample(self.t_ns, self.rss, self.heap)
    }
}

/// How high memory was between two readings of a thread, or in a longer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct High {
    /// The highest RSS of the process.
    pub rss: u64,
    /// The highest own level of the thread.
    pub own: i64,
}

impl High {
    /// The height of both times together.
    pub(crate) fn max(self, other: High) -> High {
        High {
            rss: self.rss.max(other.rss),
            own: self.own.max(other.own),
        }
    }
}

/// What a thread remembers of its last reading, to tell whether other threads were at work since.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastReading {
    /// Number of the reading, among those of all threads; 0 before the thread's first.
    pub(super) number: u64,
    pub(super) rss: u64,
    /// See [`Reading::others`].
    pub(super) others: i64,
    /// The thread's own level at its first reading.
    pub(super) own_at_first: i64,
    /// Page faults of the process until then.
    pub(super) faults: u64,
    /// Page faults of the thread until then.
    pub(super) thread_faults: u64,
    /// Processor time of the thread until then, or until some reading before.
    pub(super) cpu_ns: u64,
    /// What was done on the heap until then, where it is counted.
    pub(super) heap: Parts<Counts>,
    /// Bytes of blocks that other threads were freeing.
    pub(super) being_freed: u64,
    /// Page faults while it was taken.
    pub(super) meanwhile: u64,
    /// Whether others were at work before it.
    pub(super) others_worked: bool,
    /// Whether others had page faults before it.
    pub(super) others_strayed: bool,
}

impl LastReading {
    /// Before the first reading of another thread, which goes on with the same recorder.
    pub(crate) fn of_next_thread(self) -> LastReading {
        LastReading {
            rss: self.rss,
            others: self.others,
            ..LastReading::default()
        }
    }
}

/// A sample during a call; `line` is an index into the site's lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinePoint {
    pub t_ns: u64,
    pub rss: u64,
    /// Live heap bytes of the process; 0 without the counting allocator.
    pub heap: u64,
    pub line: u32,
}

impl SeriesPoint for LinePoint {
    fn t_ns(&self) -> u64 {
        self.t_ns
    }
    fn value(&self) -> u64 {
        self.rss
    }
}

/// A sample of the process, without heap where that is not counted.
pub(super) fn sample(t_ns: u64, rss: u64, heap: u64) -> Sample {
    let heap = heap::is_counted().then_some(heap);
    data!(Sample { t_ns, rss, heap })
}

/// Live heap bytes of all threads; 0 without the counting allocator.
pub(super) fn live_heap() -> u64 {
    let live = heap::of_all_threads().map_or(0, Counts::live);
    u64::try_from(live).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(t_ns: u64, rss: u64, allocated: u64) -> Reading {
        Reading {
            t_ns,
            rss,
            others: 6,
            other_threads: Counts {
                allocated,
                ..Counts::default()
            },
            heap: 3,
            others_worked: false,
            unsure: 5,
        }
    }

    #[test]
    fn reading_a_later_moment_in_which_only_time_has_passed() {
        assert_eq!(at(10, 1, 2).at(30), at(30, 1, 2));
    }

    #[test]
    fn reading_the_later_of_two_readings_keeps_what_this_one_knew_of_other_threads() {
        let this = at(10, 1, 2);
        assert_eq!(this.or_later(at(11, 7, 8)), at(11, 7, 2));
        assert_eq!(this.or_later(at(10, 7, 8)), this, "no later");
        assert_eq!(this.or_later(at(9, 7, 8)), this);
    }

    #[test]
    fn reading_a_point_is_the_reading_at_a_line() {
        let point = at(10, 20, 0).point(4);
        assert_eq!(
            (point.t_ns, point.rss, point.heap, point.line),
            (10, 20, 3, 4)
        );
        assert_eq!(
            (SeriesPoint::t_ns(&point), SeriesPoint::value(&point)),
            (10, 20)
        );
    }

    #[test]
    fn reading_a_sample_is_the_moment_and_its_rss() {
        let sample = at(10, 20, 0).sample();
        assert_eq!((sample.t_ns, sample.rss), (10, 20));
    }

    #[cfg(feature = "report")]
    #[test]
    fn reading_a_reading_of_the_process_is_on_nobody_s_behalf() {
        let reading = Reading::of_process(10, 20);
        let expected = Reading {
            t_ns: 10,
            rss: 20,
            heap: reading.heap,
            ..Reading::default()
        };
        assert_eq!(reading, expected);
    }
}
