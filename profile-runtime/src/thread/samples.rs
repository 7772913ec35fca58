//! Samples: readings of the sampler thread, handed to the calls in progress on a recorded thread.

use std::sync::atomic::Ordering::Relaxed;

use super::call_stack::ThreadState;
use super::thread_recorder::{ThreadRecorder, place_of};
use crate::reading::one_reading::Reading;

impl ThreadRecorder {
    /// Called by the sampler. Adds the sample in `due` to the series of every call whose interval is due, and
    /// asks the thread for a reading. Adds the intervals of all calls in progress to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
            // A call that begins from now on has not run before this moment.
            if let Some((reading, _)) = due {
                self.idle_until_ns.store(reading.t_ns, Relaxed);
            }
            return;
        }
        let mut state = self.state();
        if let Some((reading, due)) = due {
            let line = self.line_of_measured(&state);
            state.sample(reading, line, Some(due));
            if !self.counted.is_empty() {
                state.defer_samples(due);
            }
            self.ask_for_reading();
        }
        let timed = state.timelines.iter().map(|&depth| state.stack[depth].site);
        for site in timed.chain(self.counted.sites()) {
            if !intervals.contains(&site.interval_ns) {
                intervals.push(site.interval_ns);
            }
        }
    }

    /// The line at which the innermost measured call is. By anybody who holds the state's lock.
    pub(super) fn line_of_measured(&self, state: &ThreadState) -> u32 {
        let line = self.counted.line_of_measured(state.stack.len());
        place_of(state.stack.last(), line)
    }
}

impl ThreadState {
    /// No call was in progress until `until_ns`: that time is nobody's. The next reading would have it stand for
    /// the call that it meets.
    pub(super) fn pass_idle_time(&mut self, until_ns: u64) {
        if self.stack.is_empty() {
            self.last = self.last.at(self.last.t_ns.max(until_ns));
        }
    }

    /// A sample at the intervals in `due` fell into counted calls, which get it if they become measured.
    pub(crate) fn defer_samples(&mut self, due: &[u64]) {
        for &interval_ns in due {
            match self
                .deferred
                .iter_mut()
                .find(|deferred| deferred.0 == interval_ns)
            {
                Some(deferred) => deferred.1 += 1,
                None => self.deferred.push((interval_ns, 1)),
            }
        }
    }

    /// The counted calls that were in progress have got their samples.
    pub(crate) fn clear_deferred(&mut self) {
        self.deferred.clear();
    }

    /// Adds a reading to the series of the calls in progress: of those whose interval is in `due`, or with
    /// `None` of all. `innermost` is the line of the innermost call.
    pub(crate) fn sample(&mut self, reading: Reading, innermost: u32, due: Option<&[u64]>) {
        let top = self.stack.len().wrapping_sub(1);
        for &depth in &self.timelines {
            let call = &mut self.stack[depth];
            if due.is_some_and(|due| !due.contains(&call.site.interval_ns)) {
                continue;
            }
            let line = if depth == top { innermost } else { call.line };
            if let Some(series) = &mut call.series {
                series.push(reading.point(line));
            }
            if due.is_some()
                && let Some(totals) = self.totals[call.site.id].as_mut()
                && let Some(totals) = totals.lines.get_mut(line as usize)
            {
                totals.samples += 1;
            }
        }
    }
}
