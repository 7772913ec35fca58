//! The judgement why RSS and heap bytes moved apart: kept by the allocator, not touched, not heap.
//!
//! Nobody can see this page by page, so a verdict is a bound that the figures and the samples prove, and
//! silence where they prove little: see [`LEAST`], [`SHARE`] and [`Change::of_calls`].

use memprof_model::data;
use memprof_model::run::{FunctionProfile, HeapFigures, Line};

use super::seen::Seen;
use super::shown_call::{all_read, was_suspended};

/// Differences below this are silence. Allocators hold back some hundred KiB for speed (glibc 128 KiB
/// at the top of its heap), the first use of code brings in some dozen KiB, and a thread's stack as
/// much: none of them is what a reader of a report is looking for.
pub(crate) const LEAST: u64 = 1 << 20;
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
    heap: HeapFigures,
    /// How many calls or hits there were.
    times: u64,
    /// Whether it is that of one call or hit which was never suspended: then nobody else had a part in it.
    is_one: bool,
    /// Whether the change goes up to the end of the calls, not only to some moment in them.
    is_whole: bool,
}

impl Change {
    /// Of all calls. `None` where RSS and heap cannot be compared:
    ///
    /// - the heap was not counted;
    /// - RSS was not read at the ends of every call, while the heap is that of all calls;
    /// - other threads used the heap meanwhile: they may have freed what the calls allocated, and who gave
    ///   pages back is not known.
    pub(crate) fn of_calls(profile: &FunctionProfile) -> Option<Self> {
        let is_known = is_alone(profile.heap_elsewhere) && all_read(profile) && profile.calls > 0;
        Some(Self {
            rss: profile.net_rss,
            rss_peak: profile.peak_rss,
            heap: profile.heap.filter(|_| is_known)?,
            times: profile.calls,
            is_one: profile.calls == 1 && !was_suspended(profile),
            is_whole: true,
        })
    }

    /// Of a line. `None` where RSS and heap cannot be compared: as of calls, and where a part of the line's
    /// change is in its group's figures, or may be somebody else's.
    pub(crate) fn of_line(profile: &FunctionProfile, line: &Line) -> Option<Self> {
        let is_own = line.readings >= line.hits && line.group.is_none() && line.shared == 0;
        let is_known = is_own && is_alone(line.heap_elsewhere);
        Some(Self {
            rss: line.net_rss,
            rss_peak: line.peak_rss,
            heap: line.heap.filter(|_| is_known)?,
            times: line.hits,
            is_one: line.hits == 1 && !was_suspended(profile),
            is_whole: false,
        })
    }

    /// From here on a difference matters.
    pub(crate) fn least(&self) -> u64 {
        let largest = [
            self.rss.unsigned_abs(),
            self.rss_peak,
            self.heap.net.unsigned_abs(),
            self.heap.peak,
        ];
        LEAST.max(largest.into_iter().max().unwrap_or(0) / SHARE)
    }

    /// What one of the calls or hits changed on average.
    pub(crate) fn mean(&self) -> Self {
        let times = self.times.max(1);
        let signed = |sum: i64| sum / i64::try_from(times).unwrap_or(i64::MAX);
        Self {
            rss: signed(self.rss),
            heap: data!(HeapFigures {
                allocated: self.heap.allocated / times,
                freed: self.heap.freed / times,
                net: signed(self.heap.net),
                allocations: self.heap.allocations / times,
                ..self.heap
            }),
            times: 1,
            ..*self
        }
    }

    /// Whether the sum is of what was there at once. A sum over calls is not where callers freed between two
    /// calls what the first had allocated, or allocated what the next one frees.
    pub(crate) fn was_at_once(&self, seen: &Seen) -> bool {
        self.is_one || seen.can_have_lived(self.heap.net.unsigned_abs())
    }

    /// The most that the allocator can have kept of what was freed meanwhile: what a call once had live, or
    /// was live before. A thousand temporaries of one KiB are a KiB, not a thousand.
    fn most_kept(&self, seen: &Seen) -> u64 {
        let before = self.heap.net.min(0).unsigned_abs();
        let once = self.heap.peak.saturating_mul(self.times);
        let kept = self.heap.freed.min(once.saturating_add(before));
        match self.is_one {
            true => kept,
            false => kept.min(seen.most_live().unwrap_or(0)),
        }
    }

    /// The most that the allocator can have added to the blocks.
    fn most_rounding(&self) -> u64 {
        self.heap.allocations.saturating_mul(ROUNDING)
    }

    /// Whether most of the blocks are alive, so that what was added to them is still there.
    fn has_live_blocks(&self) -> bool {
        self.heap.freed <= self.heap.allocated / 2
    }
}

