//! Copies a thread's state while the thread goes on. The lock is held for a few functions or calls at a time,
//! so that the thread never waits long for it.
//!
//! 1. The totals of functions without a call in progress are copied first, a few at a time: they change only
//!    as a whole.
//! 2. The lower calls of a deep stack come next, a few at a time. They do not change while calls above them
//!    are in progress; [`ThreadState::lowest`] says how far down the stack came meanwhile, and what lay above
//!    that is copied again.
//! 3. The rest is copied at once, so that it is of one moment: the upper calls, and the totals of all
//!    functions with calls in progress.

use std::sync::atomic::Ordering::Relaxed;

use super::booking::Ending;
use super::call_stack::{ThreadHeap, ThreadState};
use super::open_call::{Kind, OpenCall};
use super::thread_recorder::ThreadRecorder;
use super::totals::SiteTotals;
use crate::counters::counts::Counts;
use crate::counters::line::NO_LINE;
use crate::reading::one_reading::Reading;
use memprof_model::run::{Call, Outcome};

// What is copied at most while the lock is held: some microseconds, most of it for new pages.
const FUNCTIONS: usize = 8;
const LINES: usize = 64;
const CALLS: usize = 16;

/// Spins between two pieces, for which others may have the lock: about as long as it was held.
const PAUSE: usize = 64;

/// How often copying the lower calls is tried while the stack keeps going down below them and up again.
const TRIES: usize = 4;

/// What a thread has recorded, as if its calls in progress ended now.
#[derive(Debug)]
pub(crate) struct ThreadSnapshot {
    /// In the order of sites.
    pub totals: Vec<SiteTotals>,
    /// The calls in progress, in the order of sites.
    pub running: Vec<(OpenCall, Call)>,
    /// What the lines' counters do not have yet.
    pub callees: Vec<CalleeHeap>,
}

/// What callees in progress did on the heap: the counters of the line that made the call have it when they end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CalleeHeap {
    /// The caller's site, and the place of its line.
    pub site: usize,
    pub line: usize,
    /// Whether the caller is a closure that works for another thread.
    pub elsewhere: bool,
    pub change: Counts,
    pub peak: u64,
}

/// A copy in the making.
#[derive(Debug, Default)]
struct PartialCopy {
    /// Whether calls are copied with their samples.
    with_series: bool,
    /// By the site's number.
    totals: Vec<Option<Box<SiteTotals>>>,
    /// Sites that had calls in progress when their totals would have been copied.
    busy: Vec<usize>,
    /// The lower calls on the stack.
    stack: Vec<OpenCall>,
}

impl ThreadRecorder {
    /// The totals as if every call in progress ended with `now`, and these calls as data.
    ///
    /// `with_series`: the calls come with their samples, for which the thread may have to wait longer.
    pub(crate) fn snapshot(&self, now: Reading, with_series: bool) -> ThreadSnapshot {
        let copy = self.copy_ahead(with_series);
        let guard = self.state();
        let look = self.counted.look(|tries| self.hold_still(tries));
        let counted = look.iter().flat_map(|look| &look.counted);
        let counted = counted.map(|(start, _)| start.site.id);
        let mut state = ThreadState {
            last: guard.last.or_later(now),
            thread: guard.thread,
            ..copy.finish(&guard, counted)
        };
        let before = guard.last;
        let line = self.line_of_measured(&guard);
        let heap = self.heap(&guard);
        let high = state.last.high_of(self.high.load(Relaxed));
        drop(guard);
        if let Some(innermost) = state.stack.last_mut() {
            innermost.line = line;
        }
        if let Some(look) = look {
            state.set_position(look.measured);
            for (start, position) in look.counted {
                state.open_promoted(start, position);
            }
        }
        let line = state.stack.last().map_or(NO_LINE, |call| call.line);
        state.note_reading(before, high, line, None, false);
        state.end_all(heap)
    }

    /// Another thread, which holds the lock, waits for the counted calls to hold still. Asked for a reading,
    /// the owner comes for the lock, and waits there.
    fn hold_still(&self, tries: usize) {
        match tries {
            0..10 => std::hint::spin_loop(),
            10 => self.ask_for_reading(),
            // The processor is not given away at once: the owner may be on its way to the lock.
            11..1_000 => std::hint::spin_loop(),
            _ => std::thread::yield_now(),
        }
    }

