//! Samples: readings of the sampler, handed to the calls in progress on a thread.

use super::call_stack::ThreadState;
use super::thread_recorder::{ThreadRecorder, place_of};
use crate::reading::one_reading::Reading;

impl ThreadRecorder {
    /// The sampler's part: adds a sample to the series of every call whose interval is in `due`,
    /// asks for a reading, and reports the intervals in use to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
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

    /// By anybody who holds the log: the line at which the innermost measured call is.
    pub(super) fn line_of_measured(&self, state: &ThreadState) -> u32 {
        let line = self.counted.line_of_measured(state.stack.len());
        place_of(state.stack.last(), line)
    }
}

impl ThreadState {
    /// A sample at the intervals in `due` fell into counted calls.
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

    /// The counted calls that were in progress have got theirs.
    pub(crate) fn clear_deferred(&mut self) {
        self.deferred.clear();
    }

    /// Adds a sample to the calls in progress that get samples: to those whose interval is in
    /// `due`, or with `None` to all. `innermost` is the line of the innermost call.
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