/// Every reason that explains enough of `change` to matter. No amount is more than `seen` allows.
pub(crate) fn judge(change: &Change, seen: &Seen) -> Vec<Verdict> {
    if !change.was_at_once(seen) {
        return Vec::new();
    }
    let least = change.least();
    let (rss, heap) = (change.rss, change.heap.net);
    let mut found = vec![(Why::Live, rss.min(heap).max(0).unsigned_abs())];
    let gap = rss.saturating_sub(heap);
    if gap > 0 {
        let spare = match change.is_whole {
            true => seen.spare_at_end(),
            false => seen.most_spare(),
        };
        let spare = spare.unwrap_or(if change.is_one { u64::MAX } else { 0 });
        found.extend(resident_without_heap(
            change,
            gap.unsigned_abs().min(spare),
            seen,
        ));
    } else {
        let apart = gap.unsigned_abs();
        let untouched = apart.min(heap.max(0).unsigned_abs());
        let returned = Some(apart - untouched).filter(|&bytes| bytes <= seen.range());
        found.extend([
            (Why::Untouched, untouched),
            (Why::Returned, returned.unwrap_or(0)),
        ]);
    }
    if gap.unsigned_abs() < least && seen.has_exact_peaks() {
        let passing = change.heap.peak.saturating_sub(change.rss_peak);
        found.push((Why::PassingUntouched, passing));
    }
    let matters = found.into_iter().filter(|(_, bytes)| *bytes >= least);
    matters.map(|(why, bytes)| Verdict { why, bytes }).collect()
}

/// What explains that `apart` became resident without becoming live heap. Where freed blocks may have left it
/// behind with what was added to them, nothing is said of that part.
fn resident_without_heap(change: &Change, apart: u64, seen: &Seen) -> [(Why, u64); 3] {
    let kept = apart.min(change.most_kept(seen));
    let rounding = (apart - kept).min(change.most_rounding());
    let unasked = apart - kept - rounding;
    let told = if change.has_live_blocks() {
        rounding
    } else {
        0
    };
    [
        (Why::Kept, kept),
        (Why::Rounding, told),
        (Why::Unasked, unasked),
    ]
}

/// Whether other threads used the heap enough to be mentioned in a table or a figure.
pub(crate) fn others_show(others: &HeapFigures) -> bool {
    others.allocated.max(others.freed) >= OTHERS
}

