//! Whose a change of RSS is: what a thread and what others did between two readings of the thread.
//!
//! RSS belongs to the process. What the kernel tells of a thread is how many page faults it had. So growth is
//! known by thread, a page a fault. What RSS then lacks was given back, and what it has beyond came in huge
//! pages; that *rest* is split:
//!
//! ```text
//!   change of RSS   = own faults + faults of others + rest
//!   rest above 0    → huge pages: as the faults are
//!   rest below 0    → given back: as what the thread and others freed, where the heap is counted,
//!                     otherwise as the faults are
//! ```
//!
//! Threads read at different moments, so two of them can see the same pages go. The meter keeps how much was given
//! back and is nobody's yet (`untaken`), so that nothing is taken twice.

use crate::counters::counts::Counts;
use crate::heap::PendingFrees;

/// A huge page, the most that one fault brings.
const HUGE: u64 = 2 << 20;

/// The most that one fault brings where there are no huge pages: the kernel maps so much of a file at once.
const FAULT_AROUND: u64 = 64 << 10;

/// So many page faults of others may be under way at a reading.
const FAULTS_UNDER_WAY: u64 = 8;

/// Something of which a part is the thread's and the rest is others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts<T> {
    pub own: T,
    pub others: T,
}

/// What is known of the time between two readings of a thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between {
    /// Whether it is the time before a thread's first reading: none of it is the thread's.
    pub is_first: bool,
    /// By how much RSS changed.
    pub change: i64,
    /// Page faults; `None` where the system does not count them.
    pub faults: Option<Parts<u64>>,
    /// Whether others had page faults just before the first of the two readings: what came with these may be missing
    /// there.
    pub strayed_before: bool,
    /// What was done on the heap, where it is counted.
    pub heap: Option<Parts<Counts>>,
    /// Bytes of blocks that others were freeing at the first of the two readings: some of their pages had gone.
    pub begun: u64,
    /// What others freed and have not taken as their own, at the second: of blocks that they were freeing some
    /// pages have gone.
    pub pending: PendingFrees,
    /// What was given back until now, whenever that was, and no thread has taken as its own.
    pub untaken: u64,
    /// The thread can have given back no more, in the time that it ran.
    pub most_gone: u64,
    /// What came until now, whenever that was, and no thread has claimed as its own before this reading.
    pub unclaimed: u64,
    /// By how much the thread itself had grown before the first of the two readings.
    pub grown_before: i64,
    /// So much of what faults brought may be missing in RSS at one of the two readings: it was not of quite the
    /// same moment.
    pub lag: u64,
    pub page: u64,
}

/// Whose the change was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Split {
    pub others: i64,
    /// What the thread has claimed of what came, as its own.
    pub claimed: u64,
    /// What the thread has taken of what was given back, as its own.
    pub taken: u64,
    /// So many bytes were split by an estimate.
    pub unsure: u64,
}

impl Parts<Counts> {
    pub(super) fn sum(self) -> Counts {
        self.own.plus(self.others)
    }
}

impl Parts<u64> {
    fn sum(self) -> u64 {
        self.own.saturating_add(self.others)
    }

    /// The own part of `bytes`, which are split as this is. Nothing where this is nothing.
    fn share_of(self, bytes: u64) -> u64 {
        let sum = u128::from(self.sum()).max(1);
        (u128::from(bytes) * u128::from(self.own) / sum) as u64
    }
}

impl Between {
    /// Whose the change was. `others_worked`: the thread was not the only one at work.
    pub(super) fn split(&self, others_worked: bool) -> Split {
        let others_strayed = self.strayed_before || self.faults_in_bytes().others > 0;
        match (self.is_first, others_worked) {
            (true, _) => Split {
                others: self.change,
                unsure: u64::MAX,
                ..Split::default()
            },
            (false, true) => self.between_several(),
            (false, false) if others_strayed => self.beside_stray_faults(),
            (false, false) => Split {
                claimed: self.faults_in_bytes().own + grown(self.rest()),
                taken: given_back(self.rest()),
                ..Split::default()
            },
        }
    }

