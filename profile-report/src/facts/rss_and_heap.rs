//! The judgement why RSS and heap bytes moved apart: kept by the allocator, not touched, not heap.
//!
//! Nobody can see this page by page, so a verdict is a bound that the figures prove, and silence
//! where they prove little: see [`LEAST`] and [`SHARE`].

use memprof_model::run::{FunctionProfile, HeapFigures, Line, Run};

/// Differences below this are silence. Allocators hold back some hundred KiB for speed (glibc 128 KiB
/// at the top of its heap), the first use of code brings in some dozen KiB, and a thread's stack as
/// much: none of them is what a reader of a report is looking for.
const LEAST: u64 = 1 << 20;
/// So are differences below this share of the largest figure in question: allocators round every
/// block up (24 bytes to 32, say), and the report shows the larger figure beside it.
const SHARE: u64 = 16;
/// The most that an allocator adds to a block, in bytes: glibc's smallest takes 32, and one of 25 takes 48.
const ROUNDING: u64 = 31;
/// What other threads do is shown from one page on. Below lie the few bytes that starting a thread takes.
const OTHERS: u64 = 4 << 10;

/// A reason why RSS and heap differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Growth of RSS that is live heap: here they do not differ.
    Live,
    /// Freed heap that is still resident.
    Kept,
    /// What the allocator adds to its blocks.
    Rounding,
    /// Resident without having been allocated meanwhile.
    Unasked,
    /// Live heap that RSS did not follow.
    Untouched,
    /// RSS that fell by more than was freed.
    Returned,
    /// Live heap that RSS did not follow, and that was freed again.
    PassingUntouched,
}

/// A reason and how much it explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The reason.
    pub(crate) why: Why,
    /// Bytes.
    pub(crate) bytes: u64,
}

/// What a function's calls or a line's hits changed, in sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    rss: i64,
    rss_peak: u64,
    /// Of the calling thread.
    own: HeapFigures,
    /// Of all others.
    others: HeapFigures,
    /// How many calls or hits there were.
    times: u64,
}

impl Change {
    /// Of all calls; `None` where the heap was not counted.
    pub(crate) fn of_calls(profile: &FunctionProfile) -> Option<Self> {
        Some(Self {
            rss: profile.net_rss,
            rss_peak: profile.peak_rss,
            own: profile.heap?,
            others: profile.heap_elsewhere.unwrap_or_default(),
            times: profile.calls,
        })
    }

    /// Of a line; `None` where the heap was not counted, or RSS not at every hit: the heap is exact
    /// then, RSS is shared out among lines, and their difference says nothing.
    pub(crate) fn of_line(line: &Line) -> Option<Self> {
        Some(Self {
            rss: line.net_rss,
            rss_peak: line.peak_rss,
            own: line.heap.filter(|_| line.readings >= line.hits)?,
            others: line.heap_elsewhere.unwrap_or_default(),
            times: line.hits,
        })
    }

    /// By how much the heap grew, all threads together: RSS cannot be told apart by thread either.
    pub(crate) fn heap(&self) -> i64 {
        self.own.net.saturating_add(self.others.net)
    }

    /// From here on a difference matters.
    pub(crate) fn least(&self) -> u64 {
        let largest = [
            self.rss.unsigned_abs(),
            self.rss_peak,
            self.heap().unsigned_abs(),
            self.own.peak,
        ];
        LEAST.max(largest.into_iter().max().unwrap_or(0) / SHARE)
    }

    /// The most that the allocator can have kept of what was freed meanwhile: what a call once had
    /// live, or was live before. A thousand temporaries of one KiB are a KiB, not a thousand. How
    /// much others once had live is not known, so theirs counts in full.
    fn most_kept(&self) -> u64 {
        let before = self.own.net.min(0).unsigned_abs();
        let once = self.own.peak.saturating_mul(self.times);
        let own = self.own.freed.min(once.saturating_add(before));
        own.saturating_add(self.others.freed)
    }

    /// The most that the allocator can have added to the blocks.
    fn most_rounding(&self) -> u64 {
        let blocks = self.own.allocations.saturating_add(self.others.allocations);
        blocks.saturating_mul(ROUNDING)
    }
}

