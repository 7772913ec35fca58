//! A lane's book, copied while its thread goes on: a few functions or calls each time that the lock is
//! held, so that the thread never waits long for it.
//!
//! Of one moment are the calls in progress and the tallies of their functions: these are copied last, at
//! once. While no call of a function is in progress its tally is whole by itself, and such tallies are
//! copied before. Of a deep stack the lower calls are, too: they stay as they are while others are in
//! progress above them, and the log says how far down the stack came meanwhile ([`Log::lowest`]).

use std::sync::atomic::Ordering::Relaxed;

use super::call_stack::Log;
use super::open_call::{Kind, OpenCall};
use super::thread_recorder::{Lane, place_of};
use super::totals::SiteTally;
use crate::counters::line::NO_LINE;
use crate::reading::one_reading::Reading;
use crate::run::{Call, Outcome};

/// What is copied while the lock is held, at most: some microseconds, most of it for new pages.
const FUNCTIONS: usize = 8;
const LINES: usize = 64;
const CALLS: usize = 16;

/// For so long others may have the lock in between: about as long as it was held.
const PAUSE: usize = 64;

/// How often the lower calls of a stack are tried to be copied that keeps going up and down below them.
const TRIES: usize = 4;

/// A copy in the making.
#[derive(Debug, Default)]
struct Copy {
    /// Whether calls are copied with their samples.
    with_series: bool,
    /// By site.
    tallies: Vec<Option<SiteTally>>,
    /// Sites that had calls in progress when it was their turn.
    busy: Vec<usize>,
    /// The lower calls in progress.
    stack: Vec<OpenCall>,
}

impl Lane {
    /// What the lane has added up, as if every call in progress ended with `now`, and these calls.
    ///
    /// `with_series`: the calls with their samples, for which the thread may have to wait longer.
    pub(crate) fn snapshot(
        &self,
        now: Reading,
        with_series: bool,
    ) -> (Vec<SiteTally>, Vec<(OpenCall, Call)>) {
        let copy = self.copy_ahead(with_series);
        let guard = self.log();
        let look = self.light.look(|tries| self.hold_still(tries));
        let light = look.iter().flat_map(|look| &look.light);
        let light = light.map(|(begun, _)| begun.site.id);
        let mut log = Log {
            last: guard.last.or_later(now),
            thread: guard.thread,
            ..copy.finish(&guard, light)
        };
        let before = guard.last;
        let mut line = self.line_of_logged(&guard);
        let high = self.high.load(Relaxed);
        drop(guard);
        if let Some(look) = look {
            line = place_of(log.stack.last(), look.logged);
            for (begun, inner_line) in look.light {
                if let Some(outer) = log.stack.last_mut() {
                    outer.line = line;
                }
                log.open_light(begun, begun.stand());
                line = begun.cells.place(inner_line);
            }
        }
        log.raise(before, high, line);
        let mut running = Vec::new();
        while !log.stack.is_empty() {
            log.end_turn();
            log.settle_all(line, false);
            let Some(mut call) = log.pop() else { break };
            call.line = line;
            line = log.stack.last().map_or(NO_LINE, |outer| outer.line);
            let mut record = log.book(&call, false, call.heap_entry);
            record.outcome = Outcome::Running;
            if call.kind == Kind::Call {
                running.push((call, record));
            }
        }
        (log.tallies.into_iter().flatten().collect(), running)
    }

    /// Somebody else waits for the calls to stay as they are: with a reading due the thread comes for
    /// the lock, which they hold.
    fn hold_still(&self, tries: usize) {
        match tries {
            0..10 => std::hint::spin_loop(),
            10 => self.ask_for_reading(),
            // Not giving the processor away at once: the thread may be on its way to the lock.
            11..1_000 => std::hint::spin_loop(),
            _ => std::thread::yield_now(),
        }
    }