    /// Copies what can be copied before the last piece ([`PartialCopy::finish`]).
    fn copy_ahead(&self, with_series: bool) -> PartialCopy {
        let mut copy = PartialCopy {
            with_series,
            ..PartialCopy::default()
        };
        loop {
            // Memory is allocated before the lock is taken.
            copy.totals.reserve(FUNCTIONS);
            copy.busy.reserve(FUNCTIONS);
            let more = copy.idle_functions(&self.state());
            pause();
            if !more {
                break;
            }
        }
        let mut pieces = 0;
        loop {
            copy.stack.reserve(CALLS);
            let left = copy.lower_calls(&mut self.state());
            pause();
            pieces += 1;
            // The deeper the stack, the more pieces a try takes.
            let most = TRIES * (1 + (copy.stack.len() + left) / CALLS);
            if left <= CALLS || pieces > most {
                break;
            }
        }
        let busy = copy.stack.iter().map(|call| call.site.id);
        copy.busy.extend(busy);
        each_once(&mut copy.busy);
        copy.busy.reserve(2 * CALLS);
        copy
    }
}

impl ThreadState {
    /// Ends all calls of this copy with its last reading; the innermost is at its line. `heap`: what the thread
    /// has done on the heap by then.
    fn end_all(mut self, heap: Option<ThreadHeap>) -> ThreadSnapshot {
        let (mut running, mut callees) = (Vec::new(), Vec::new());
        let mut heap_high = heap.map_or(i64::MIN, |heap| heap.high);
        while let Some(innermost) = self.stack.last() {
            let line = innermost.line;
            self.book_change(Ending::of_call(line, false, false));
            let Some(mut call) = self.pop() else { break };
            call.heap_high = call.heap_high.max(heap_high);
            heap_high = call.heap_high;
            let heap = heap.map_or(call.heap_entry, |heap| heap.counts);
            self.hand_heap_on(&call, heap, &mut callees);
            let mut record = self.add_to_totals(&call, false, heap);
            record.outcome = Outcome::Running;
            if call.kind == Kind::Call {
                running.push((call, record));
            }
        }
        running.sort_by_key(|(call, _)| call.site.id);
        ThreadSnapshot {
            totals: self
                .totals
                .into_iter()
                .flatten()
                .map(|totals| *totals)
                .collect(),
            running,
            callees,
        }
    }

    /// What `call`, which has left the stack, did on the heap belongs to the line that made the call, too: see
    /// `ThreadRecorder::go_back_to_caller`.
    fn hand_heap_on(&self, call: &OpenCall, heap: Counts, callees: &mut Vec<CalleeHeap>) {
        let change = heap.since(call.heap_entry);
        if let Some(around) = call.around
            && let Some(outer) = self.stack.get(around as usize)
        {
            let taken_off = Counts::default().since(change);
            callees.push(CalleeHeap::of(outer, taken_off, i64::MIN));
        }
        let mut callers = self.stack.iter().rev();
        if let Some(outer) = callers.find(|outer| outer.kind != Kind::Usage) {
            let rise = call.heap_high.wrapping_sub(outer.heap_line_start);
            callees.push(CalleeHeap::of(outer, call.of_callee(change), rise));
        }
    }
}

impl CalleeHeap {
    /// A callee of the current line of `outer` did `change`; live bytes rose by `rise` at most.
    fn of(outer: &OpenCall, change: Counts, rise: i64) -> CalleeHeap {
        CalleeHeap {
            site: outer.site.id,
            // As the counters have it: what happens before the first line counts for that line.
            line: outer
                .counters
                .line(outer.line as usize)
                .map_or(0, |_| outer.line) as usize,
            elsewhere: outer.kind == Kind::OtherThread,
            change,
            peak: u64::try_from(rise).unwrap_or(0),
        }
    }
}

impl PartialCopy {
    /// Copies the totals of some more functions. Says whether there are others left.
    fn idle_functions(&mut self, state: &ThreadState) -> bool {
        let from = self.totals.len();
        let mut lines = 0;
        for (id, totals) in state.totals.iter().enumerate().skip(from).take(FUNCTIONS) {
            if lines > LINES {
                break;
            }
            let idle = totals.as_ref().filter(|totals| totals.innermost.is_none());
            if totals.is_some() && idle.is_none() {
                self.busy.push(id);
            }
            lines += idle.map_or(0, |totals| totals.lines.len());
            self.totals.push(idle.cloned());
        }
        self.totals.len() < state.totals.len()
    }

