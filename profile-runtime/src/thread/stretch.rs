//! A stretch: lines that ran without readings between them, and what of its change of RSS is whose.
//!
//! A stretch begins with a reading and ends with one. Its change is never guessed (docs/whose-memory.md):
//!
//! 1. One line ran: the change is that line's.
//! 2. Several ran and the heap is counted: each line gets what it did on the heap (`by_heap`).
//! 3. Single hits of these lines were read by themselves, often enough to prove the shares
//!    (`hit_schedule.rs`): each gets its share (`by_experience`).
//! 4. What is left belongs to these lines together: to their group (`line_group.rs`).
//!
//! ```text
//!   stretch: net +1,000 KiB; no line did anything on the heap
//!            unread hits × bytes that a hit keeps, proven = expected    part
//!   line 2      200      ×          3 KiB                 = 600 KiB      750 KiB
//!   line 3      200      ×          1 KiB                 = 200 KiB      250 KiB
//!   line 4      200      ×          0                     =   0            0
//! ```
//!
//! Whether a line ran is seen in its counters: they are noted when the stretch begins ([`LineStart`]). Only one
//! stretch of a thread is in progress at a time: a reading ends those of the outer calls, whose lines stay
//! where they are until their callee has returned. So a thread needs only one set of notes.

use super::line_group::LineGroup;
use super::line_start::LineStart;
use super::totals::LineTotals;
use crate::counters::counts::Counts;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::heap;
use crate::site::registered::RegisteredSite;

/// What the allocator takes for a block beside the bytes asked for, at most: 16 for its header, 15 for alignment
/// (glibc; others take less for small blocks).
const BESIDE: u64 = 31;

/// A line that is proven to have at most this part of a stretch's change has none of it.
const LITTLE: f64 = 1.0 / 16.0;

/// Parts that are proven must add up to what was read but for this part of it.
const PROVEN_WITHIN: f64 = 0.25;

/// The lines between two readings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// The line at which the call was when the stretch began.
    pub first: u32,
    /// The line at which the call is now.
    pub last: u32,
    /// The line that begins now: its newest hit is not of the stretch.
    pub beginning: u32,
    /// What a callee that is in progress on the last line has done on the heap so far.
    pub callee_heap: Counts,
}

/// Whose the change of a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// One line's, at this place.
    Line(usize),
    /// Several lines': each has its [`part`], and this much is the group's.
    Lines { left: i64 },
}

/// How often a line was hit or gone back to.
fn turns(line: Option<&LineCounters>) -> u64 {
    line.map_or(0, |line| line.hits().wrapping_add(line.resumes()))
}

/// What a thread has noted of its stretch in progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct StretchNotes {
    /// The number of the site whose lines run in it. Calls of other sites that were not read yet may be inside.
    site: Option<usize>,
    /// By place in the site's list.
    lines: Vec<LineStart>,
    /// Room for the groups of one site's lines: most functions never need theirs.
    pub spare_groups: Vec<LineGroup>,
}

impl StretchNotes {
    /// Makes room for stretches of a site with so many lines.
    pub(super) fn make_room(&mut self, lines: usize) {
        self.lines.reserve(lines.saturating_sub(self.lines.len()));
        if self.spare_groups.capacity() < lines {
            self.spare_groups.reserve_exact(lines);
        }
    }

    /// A stretch of `site` begins: notes what the counters of all its lines say. The newest hit of the line `beginning`
    /// is of the stretch.
    pub(super) fn begin(&mut self, site: &RegisteredSite, counters: &SiteCounters, beginning: u32) {
        self.site = Some(site.id);
        self.lines.clear();
        // `memory_usage` has no lines of its own, and counts on those of its caller.
        let lines = 0..site.spec.lines.len();
        self.lines.extend(lines.map(|place| LineStart {
            turns: turns(counters.line(place)).wrapping_sub(u64::from(place == beginning as usize)),
            heap: counters.line_heap(place).whole(),
            ..LineStart::default()
        }));
    }

    /// What is noted of the line at this place of the site.
    fn line(&self, site: usize, place: u32) -> Option<&LineStart> {
        let lines = (self.site == Some(site)).then_some(&self.lines)?;
        lines.get(place as usize)
    }

    /// Whether the site's line at `place` was hit, or gone back to, since the stretch in progress began. The newest hit
    /// of the line `beginning` is not of the stretch.
    pub(super) fn has_run(
        &self,
        site: usize,
        counters: &SiteCounters,
        place: u32,
        beginning: u32,
    ) -> bool {
        let Some(line) = self.line(site, place) else {
            return false;
        };
        let newest = u64::from(place == beginning);
        turns(counters.line(place as usize)).wrapping_sub(line.turns) > newest
    }

    /// Divides `net` bytes of RSS, which came or went in `stretch`. Afterwards [`StretchNotes::part`] tells each line's
    /// part.
    pub(super) fn divide(
        &mut self,
        lines: &[LineTotals],
        counters: &SiteCounters,
        net: i64,
        stretch: Stretch,
    ) -> Whose {
        match end(&mut self.lines, lines, counters, net, stretch) {
            (0, _) => Whose::Line(stretch.last.min(stretch.first) as usize),
            (1, only) => Whose::Line(only),
            _ => {
                let left = by_heap(&mut self.lines, net.unsigned_abs(), net > 0);
                let left = by_experience(&mut self.lines, left, net);
                let left = i64::try_from(left).unwrap_or(i64::MAX);
                Whose::Lines {
                    left: if net < 0 { -left } else { left },
                }
            }
        }
    }