    /// Others had a few page faults: what came with these is theirs. A thread that reads itself every few microseconds
    /// while another one begins would have all that this one touches otherwise, some pages at a time.
    fn beside_stray_faults(&self) -> Split {
        let (rest, faults) = (self.rest(), self.faults_in_bytes());
        let more = match grown(rest) {
            more if faults.own > 0 && more > self.few_faults() => more,
            _ => 0,
        };
        let less = match given_back(rest) {
            less if less > self.few_faults() => self.in_pages(self.gone(less).0),
            less => self.few_gone(less),
        };
        let claimed = faults.own + more;
        Split {
            others: self.change - (claimed as i64 - less as i64),
            claimed,
            taken: less,
            unsure: 0,
        }
    }

    /// The own part of a few `bytes` that were given back, as it seems: a fault of others may be counted whose page is
    /// not there yet. So what the thread freed counts in whole pages.
    fn few_gone(&self, bytes: u64) -> u64 {
        let freed = self.heap_in_bytes(|counts| counts.freed);
        match freed.own {
            0 => self.in_pages(self.gone(bytes).0),
            _ => bytes.min(self.returnable(freed).own) / self.page * self.page,
        }
    }

    fn between_several(&self) -> Split {
        let rest = self.rest();
        let ((more, more_unsure), (less, less_unsure)) =
            (self.grown(grown(rest)), self.gone(given_back(rest)));
        let claimed = self.faults_in_bytes().own + self.in_pages(more);
        let seen = self.in_pages(less.min(self.untaken));
        let left = self.left_by_all(claimed, seen);
        let taken = seen + left;
        Split {
            others: self.change - (claimed as i64 - taken as i64),
            claimed,
            taken,
            unsure: more_unsure + less_unsure + left,
        }
    }

    /// What threads that read themselves must have given back, although each of them took it for others': what is
    /// untaken beyond all that others can have given back of their own. It is the thread's as far as the thread can
    /// have given back so much, beside what it has `seen` go. Threads would have more in sum than the process
    /// otherwise.
    fn left_by_all(&self, claimed: u64, seen: u64) -> u64 {
        if self.faults.is_none() {
            return 0;
        }
        let of_others = self.unclaimed.saturating_sub(claimed);
        let left = (self.untaken - seen).saturating_sub(of_others);
        let most = match self.heap {
            Some(_) => {
                self.returnable(self.heap_in_bytes(|counts| counts.freed))
                    .own
            }
            None => self.had(),
        };
        self.in_pages(left.min(most.saturating_sub(seen)))
    }

    /// What the thread had at most, of what it touched itself.
    fn had(&self) -> u64 {
        grown(self.grown_before).saturating_add(self.faults_in_bytes().own)
    }

    /// How much higher than at the first reading the thread itself can have been, if the process was up to
    /// `rise` bytes higher. `huge`: a fault may have brought a huge page.
    pub(super) fn most_own(&self, rise: u64, huge: bool) -> u64 {
        match self.faults {
            Some(faults) => self.most_of(faults.own, rise, huge),
            None => rise,
        }
    }

    /// The same for all others together.
    pub(super) fn most_of_others(&self, rise: u64, huge: bool) -> u64 {
        match self.faults {
            Some(faults) => self.most_of(faults.others, rise, huge),
            None => rise,
        }
    }

    fn most_of(&self, faults: u64, rise: u64, huge: bool) -> u64 {
        if faults == 0 {
            return 0;
        }
        let a_fault = if huge { HUGE } else { self.page };
        // What pages of the usual size do not explain may have come with any of the faults.
        let beyond = rise.saturating_sub(self.faults_in_bytes().sum());
        (faults.saturating_mul(a_fault)).saturating_add(beyond)
    }

    /// Whether only huge pages explain that the process was up to `rise` bytes higher.
    pub(super) fn shows_huge_pages(&self, rise: u64) -> bool {
        self.faults
            .is_some_and(|faults| rise >= HUGE && rise > faults.sum().saturating_mul(FAULT_AROUND))
    }

    /// What the faults do not explain.
    fn rest(&self) -> i64 {
        self.change - self.faults_in_bytes().sum() as i64
    }

    fn faults_in_bytes(&self) -> Parts<u64> {
        let faults = self.faults.unwrap_or_default();
        Parts {
            own: faults.own.saturating_mul(self.page),
            others: faults.others.saturating_mul(self.page),
        }
    }

