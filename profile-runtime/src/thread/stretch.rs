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
//! where they are until their callee has returned.

use super::line_start::LineStart;
use super::totals::LineTotals;
use crate::counters::counts::Counts;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::heap;

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

/// A stretch begins: notes what the counters of all lines say. The newest hit of the line `beginning` is of the
/// stretch.
pub(super) fn begin(lines: &mut [LineTotals], counters: &SiteCounters, beginning: u32) {
    for (place, line) in lines.iter_mut().enumerate() {
        let now = turns(counters.line(place));
        line.start = LineStart {
            turns: now.wrapping_sub(u64::from(place == beginning as usize)),
            heap: counters.line_heap(place).whole(),
            ..LineStart::default()
        };
    }
}

/// Whether the line at `place` was hit, or gone back to, since the stretch in progress began. The newest hit of the
/// line `beginning` is not of the stretch.
pub(super) fn has_run(
    lines: &[LineTotals],
    counters: &SiteCounters,
    place: u32,
    beginning: u32,
) -> bool {
    let Some(line) = lines.get(place as usize) else {
        return false;
    };
    let newest = u64::from(place == beginning);
    turns(counters.line(place as usize)).wrapping_sub(line.start.turns) > newest
}

/// Divides `net` bytes of RSS, which came or went in `stretch`. Afterwards [`part`] tells each line's part.
pub(super) fn divide(
    lines: &mut [LineTotals],
    counters: &SiteCounters,
    net: i64,
    stretch: Stretch,
) -> Whose {
    match end(lines, counters, net, stretch) {
        (0, _) => Whose::Line(stretch.last.min(stretch.first) as usize),
        (1, only) => Whose::Line(only),
        _ => {
            let left = by_heap(lines, net.unsigned_abs(), net > 0);
            let left = by_experience(lines, left, net);
            let left = i64::try_from(left).unwrap_or(i64::MAX);
            Whose::Lines {
                left: if net < 0 { -left } else { left },
            }
        }
    }
}

/// The part of the line that the last stretch gave it, with the sign of the stretch's change.
pub(super) fn part(line: &LineTotals, net: i64) -> i64 {
    let part = i64::try_from(line.start.part).unwrap_or(i64::MAX);
    if net < 0 { -part } else { part }
}

/// Whether the line ran in the stretch that was divided last.
pub(super) fn ran(line: &LineTotals) -> bool {
    line.start.ran
}

/// The stretch ends, in which `net` bytes came or went: sees what each line did in it. Gives how many ran, and one
/// of them.
fn end(
    lines: &mut [LineTotals],
    counters: &SiteCounters,
    net: i64,
    stretch: Stretch,
) -> (usize, usize) {
    let (mut many, mut one) = (0, 0);
    let little = net.unsigned_abs() as f64 * LITTLE;
    for (place, line) in lines.iter_mut().enumerate() {
        let at = place as u32;
        // Asked for once: a snapshot divides a copy of the state while the thread goes on hitting lines.
        let newest = u64::from(at == stretch.beginning);
        let new = turns(counters.line(place))
            .wrapping_sub(line.start.turns)
            .saturating_sub(newest);
        let mut heap = counters.line_heap(place).whole().since(line.start.heap);
        if at == stretch.last {
            heap = heap.plus(stretch.callee_heap);
        }
        line.start.ran = new > 0 || at == stretch.first || at == stretch.last;
        line.start.heap = at_least_nothing(heap);
        line.start.expected = line.schedule.proven(new, little).unwrap_or(f64::NAN);
        line.start.part = 0;
        if line.start.ran {
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
fn by_heap(lines: &mut [LineTotals], bytes: u64, grew: bool) -> u64 {
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
fn in_proportion(lines: &mut [LineTotals], bytes: u64, most: impl Fn(Counts) -> u64) -> u64 {
    let room = |line: &LineTotals| match line.start.ran {
        true => most(line.start.heap).saturating_sub(line.start.part),
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
        line.start.part += share;
        left -= share;
    }
    left
}

/// Divides `left` bytes by what hits of the lines are proven to keep, if these add up to it. `net`: the stretch's
/// whole change, whose sign decides. Gives what is left.
fn by_experience(lines: &mut [LineTotals], left: u64, net: i64) -> u64 {
    let sign = net.signum() as f64;
    let ran = || lines.iter().filter(|line| line.start.ran);
    let all: f64 = ran().map(|line| line.start.expected * sign).sum();
    let proven = ran().all(|line| line.start.expected * sign >= 0.0)
        && left == net.unsigned_abs()
        && (all - left as f64).abs() <= left as f64 * PROVEN_WITHIN;
    if !proven || all <= 0.0 {
        return left;
    }
    let mut rest = left;
    for line in lines.iter_mut().filter(|line| line.start.ran) {
        let share = (left as f64 * (line.start.expected.abs() / all)).ceil() as u64;
        line.start.part = share.min(rest);
        rest -= line.start.part;
    }
    rest
}