/// Every reason that explains enough of `change` to matter.
pub(crate) fn judge(change: &Change) -> Vec<Verdict> {
    let least = change.least();
    let (rss, heap) = (change.rss, change.heap());
    let live = rss.min(heap).max(0).unsigned_abs();
    let gap = rss.saturating_sub(heap);
    let apart = gap.unsigned_abs();
    let mut found = vec![(Why::Live, live)];
    if gap > 0 && apart >= least {
        let kept = apart.min(change.most_kept());
        let rounding = (apart - kept).min(change.most_rounding());
        let unasked = apart - kept - rounding;
        found.extend([
            (Why::Kept, kept),
            (Why::Rounding, rounding),
            (Why::Unasked, unasked),
        ]);
    } else if apart >= least {
        let untouched = apart.min(heap.max(0).unsigned_abs());
        found.extend([
            (Why::Untouched, untouched),
            (Why::Returned, apart - untouched),
        ]);
    }
    let passing = change.own.peak.saturating_sub(change.rss_peak);
    if gap.unsigned_abs() < least {
        found.push((Why::PassingUntouched, passing));
    }
    let matters = found.into_iter().filter(|(_, bytes)| *bytes >= least);
    matters.map(|(why, bytes)| Verdict { why, bytes }).collect()
}

/// Whether other threads used the heap enough to be mentioned in a table or a figure.
pub(crate) fn others_show(others: &HeapFigures) -> bool {
    others.allocated.max(others.freed) >= OTHERS
}

/// Whether other threads used the heap so much that a sentence has to say so.
pub(crate) fn others_matter(change: &Change) -> bool {
    change.others.allocated.max(change.others.freed) >= change.least()
}

/// How far the samples of RSS and live heap lie apart, beyond how far they were at first. Figures of
/// lines and calls cannot tell which memory it is that RSS did not follow; these can, by how much of
/// the one kind there ever was. Without samples everything is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Resident memory that is no live heap: so much the allocator may have had to spare, and RSS
    /// need not follow the heap when it is allocated and touched.
    spare: u64,
    /// Live heap that is not resident: RSS need not fall when it is freed.
    untouched: u64,
}

impl Seen {
    /// In the samples of the run and of the function's shown call.
    pub(crate) fn in_samples(run: &Run, profile: &FunctionProfile) -> Self {
        let of_run = run.series.iter().map(|s| (s.rss, s.heap));
        let of_call = profile.series.iter().map(|s| (s.rss, s.heap));
        let mut beyond_heap = of_run
            .chain(of_call)
            .filter_map(|(rss, heap)| Some(i128::from(rss) - i128::from(heap?)));
        let Some(first) = beyond_heap.next() else {
            return Self {
                spare: u64::MAX,
                untouched: u64::MAX,
            };
        };
        let (low, high) = beyond_heap.fold((first, first), |(low, high), bytes| {
            (low.min(bytes), high.max(bytes))
        });
        let amount = |bytes: i128| u64::try_from(bytes.max(0)).unwrap_or(u64::MAX);
        Self {
            spare: amount(high - first),
            // What was below zero at first was untouched then.
            untouched: amount((first - low).max(-low)),
        }
    }

    /// Whether half of `bytes` or more may have gone into memory that was resident already.
    pub(crate) fn may_be_spare(&self, bytes: u64) -> bool {
        self.spare >= bytes / 2
    }