    /// Copies some more of the lower calls. Gives how many calls of the stack are not copied yet.
    fn lower_calls(&mut self, state: &mut ThreadState) -> usize {
        self.stack.truncate(state.untouched());
        state.lowest = state.stack.len();
        let copied = self.stack.len();
        // The innermost call is left to the last piece: it changes all the time.
        let to = (copied + CALLS).min(state.stack.len().saturating_sub(1));
        let calls = state.stack.get(copied..to).unwrap_or_default();
        let with_series = self.with_series;
        self.stack
            .extend(calls.iter().map(|call| call.copied(with_series)));
        state.stack.len() - self.stack.len()
    }

    /// Copies the rest: the upper calls on the stack, and the totals of all functions with calls in progress.
    /// `counted`: the numbers of the counted calls' sites.
    fn finish(mut self, state: &ThreadState, counted: impl Iterator<Item = usize>) -> ThreadState {
        self.stack.truncate(state.untouched());
        let upper = state.stack.get(self.stack.len()..).unwrap_or_default();
        let with_series = self.with_series;
        self.busy.extend(upper.iter().map(|call| call.site.id));
        self.stack
            .extend(upper.iter().map(|call| call.copied(with_series)));
        let copied = |id: &usize| self.totals.get(*id).is_some_and(Option::is_some);
        self.busy.extend(counted.filter(|id| !copied(id)));
        each_once(&mut self.busy);
        for &id in &self.busy {
            if self.totals.len() <= id {
                self.totals.resize_with(id + 1, || None);
            }
            self.totals[id] = state.totals.get(id).cloned().flatten();
        }
        ThreadState {
            stack: self.stack,
            timelines: state.timelines.clone(),
            totals: self.totals,
            stretch: state.stretch.clone(),
            ..ThreadState::default()
        }
    }
}

/// Spins for a moment, so that the thread can have the lock.
fn pause() {
    for _ in 0..PAUSE {
        std::hint::spin_loop();
    }
}

/// Leaves each number in the list once, in ascending order.
fn each_once(numbers: &mut Vec<usize>) {
    numbers.sort_unstable();
    numbers.dedup();
}

/// Runs what only a thread with several calls in progress needs: the code that sorts more than one number is
/// then in memory before the program's first line.
#[cfg(feature = "report")]
pub(crate) fn warm_up() {
    each_once(&mut std::hint::black_box(vec![2, 1]));
}

#[cfg(test)]
mod tests {
    use super::super::open_call::CallStart;
    use super::*;
    use crate::counters::counts::Counts;
    use crate::os::scripted::Script;
    use crate::os::thread::cpu_ns;
    use crate::reading::instruments::Instruments;
    use crate::site::registered::RegisteredSite;
    use crate::site::spec::SiteSpec;
    use crate::thread::room::Room;
    use std::time::Duration;

    static SPEC: SiteSpec = SiteSpec::own("memprof::test", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

    fn sites(many: usize) -> Vec<&'static RegisteredSite> {
        (0..many)
            .map(|id| &*Box::leak(Box::new(RegisteredSite::new(id, &SPEC, 1, None, false))))
            .collect()
    }