    /// Copies what can be copied before the last piece ([`Copy::finish`]).
    fn copy_ahead(&self, with_series: bool) -> Copy {
        let mut copy = Copy {
            with_series,
            ..Copy::default()
        };
        loop {
            // Memory is got before the lock is taken.
            copy.tallies.reserve(FUNCTIONS);
            copy.busy.reserve(FUNCTIONS);
            let more = copy.idle_functions(&self.log());
            pause();
            if !more {
                break;
            }
        }
        let mut pieces = 0;
        loop {
            copy.stack.reserve(CALLS);
            let left = copy.lower_calls(&mut self.log());
            pause();
            pieces += 1;
            // Each try takes as many pieces as the stack is deep.
            let most = TRIES * (1 + (copy.stack.len() + left) / CALLS);
            if left <= CALLS || pieces > most {
                break;
            }
        }
        let busy = copy.stack.iter().map(|call| call.site.id);
        copy.busy.extend(busy);
        copy.busy.sort_unstable();
        copy.busy.dedup();
        copy.busy.reserve(2 * CALLS);
        copy
    }
}

impl Copy {
    /// Copies the tallies of some more functions; says whether there are others.
    fn idle_functions(&mut self, log: &Log) -> bool {
        let from = self.tallies.len();
        let mut lines = 0;
        for (id, tally) in log.tallies.iter().enumerate().skip(from).take(FUNCTIONS) {
            if lines > LINES {
                break;
            }
            let idle = tally.as_ref().filter(|tally| tally.open == 0);
            if tally.is_some() && idle.is_none() {
                self.busy.push(id);
            }
            lines += idle.map_or(0, |tally| tally.lines.len());
            self.tallies.push(idle.cloned());
        }
        self.tallies.len() < log.tallies.len()
    }

    /// Copies some more of the lower calls; gives how many of the stack are not copied yet.
    fn lower_calls(&mut self, log: &mut Log) -> usize {
        self.stack.truncate(log.untouched());
        log.lowest = log.stack.len();
        let copied = self.stack.len();
        // The last few are left to the last piece: they come and go.
        let to = (copied + CALLS).min(log.stack.len().saturating_sub(1));
        let calls = log.stack.get(copied..to).unwrap_or_default();
        let with_series = self.with_series;
        self.stack
            .extend(calls.iter().map(|call| call.copied(with_series)));
        log.stack.len() - self.stack.len()
    }

    /// Copies the rest: the upper calls in progress, and the tallies of all functions that are at work.
    /// `light`: the sites of the light calls.
    fn finish(mut self, log: &Log, light: impl Iterator<Item = usize>) -> Log {
        self.stack.truncate(log.untouched());
        let upper = log.stack.get(self.stack.len()..).unwrap_or_default();
        let with_series = self.with_series;
        self.busy.extend(upper.iter().map(|call| call.site.id));
        self.stack
            .extend(upper.iter().map(|call| call.copied(with_series)));
        let copied = |id: &usize| self.tallies.get(*id).is_some_and(Option::is_some);
        self.busy.extend(light.filter(|id| !copied(id)));
        self.busy.sort_unstable();
        self.busy.dedup();
        for &id in &self.busy {
            if self.tallies.len() <= id {
                self.tallies.resize_with(id + 1, || None);
            }
            self.tallies[id] = log.tallies.get(id).cloned().flatten();
        }
        Log {
            stack: self.stack,
            timelines: log.timelines.clone(),
            tallies: self.tallies,
            ..Log::default()
        }
    }
}