    /// The own part of `bytes` beyond what the faults explain, and how much of them was split by an estimate.
    fn grown(&self, bytes: u64) -> (u64, u64) {
        if bytes <= self.lag.max(self.under_way()) {
            return (0, 0);
        }
        let by_heap = || self.heap_in_bytes(|counts| counts.allocated);
        let by = match self.faults_in_bytes() {
            faults if faults.sum() > 0 => faults,
            _ => by_heap(),
        };
        if by.sum() == 0 {
            return (bytes, bytes);
        }
        (
            by.share_of(bytes),
            if by.own > 0 && by.others > 0 {
                bytes
            } else {
                0
            },
        )
    }

    /// A page is resident before its fault is counted: of a thread that had no fault this is others'.
    fn under_way(&self) -> u64 {
        match self.faults {
            Some(faults) if faults.own == 0 => self.few_faults(),
            _ => 0,
        }
    }

    /// What may come with faults that are under way.
    fn few_faults(&self) -> u64 {
        FAULTS_UNDER_WAY.saturating_mul(self.page)
    }

    /// The own part of `bytes` that were given back, and how much of them was split by an estimate.
    fn gone(&self, bytes: u64) -> (u64, u64) {
        let freed = self.heap_in_bytes(|counts| counts.freed);
        let half_freed = self.begun.saturating_add(self.pending.being_freed);
        if freed.sum() == 0 && half_freed == 0 {
            return (self.gone_by_faults(bytes), bytes);
        }
        if freed.own == 0 {
            return (0, 0);
        }
        // What was freed between the readings comes first, as far as nobody has taken it. Then comes what was
        // half freed at one of them, and what others have taken.
        let new = freed.others.saturating_sub(self.begun);
        let untaken = new.min(self.pending.unsettled);
        let most = self.returnable(Parts {
            own: freed.own,
            others: untaken,
        });
        let of_these = bytes.min(most.sum());
        let beyond = (bytes - of_these).saturating_sub(half_freed + (new - untaken));
        let own = most.share_of(of_these) + freed.share_of(beyond);
        if freed.others == 0 && half_freed == 0 {
            return (own, 0);
        }
        let (least_own, most_own) = (of_these.saturating_sub(most.others), of_these.min(most.own));
        (own, most_own - least_own + (bytes - of_these))
    }

    /// How much of what was `freed` can have been given back: an allocator that handed the same pages out again
    /// has no new faults for them.
    fn returnable(&self, freed: Parts<u64>) -> Parts<u64> {
        let (faults, allocated) = (
            self.faults_in_bytes(),
            self.heap_in_bytes(|counts| counts.allocated),
        );
        let of = |freed: u64, faults: u64, allocated| {
            freed.min(faults.saturating_add(freed).saturating_sub(allocated))
        };
        Parts {
            own: of(freed.own, faults.own, allocated.own),
            others: of(freed.others, faults.others, allocated.others),
        }
    }

    /// The own part of `bytes` that were given back, where nobody counts who freed: what can have come
    /// meanwhile is split as the faults are, and what has gone of older pages is the thread's that sees it
    /// first.
    fn gone_by_faults(&self, bytes: u64) -> u64 {
        let faults = self.faults_in_bytes();
        let new = bytes.min(faults.sum());
        (faults.share_of(new) + (bytes - new)).min(self.most_gone)
    }

    fn heap_in_bytes(&self, bytes: impl Fn(Counts) -> u64) -> Parts<u64> {
        let heap = self.heap.unwrap_or_default();
        Parts {
            own: bytes(heap.own),
            others: bytes(heap.others),
        }
    }

    /// To the nearest page: RSS knows nothing smaller.
    fn in_pages(&self, bytes: u64) -> u64 {
        bytes.saturating_add(self.page / 2) / self.page * self.page
    }
}

/// What came beyond the faults, of a rest.
fn grown(rest: i64) -> u64 {
    u64::try_from(rest).unwrap_or(0)
}

/// What was given back, of a rest.
pub(super) fn given_back(rest: i64) -> u64 {
    grown(rest.saturating_neg())
}

#[cfg(test)]
mod tests;