    /// A recorder on which every site has been called, the n-th n times.
    fn recorder(sites: &[&'static RegisteredSite]) -> ThreadRecorder {
        let recorder =
            ThreadRecorder::new(Instruments::scripted(Script::leaked(1 << 20)), Room::Whole);
        for (number, site) in sites.iter().enumerate() {
            let mut state = recorder.state();
            let totals = state.totals(site);
            totals.net = number as i64;
            totals.lines[3].net = number as i64;
        }
        recorder
    }

    fn call(state: &mut ThreadState, site: &'static RegisteredSite, t_ns: u64) {
        state.last = state.last.at(t_ns);
        let counters = state.totals(site).counters;
        let start = CallStart::now(site, counters, Counts::default());
        state.open(start, start.position(), Kind::Call, false);
    }

    fn entries(state: &ThreadState) -> Vec<u64> {
        state.stack.iter().map(|call| call.entry.t_ns).collect()
    }

    #[test]
    fn copy_of_a_thread_at_rest_is_what_the_thread_has() {
        let sites = sites(300);
        let recorder = recorder(&sites);
        for depth in 0..100 {
            call(&mut recorder.state(), sites[depth % 70], depth as u64);
        }
        let copy = recorder.copy_ahead(false);
        let state = recorder.state();
        let copy = copy.finish(&state, std::iter::empty());
        assert_eq!(entries(&copy), entries(&state));
        assert_eq!(copy.timelines, state.timelines);
        assert_eq!(copy.totals.len(), 300);
        for (number, totals) in copy.totals.iter().enumerate() {
            let totals = totals.as_ref().unwrap();
            assert_eq!((totals.site.id, totals.net), (number, number as i64));
            assert_eq!(totals.lines[3].net, number as i64);
            let innermost = state.totals[number].as_ref().unwrap().innermost;
            assert_eq!(totals.innermost, innermost);
        }
    }

    #[test]
    fn copy_is_atomic_per_function() {
        let sites = sites(60);
        let recorder = recorder(&sites);
        for depth in 0..200 {
            call(&mut recorder.state(), sites[depth % 50], depth as u64);
        }
        let copy = recorder.copy_ahead(false);
        let mut state = recorder.state();
        // Down to the middle of what was copied and up again; the last of these sites was idle.
        for _ in 0..120 {
            state.pop().unwrap();
        }
        for depth in 0..30 {
            call(&mut state, sites[55], 1_000 + depth);
        }
        state.totals(sites[55]).net = 7;
        state.totals(sites[56]).net = 7;
        let copy = copy.finish(&state, std::iter::empty());
        assert_eq!(entries(&copy), entries(&state));
        let net = |number: usize| copy.totals[number].as_ref().unwrap().net;
        assert_eq!(net(55), 7, "it has calls in progress: of the last moment");
        assert_eq!(net(56), 56, "it has none: of an earlier one");
    }

    /// However much there is to copy, what is copied while the lock is held is bounded. Prints how long the
    /// lock was held.
    #[test]
    fn copy_holds_the_lock_for_a_few_functions_or_calls_at_a_time() {
        let sites = sites(10_000);
        let recorder = recorder(&sites);
        for depth in 0..5_000 {
            call(&mut recorder.state(), sites[depth % 20], depth as u64);
        }
        let mut held = Vec::new();
        let mut copy = PartialCopy::default();
        loop {
            copy.totals.reserve(FUNCTIONS);
            copy.busy.reserve(FUNCTIONS);
            let before = copy.totals.len();
            let (more, took) = hold(&recorder, |state| copy.idle_functions(state));
            held.push(took);
            assert!(copy.totals.len() - before <= FUNCTIONS);
            if !more {
                break;
            }
        }
        loop {
            copy.stack.reserve(CALLS);
            let before = copy.stack.len();
            let (left, took) = hold(&recorder, |state| copy.lower_calls(state));
            held.push(took);
            assert!(copy.stack.len() - before <= CALLS);
            if left <= CALLS {
                break;
            }
        }
        held.sort_unstable();
        let (_, all) = hold(&recorder, |state| {
            (state.stack.clone(), state.totals.clone())
        });
        println!(
            "{} pieces: median {:?}, 99% within {:?}, longest {:?}; all at once {all:?}",
            held.len(),
            held[held.len() / 2],
            held[held.len() * 99 / 100],
            held[held.len() - 1],
        );
        let before = copy.stack.len();
        let (finished, took) = hold(&recorder, |state| copy.finish(state, std::iter::empty()));
        println!("the last piece: {took:?}");
        assert!(finished.stack.len() - before <= CALLS);
    }

    /// Runs `work` while holding the lock; gives its result, and the processor time that it took.
    fn hold<T>(
        recorder: &ThreadRecorder,
        work: impl FnOnce(&mut ThreadState) -> T,
    ) -> (T, Duration) {
        let mut state = recorder.state();
        let began = cpu_ns();
        let result = work(&mut state);
        (result, Duration::from_nanos(cpu_ns() - began))
    }
}