/// Lets go of the processor's attention, not of the processor.
fn pause() {
    for _ in 0..PAUSE {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::open_call::Begun;
    use super::*;
    use crate::counters::counts::Counts;
    use crate::os::scripted::Script;
    use crate::os::thread::cpu_ns;
    use crate::reading::instruments::Instruments;
    use crate::site::registered::Registered;
    use crate::site::spec::SiteSpec;
    use std::time::Duration;

    static SPEC: SiteSpec = SiteSpec::own("memprof::test", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

    fn sites(many: usize) -> Vec<&'static Registered> {
        (0..many)
            .map(|id| &*Box::leak(Box::new(Registered::new(id, &SPEC, 1, None, false))))
            .collect()
    }

    /// A lane on which every site has been called, the n-th n times.
    fn lane(sites: &[&'static Registered]) -> Lane {
        let lane = Lane::new(Instruments::scripted(Script::leaked(1 << 20)));
        for (number, site) in sites.iter().enumerate() {
            let mut log = lane.log();
            let tally = log.tally(site);
            tally.net = number as i64;
            tally.lines[3].net = number as i64;
        }
        lane
    }

    fn call(log: &mut Log, site: &'static Registered, t_ns: u64) {
        log.last = log.last.at(t_ns);
        let cells = log.tally(site).cells;
        let begun = Begun::now(site, cells, Counts::default());
        log.open(begun, begun.stand(), Kind::Call, false);
    }

    fn entries(log: &Log) -> Vec<u64> {
        log.stack.iter().map(|call| call.entry.t_ns).collect()
    }

    #[test]
    fn a_lane_at_rest_is_copied_as_it_is() {
        let sites = sites(300);
        let lane = lane(&sites);
        for depth in 0..100 {
            call(&mut lane.log(), sites[depth % 70], depth as u64);
        }
        let copy = lane.copy_ahead(false);
        let log = lane.log();
        let copy = copy.finish(&log, std::iter::empty());
        assert_eq!(entries(&copy), entries(&log));
        assert_eq!(copy.timelines, log.timelines);
        assert_eq!(copy.tallies.len(), 300);
        for (number, tally) in copy.tallies.iter().enumerate() {
            let tally = tally.as_ref().unwrap();
            assert_eq!((tally.site.id, tally.net), (number, number as i64));
            assert_eq!(tally.lines[3].net, number as i64);
            assert_eq!(tally.open, log.tallies[number].as_ref().unwrap().open);
        }
    }

    #[test]
    fn what_happens_between_two_pieces_is_in_the_copy_or_left_out_as_a_whole() {
        let sites = sites(60);
        let lane = lane(&sites);
        for depth in 0..200 {
            call(&mut lane.log(), sites[depth % 50], depth as u64);
        }
        let copy = lane.copy_ahead(false);
        let mut log = lane.log();
        // Down to the middle of what was copied and up again; the last of these sites was idle.
        for _ in 0..120 {
            let ended = log.pop().unwrap();
            log.tally(ended.site).open -= 1;
        }
        for depth in 0..30 {
            call(&mut log, sites[55], 1_000 + depth);
        }
        log.tally(sites[55]).net = 7;
        log.tally(sites[56]).net = 7;
        let copy = copy.finish(&log, std::iter::empty());
        assert_eq!(entries(&copy), entries(&log));
        let net = |number: usize| copy.tallies[number].as_ref().unwrap().net;
        assert_eq!(net(55), 7, "it has calls in progress: of the last moment");
        assert_eq!(net(56), 56, "it has none: of an earlier one");
    }

    /// What is copied while the lock is held is bounded, however much there is. How long that takes is
    /// printed.
    #[test]
    fn the_lock_is_held_for_a_few_functions_or_calls_at_a_time() {
        let sites = sites(10_000);
        let lane = lane(&sites);
        for depth in 0..5_000 {
            call(&mut lane.log(), sites[depth % 20], depth as u64);
        }
        let mut held = Vec::new();
        let mut copy = Copy::default();
        loop {
            copy.tallies.reserve(FUNCTIONS);
            copy.busy.reserve(FUNCTIONS);
            let before = copy.tallies.len();
            let (more, took) = hold(&lane, |log| copy.idle_functions(log));
            held.push(took);
            assert!(copy.tallies.len() - before <= FUNCTIONS);
            if !more {
                break;
            }
        }
        loop {
            copy.stack.reserve(CALLS);
            let before = copy.stack.len();
            let (left, took) = hold(&lane, |log| copy.lower_calls(log));
            held.push(took);
            assert!(copy.stack.len() - before <= CALLS);
            if left <= CALLS {
                break;
            }
        }
        held.sort_unstable();
        let (_, all) = hold(&lane, |log| (log.stack.clone(), log.tallies.clone()));
        println!(
            "{} pieces: median {:?}, 99% within {:?}, longest {:?}; all at once {all:?}",
            held.len(),
            held[held.len() / 2],
            held[held.len() * 99 / 100],
            held[held.len() - 1],
        );
        let before = copy.stack.len();
        let (finished, took) = hold(&lane, |log| copy.finish(log, std::iter::empty()));
        println!("the last piece: {took:?}");
        assert!(finished.stack.len() - before <= CALLS);
    }

    /// What `work` needs of the processor while it holds the lock.
    fn hold<T>(lane: &Lane, work: impl FnOnce(&mut Log) -> T) -> (T, Duration) {
        let mut log = lane.log();
        let began = cpu_ns();
        let result = work(&mut log);
        (result, Duration::from_nanos(cpu_ns() - began))
    }
}