    /// The part that the line at `place` has of the stretch that was divided last, with the sign of its change.
    pub(super) fn part(&self, place: usize, net: i64) -> i64 {
        let part = self.lines.get(place).map_or(0, |line| line.part);
        let part = i64::try_from(part).unwrap_or(i64::MAX);
        if net < 0 { -part } else { part }
    }

    /// Whether the line at `place` ran in the stretch that was divided last.
    pub(super) fn ran(&self, place: usize) -> bool {
        self.lines.get(place).is_some_and(|line| line.ran)
    }

    /// Bytes that it holds beside itself.
    pub(super) fn bytes(&self) -> u64 {
        let lines = self.lines.capacity() * size_of::<LineStart>();
        (lines + self.spare_groups.capacity() * size_of::<LineGroup>()) as u64
    }
}

/// The stretch ends, in which `net` bytes came or went: sees what each line did in it. Gives how many ran, and one
/// of them.
fn end(
    notes: &mut [LineStart],
    lines: &[LineTotals],
    counters: &SiteCounters,
    net: i64,
    stretch: Stretch,
) -> (usize, usize) {
    let (mut many, mut one) = (0, 0);
    let little = net.unsigned_abs() as f64 * LITTLE;
    for (place, (note, line)) in notes.iter_mut().zip(lines).enumerate() {
        let at = place as u32;
        // Asked for once: a snapshot divides a copy of the state while the thread goes on hitting lines.
        let newest = u64::from(at == stretch.beginning);
        let new = turns(counters.line(place))
            .wrapping_sub(note.turns)
            .saturating_sub(newest);
        let mut heap = counters.line_heap(place).whole().since(note.heap);
        if at == stretch.last {
            heap = heap.plus(stretch.callee_heap);
        }
        note.ran = new > 0 || at == stretch.first || at == stretch.last;
        note.heap = at_least_nothing(heap);
        note.expected = line.schedule.proven(new, little).unwrap_or(f64::NAN);
        note.part = 0;
        if note.ran {
            (many, one) = (many + 1, place);
        }
    }
    (many, one)
}

/// What closures did is taken off a line before the callee that ran them has returned, and is added to it then. In
/// between the line's counts can be below those of before.
fn at_least_nothing(heap: Counts) -> Counts {
    let positive = |count: u64| u64::try_from(count as i64).unwrap_or(0);
    Counts {
        allocated: positive(heap.allocated),
        freed: positive(heap.freed),
        allocations: positive(heap.allocations),
    }
}

/// Divides `bytes` by what the lines did on the heap, no line getting more than it can have brought or freed.
/// Gives what is left.
fn by_heap(lines: &mut [LineStart], bytes: u64, grew: bool) -> u64 {
    if !heap::is_counted() {
        return bytes;
    }
    // First what a line kept or gave back, then what it allocated or freed on the way.
    let left = in_proportion(lines, bytes, |heap| {
        let net = if grew { heap.live() } else { -heap.live() };
        u64::try_from(net).unwrap_or(0)
    });
    in_proportion(lines, left, |heap| match grew {
        true => (heap.allocated).saturating_add(heap.allocations.saturating_mul(BESIDE)),
        false => heap.freed,
    })
}

/// Gives each line as many of `bytes` as `most` allows for it, beside what the line has got already; if there are
/// fewer bytes, in proportion to that. Gives what is left.
fn in_proportion(lines: &mut [LineStart], bytes: u64, most: impl Fn(Counts) -> u64) -> u64 {
    let room = |line: &LineStart| match line.ran {
        true => most(line.heap).saturating_sub(line.part),
        false => 0,
    };
    let all: u128 = lines.iter().map(|line| u128::from(room(line))).sum();
    if all == 0 {
        return bytes;
    }
    let given = u128::from(bytes).min(all);
    let mut left = bytes;
    for line in lines.iter_mut() {
        // Rounded up, as long as there are bytes: nothing is left over by rounding.
        let share = (u128::from(room(line)) * given).div_ceil(all);
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(left);
        line.part += share;
        left -= share;
    }
    left
}

/// Divides `left` bytes by what hits of the lines are proven to keep, if these add up to it. `net`: the stretch's
/// whole change, whose sign decides. Gives what is left.
fn by_experience(lines: &mut [LineStart], left: u64, net: i64) -> u64 {
    let sign = net.signum() as f64;
    let ran = || lines.iter().filter(|line| line.ran);
    let all: f64 = ran().map(|line| line.expected * sign).sum();
    let proven = ran().all(|line| line.expected * sign >= 0.0)
        && left == net.unsigned_abs()
        && (all - left as f64).abs() <= left as f64 * PROVEN_WITHIN;
    if !proven || all <= 0.0 {
        return left;
    }
    let mut rest = left;
    for line in lines.iter_mut().filter(|line| line.ran) {
        let share = (left as f64 * (line.expected.abs() / all)).ceil() as u64;
        line.part = share.min(rest);
        rest -= line.part;
    }
    rest
}
