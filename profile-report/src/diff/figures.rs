//! The figures of a function or a line in each run of both sides, and what of them changed.

use memprof_model::data;
use memprof_model::run::{FunctionProfile, HeapFigures, Line, LineGroup};

use super::change::{Change, Changes};
use super::noise::{self, Resident, signed};

/// The figures of a function or a line in one run.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    count: u64,
    time_ns: u64,
    net_rss: i64,
    peak_rss: u64,
    /// By the calling thread, and by closures on others.
    heap: Option<HeapFigures>,
    own: Option<HeapFigures>,
    /// What others allocated meanwhile.
    elsewhere: u64,
    /// Whether others were at work on the heap, so that the scheduler decides who frees, and when.
    is_concurrent: bool,
    /// Whether others may have a part in the changes of RSS.
    is_shared: bool,
    /// What was read together with other lines: it is not known which of them it belongs to.
    together: u64,
}

impl Figures {
    /// Those of a function.
    pub(super) fn of_function(function: &FunctionProfile) -> Self {
        let workers = function.lines.iter().filter_map(|line| line.workers?.heap);
        let heap = function.heap.map(|heap| workers.fold(heap, both));
        let elsewhere = function.heap_elsewhere.unwrap_or_default().allocations;
        Self {
            count: function.calls,
            time_ns: function.time_ns,
            net_rss: function.net_rss,
            peak_rss: function.peak_rss,
            heap,
            own: function.self_heap,
            elsewhere,
            is_concurrent: elsewhere > 0 || is_on_threads(function),
            is_shared: others_were_at_work(function) || is_on_threads(function),
            together: 0,
        }
    }

    /// Those of a line of `function`.
    pub(super) fn of_line(function: &FunctionProfile, line: &Line) -> Self {
        let workers = line.workers.unwrap_or_default();
        let worked = workers.heap.unwrap_or_default();
        let elsewhere = line.heap_elsewhere.unwrap_or_default().allocations;
        let group = line.group.and_then(|at| function.groups.get(at));
        let is_concurrent = elsewhere > 0 || workers.hits > 0 || is_on_threads(function);
        Self {
            count: line.hits.saturating_add(workers.hits),
            time_ns: line.time_ns,
            net_rss: line.net_rss,
            peak_rss: line.peak_rss,
            heap: line.heap.map(|heap| both(heap, worked)),
            own: line.self_heap,
            elsewhere,
            is_concurrent,
            // What one thread frees goes back to the system or not, by what others have beside it, or had.
            is_shared: others_were_at_work(function) || is_on_threads(function),
            together: group.map_or(0, in_group),
        }
    }

    /// In a run in which it was not called, of those that the side has.
    pub(super) fn absent() -> Self {
        Self {
            heap: Some(HeapFigures::default()),
            own: Some(HeapFigures::default()),
            ..Self::default()
        }
    }

    fn heap(&self) -> HeapFigures {
        self.heap.unwrap_or_default()
    }

    fn own(&self) -> HeapFigures {
        self.own.unwrap_or_default()
    }
}

/// Whether other threads were at work while the function ran: they took memory, or may have.
fn others_were_at_work(function: &FunctionProfile) -> bool {
    let elsewhere = function.heap_elsewhere.unwrap_or_default().allocations;
    elsewhere > 0 || function.lines.iter().any(|line| line.shared > 0)
}

/// Whether calls ran on several threads, or one call on whatever thread there was.
fn is_on_threads(function: &FunctionProfile) -> bool {
    let mut records = function.call_records.iter();
    function.threads > 1 || records.any(|call| call.suspended_ns > 0)
}

/// What both allocated; as much as one of them had at once.
fn both(one: HeapFigures, other: HeapFigures) -> HeapFigures {
    data!(HeapFigures {
        allocated: one.allocated.saturating_add(other.allocated),
        freed: one.freed.saturating_add(other.freed),
        net: one.net.saturating_add(other.net),
        peak: one.peak.max(other.peak),
        allocations: one.allocations.saturating_add(other.allocations),
    })
}

