//! A lane's book, copied while its thread goes on: a few functions or calls each time that the lock is
//! held, so that the thread never waits long for it.
//!
//! Of one moment are the calls in progress and the tallies of their functions: these are copied last, at
//! once. While no call of a function is in progress its tally is whole by itself, and such tallies are
//! copied before. Of a deep stack the lower calls are, too: they stay as they are while others are in
//! progress above them, and the log says how far down the stack came meanwhile ([`Log::lowest`]).

use super::Lane;
use crate::log::{Log, OpenCall};
use crate::tally::SiteTally;

/// What is copied while the lock is held, about: two microseconds' worth.
const FUNCTIONS: usize = 16;
const LINES: usize = 128;
const CALLS: usize = 32;

/// For so long others may have the lock in between: about as long as it was held.
const PAUSE: usize = 64;

/// How often the lower calls of a stack are tried to be copied that keeps going up and down below them.
const TRIES: usize = 4;

/// A copy in the making.
#[derive(Debug, Default)]
pub(super) struct Copy {
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
    /// Copies what can be copied before the last piece ([`Copy::finish`]).
    pub(super) fn copy_ahead(&self, with_series: bool) -> Copy {
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
    pub(super) fn finish(mut self, log: &Log, light: impl Iterator<Item = usize>) -> Log {
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