/// Whether other threads did so little on the heap that it explains no difference that matters.
pub(crate) fn is_alone(others: Option<HeapFigures>) -> bool {
    others.is_none_or(|others| others.allocated.max(others.freed) < LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::run::{CallSpread, Quantiles};

    const MIB: i64 = 1 << 20;

    /// A single call that allocated and freed so many MiB, with this change of RSS.
    fn change(rss: i64, allocated: i64, freed: i64) -> Change {
        Change {
            rss: rss * MIB,
            rss_peak: allocated.max(rss).max(0) as u64 * MIB as u64,
            heap: figures(allocated, freed),
            times: 1,
            is_one: true,
            is_whole: true,
        }
    }

    fn figures(allocated: i64, freed: i64) -> HeapFigures {
        data!(HeapFigures {
            allocated: (allocated * MIB) as u64,
            freed: (freed * MIB) as u64,
            net: (allocated - freed) * MIB,
            peak: (allocated * MIB) as u64,
            allocations: 0,
        })
    }

    /// Samples that allow whatever 500 MiB can hold.
    fn roomy() -> Seen {
        Seen::with_room(500 << 20, 500 << 20, 500 << 20)
    }

    #[track_caller]
    fn assert_judged_with(change: &Change, seen: &Seen, expected: &[(Why, i64)]) {
        let judged = judge(change, seen).into_iter();
        let judged: Vec<_> = judged.map(|v| (v.why, v.bytes as i64 / MIB)).collect();
        assert_eq!(judged, expected);
    }

    #[track_caller]
    fn assert_judged(change: &Change, expected: &[(Why, i64)]) {
        assert_judged_with(change, &roomy(), expected);
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
        (temporaries.heap.allocated, temporaries.heap.freed) = (1 << 30, 1 << 30);
        assert_judged(&temporaries, &[(Why::Unasked, 29)]);
        (temporaries.times, temporaries.is_one) = (30, false);
        assert_judged(&temporaries, &[(Why::Kept, 30)]);
        // So much was never alive in the process.
        let seen = Seen::with_room(4 << 20, 500 << 20, 500 << 20);
        assert_judged_with(&temporaries, &seen, &[(Why::Kept, 4), (Why::Unasked, 26)]);
    }

    /// 70.49 MiB of freed heap did not stay: 38 of them had been given back when the calls had ended.
    #[test]
    fn what_was_given_back_by_then_is_not_kept() {
        let mut freed = change(70, 100, 100);
        (freed.times, freed.is_one) = (2, false);
        let seen = Seen::with_room(500 << 20, 32 << 20, 500 << 20);
        assert_judged_with(&freed, &seen, &[(Why::Kept, 32)]);
        // A line is judged by what there was at any moment.
        freed.is_whole = false;
        assert_judged_with(&freed, &seen, &[(Why::Kept, 32)]);
    }

    /// A server whose live heap never passes 0.34 MiB, and a function whose blocks are freed by its callers.
    #[test]
    fn what_never_was_alive_at_once_is_not_judged() {
        let mut handed_over = change(9, 14_906, 0);
        (handed_over.times, handed_over.is_one) = (50_000, false);
        let seen = Seen::with_room(340 << 10, 9 << 20, 9 << 20);
        assert_judged_with(&handed_over, &seen, &[]);
        // Nor is what frees it.
        let mut takes_over = change(9, 0, 14_906);
        (takes_over.times, takes_over.is_one) = (50_000, false);
        assert_judged_with(&takes_over, &seen, &[]);
    }

    /// Three hits that free 28 MiB each, which another line had allocated: 84 MiB never were there at once.
    #[test]
    fn a_mean_hit_is_judged_where_the_sum_is_not() {
        let mut frees = change(-6, 0, 84);
        (frees.times, frees.is_one, frees.is_whole) = (3, false, false);
        let seen = Seen::with_room(28 << 20, 33 << 20, 40 << 20);
        assert!(!frees.was_at_once(&seen));
        assert_judged_with(&frees.mean(), &seen, &[(Why::Kept, 26)]);
    }

    #[test]
    fn small_blocks_take_more_than_was_asked() {
        let mut small = change(32, 8, 0);
        small.heap.allocations = 1 << 20;
        assert_judged(&small, &[(Why::Live, 8), (Why::Rounding, 24)]);
        // Most of them are gone, and what was added to them may be or not.
        (small.heap.freed, small.heap.net) = (8 << 20, 0);
        assert_judged(&small, &[(Why::Kept, 8)]);
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
        (untouched.heap.freed, untouched.heap.net) = (64 << 20, 0);
        assert_judged(&untouched, &[(Why::PassingUntouched, 63)]);
        // Samples of RSS miss what comes and goes between two.
        assert_judged_with(&untouched, &roomy().with_sampled_peaks(), &[]);
    }

    #[test]
    fn rss_may_fall_by_more_than_was_freed_but_not_by_more_than_there_was() {
        assert_judged(&change(-30, 0, 10), &[(Why::Returned, 20)]);
        let seen = Seen::with_room(500 << 20, 500 << 20, 15 << 20);
        assert_judged_with(&change(-30, 0, 10), &seen, &[]);
    }

    #[test]
    fn a_leak_is_live_heap_and_nothing_else() {
        assert_judged(&change(50, 50, 0), &[(Why::Live, 50)]);
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
    fn where_others_used_the_heap_nothing_is_judged() {
        let mut profile = fixture::apart().functions.remove(0);
        assert!(Change::of_calls(&profile).is_some());
        assert!(Change::of_line(&profile, &profile.lines[0]).is_some());
        let others = Some(figures(0, 1));
        profile.heap_elsewhere = others;
        assert!(Change::of_calls(&profile).is_none());
        profile.lines[0].heap_elsewhere = others;
        assert!(Change::of_line(&profile, &profile.lines[0]).is_none());
    }

    /// The heap is that of all calls, RSS that of the calls that were read.
    #[test]
    fn calls_that_were_only_counted_are_not_judged() {
        let mut profile = fixture::apart().functions.remove(0);
        profile.calls = 100_000;
        profile.calls_omitted = 99_999;
        assert!(Change::of_calls(&profile).is_none());
        let read = data!(Quantiles {
            calls: 100_000,
            ..Quantiles::default()
        });
        profile.spread = Some(data!(CallSpread {
            peak_rss: Some(read),
            ..CallSpread::default()
        }));
        assert!(Change::of_calls(&profile).is_some());
    }

    #[test]
    fn lines_are_judged_where_all_of_their_changes_are_their_own() {
        for (_, run) in fixture::all() {
            for function in &run.functions {
                for line in &function.lines {
                    let is_own = line.readings >= line.hits && line.shared == 0;
                    let judged = Change::of_line(function, line).is_some();
                    assert!(!judged || (line.heap.is_some() && is_own));
                }
            }
        }
        let mut profile = fixture::apart().functions.remove(0);
        profile.lines[0].group = Some(0);
        assert!(Change::of_line(&profile, &profile.lines[0]).is_none());
    }
}