    /// Whether half of `bytes` or more may never have been resident.
    pub(crate) fn may_be_untouched(&self, bytes: u64) -> bool {
        self.untouched >= bytes / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::data;

    const MIB: i64 = 1 << 20;

    /// A single call that allocated and freed so many MiB, with this change of RSS.
    fn change(rss: i64, allocated: i64, freed: i64) -> Change {
        Change {
            rss: rss * MIB,
            rss_peak: allocated.max(rss).max(0) as u64 * MIB as u64,
            own: data!(HeapFigures {
                allocated: (allocated * MIB) as u64,
                freed: (freed * MIB) as u64,
                net: (allocated - freed) * MIB,
                peak: (allocated * MIB) as u64,
                allocations: 0,
            }),
            others: HeapFigures::default(),
            times: 1,
        }
    }

    #[track_caller]
    fn assert_judged(change: &Change, expected: &[(Why, i64)]) {
        let judged = judge(change).into_iter();
        let judged: Vec<_> = judged.map(|v| (v.why, v.bytes as i64 / MIB)).collect();
        assert_eq!(judged, expected);
    }

    #[test]
    fn what_was_freed_and_stays_resident_is_kept() {
        assert_judged(&change(20, 20, 20), &[(Why::Kept, 20)]);
        // Allocated before the call, freed in it.
        assert_judged(&change(0, 0, 20), &[(Why::Kept, 20)]);
        // Half of it was given back.
        assert_judged(&change(-10, 0, 20), &[(Why::Kept, 10)]);
    }

    #[test]
    fn no_more_was_kept_than_was_live_at_once() {
        let mut temporaries = change(30, 1, 1);
        (temporaries.own.allocated, temporaries.own.freed) = (1 << 30, 1 << 30);
        assert_judged(&temporaries, &[(Why::Unasked, 29)]);
        temporaries.times = 30;
        assert_judged(&temporaries, &[(Why::Kept, 30)]);
    }

    #[test]
    fn small_blocks_take_more_than_was_asked() {
        let mut small = change(32, 8, 0);
        small.own.allocations = 1 << 20;
        assert_judged(&small, &[(Why::Live, 8), (Why::Rounding, 24)]);
    }

    #[test]
    fn growth_without_an_allocation_is_not_called_heap() {
        assert_judged(&change(40, 0, 0), &[(Why::Unasked, 40)]);
        assert_judged(&change(40, 10, 0), &[(Why::Live, 10), (Why::Unasked, 30)]);
    }

    #[test]
    fn live_heap_that_rss_did_not_follow_was_not_touched() {
        let mut untouched = change(1, 64, 0);
        untouched.rss_peak = 1 << 20;
        assert_judged(&untouched, &[(Why::Untouched, 63)]);
        (untouched.own.freed, untouched.own.net) = (64 << 20, 0);
        assert_judged(&untouched, &[(Why::PassingUntouched, 63)]);
    }

    #[test]
    fn rss_may_fall_by_more_than_was_freed() {
        assert_judged(&change(-30, 0, 10), &[(Why::Returned, 20)]);
    }

    #[test]
    fn a_leak_is_live_heap_and_nothing_else() {
        assert_judged(&change(50, 50, 0), &[(Why::Live, 50)]);
    }

    #[test]
    fn other_threads_explain_rss_too() {
        let mut shared = change(64, 0, 0);
        shared.others = change(0, 64, 0).own;
        assert_judged(&shared, &[(Why::Live, 64)]);
        assert!(others_matter(&shared));
    }

    #[test]
    fn little_is_silence() {
        let mut little = change(0, 0, 0);
        little.rss = LEAST as i64 - 1;
        assert_judged(&little, &[]);
        // 3 of 100 MiB: what rounding makes of small blocks.
        assert_judged(&change(103, 100, 0), &[(Why::Live, 100)]);
    }

    #[test]
    fn lines_measured_in_part_are_not_judged() {
        for (_, run) in fixture::all() {
            for line in run.functions.iter().flat_map(|f| &f.lines) {
                let judged = Change::of_line(line).is_some();
                assert!(!judged || (line.heap.is_some() && line.readings >= line.hits));
            }
        }
    }

    #[test]
    fn samples_show_what_is_resident_beyond_the_heap_and_the_other_way_round() {
        let mut run = fixture::heap();
        let profile = run.functions.remove(1);
        let seen = |run: &Run, bytes| {
            let seen = Seen::in_samples(run, &profile);
            (seen.may_be_spare(bytes), seen.may_be_untouched(bytes))
        };
        // RSS is always nine MiB above the heap there.
        assert_eq!(seen(&run, 2 << 20), (false, false));
        run.series[3].heap = run.series[3].heap.map(|heap| heap - (1 << 20));
        assert_eq!(seen(&run, 2 << 20), (true, false));
        assert_eq!(seen(&run, 3 << 20), (false, false));
        run.series[4].heap = Some(run.series[4].rss + 1);
        assert_eq!(seen(&run, 2 << 20), (true, true));
        let uncounted = fixture::inverse();
        let seen = Seen::in_samples(&uncounted, &uncounted.functions[0]);
        assert!(seen.may_be_spare(1 << 40) && seen.may_be_untouched(1 << 40));
    }
}