fn in_group(group: &LineGroup) -> u64 {
    group.net_rss.unsigned_abs().max(group.peak_rss)
}

/// The figures of one function or line in all runs that are compared. A side that does not have it at all is empty.
pub(super) struct Sides {
    pub(super) before: Vec<Figures>,
    pub(super) after: Vec<Figures>,
}

/// What holds for all functions and lines.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// By how much RSS differs.
    pub(super) resident: Resident,
    /// Whether all runs of both sides count the heap.
    pub(super) heap: bool,
}

/// How many heap bytes may have come or gone by chance.
#[derive(Clone, Copy)]
pub(super) struct Moved {
    pub(super) here: u64,
    pub(super) in_function: u64,
}

impl Sides {
    /// What changed. `moved` says how many heap bytes may have come or gone with whole allocations by chance
    /// ([`Sides::moved`]): in what this is about, and in the function, where they may be freed in another line.
    pub(super) fn changes(&self, context: Context, moved: Moved) -> Changes {
        let lags = self.lags(context.resident);
        let shorter = self.all().map(|f| f.time_ns).min().unwrap_or_default();
        let changes = Changes {
            count: self.shown(|f| Some(signed(f.count))),
            time_ns: self.highest(|f| signed(f.time_ns), noise::time_ns(shorter)),
            net_rss: self.sum(|f| f.net_rss, self.lags_of_net(lags)),
            peak_rss: self.highest(|f| signed(f.peak_rss), lags),
            ..Changes::default()
        };
        if context.heap {
            self.with_heap(changes, moved)
        } else {
            self.with_heap_shown(changes)
        }
    }

    /// How many heap bytes may have come or gone with whole allocations by chance: of no more allocations than that
    /// happens to, each as large as all that was alive at once.
    pub(super) fn moved(&self) -> u64 {
        let allocations = self.shown(|f| Some(signed(f.heap().allocations)));
        let moved = allocations.change.unsigned_abs().min(self.by_chance());
        moved.saturating_mul(self.on_both_sides(|f| f.heap().peak))
    }

    /// How many allocations may have come or gone by chance. Where threads do each other's work, what one did more
    /// the others did less.
    fn by_chance(&self) -> u64 {
        let allocations = self.shown(|f| Some(signed(f.heap().allocations))).change;
        let elsewhere = self.shown(|f| Some(signed(f.elsewhere))).change;
        let by_others = match allocations.signum() == -elsewhere.signum() {
            true => elsewhere.unsigned_abs(),
            false => 0,
        };
        let made = self.all().map(|f| f.heap().allocations).min();
        noise::allocations(made.unwrap_or_default(), self.are_concurrent())
            .saturating_add(by_others)
    }

    fn with_heap(&self, changes: Changes, moved: Moved) -> Changes {
        let text = |f: &Figures| noise::heap_bytes(f.heap().allocations, f.heap().freed);
        let text = self.all().map(text).max().unwrap_or_default();
        let bytes = text.saturating_add(moved.here);
        let freed = text.saturating_add(moved.in_function);
        let allocated = self.sum(|f| signed(f.heap().allocated), bytes);
        let changes = Changes {
            heap_allocated: allocated,
            heap_freed: self.sum(|f| signed(f.heap().freed), freed),
            heap_net: self.height(|f| f.heap().net, freed, &allocated, Self::sum),
            heap_peak: self.height(|f| signed(f.heap().peak), bytes, &allocated, Self::highest),
            allocations: self.sum(|f| signed(f.heap().allocations), self.by_chance()),
            ..changes
        };
        if self.all().any(|f| f.own.is_none()) {
            return changes;
        }
        let allocated = self.sum(|f| signed(f.own().allocated), bytes);
        Changes {
            self_allocated: allocated,
            self_net: self.height(|f| f.own().net, freed, &allocated, Self::sum),
            self_peak: self.height(|f| signed(f.own().peak), bytes, &allocated, Self::highest),
            ..changes
        }
    }

    /// Heap figures of some of the runs: they are shown, and nothing follows from them.
    fn with_heap_shown(&self, changes: Changes) -> Changes {
        Changes {
            heap_allocated: self.shown(|f| Some(signed(f.heap?.allocated))),
            heap_freed: self.shown(|f| Some(signed(f.heap?.freed))),
            heap_net: self.shown(|f| Some(f.heap?.net)),
            heap_peak: self.shown(|f| Some(signed(f.heap?.peak))),
            allocations: self.shown(|f| Some(signed(f.heap?.allocations))),
            ..changes
        }
    }

    /// The bound of RSS. What is allocated may lie on new pages or on those that the allocator kept, so where the heap
    /// is counted RSS says something only beyond what was on the heap at most.
    fn lags(&self, resident: Resident) -> u64 {
        let together = self.all().map(|f| f.together).max();
        let lags = match self.all().any(|f| f.is_shared) {
            true => resident.shared,
            false => resident.alone,
        };
        let on_heap = self.on_both_sides(|f| f.heap().peak);
        lags.saturating_add(together.unwrap_or_default())
            .saturating_add(on_heap)
    }

    /// What both sides had at least, of what each had at most.
    fn on_both_sides(&self, get: fn(&Figures) -> u64) -> u64 {
        let most = |side: &[Figures]| side.iter().map(get).max();
        most(&self.before)
            .min(most(&self.after))
            .unwrap_or_default()
    }

    /// The same of a net: it may have what others took, or lack what they gave back.
    fn lags_of_net(&self, lags: u64) -> u64 {
        match self.all().any(|f| f.is_shared) {
            true => lags.saturating_mul(2),
            false => lags,
        }
    }

    /// What is alive on the heap, at the end or at most. Where other threads are at work, it is the scheduler that
    /// decides when something is freed, and by whom. So there one run more or less says something only if it
    /// allocated more or less as well.
    fn height(&self, get: Get, bytes: u64, allocated: &Change, of: Compare) -> Change {
        let change = self.shown(|f| Some(get(f))).change;
        let same_way = allocated.certain().signum() == change.signum();
        let bound = match self.are_concurrent() && !same_way {
            true => self.all().map(|f| get(f).unsigned_abs()).max(),
            false => None,
        };
        of(self, get, bound.unwrap_or_default().max(bytes))
    }

    /// A sum over calls or hits. If their number differs a little, as it does where the time decides how many there
    /// are, the sum changed only if each call's part did, too.
    fn sum(&self, get: Get, bound: u64) -> Change {
        let change = self.highest(get, bound);
        let Some(number) = self.shown(|f| Some(signed(f.count))).before else {
            return change;
        };
        let is_near = |f: &Figures| (signed(f.count) / 2..=2 * signed(f.count)).contains(&number);
        if number == 0 || !self.all().all(is_near) || self.after.is_empty() {
            return change;
        }
        let scaled = |f: &Figures| (get(f) as f64 * number as f64 / f.count as f64) as i64;
        let each = Change::new(
            &values(&self.before, scaled),
            &values(&self.after, scaled),
            bound,
        );
        Change {
            counts: change.counts && each.certain().signum() == change.change.signum(),
            ..change
        }
    }

    /// The highest of calls or hits.
    fn highest(&self, get: Get, bound: u64) -> Change {
        Change::new(&values(&self.before, get), &values(&self.after, get), bound)
    }

    /// A figure from which nothing follows.
    fn shown(&self, get: impl Fn(&Figures) -> Option<i64>) -> Change {
        let known = |side: &[Figures]| side.iter().filter_map(&get).collect::<Vec<_>>();
        Change::shown(&known(&self.before), &known(&self.after))
    }

    fn are_concurrent(&self) -> bool {
        self.all().any(|f| f.is_concurrent)
    }

    fn all(&self) -> impl Iterator<Item = &Figures> {
        self.before.iter().chain(&self.after)
    }
}

/// A figure of one run.
type Get = fn(&Figures) -> i64;

/// What becomes of a figure: [`Sides::sum`] or [`Sides::highest`].
type Compare = fn(&Sides, Get, u64) -> Change;

fn values(side: &[Figures], get: impl Fn(&Figures) -> i64) -> Vec<i64> {
    side.iter().map(get).collect()
}
