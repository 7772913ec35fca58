//! Samples: readings of the sampler, handed to the calls in progress on a thread.

use super::call_stack::Log;
use super::thread_recorder::{Lane, place_of};
use crate::reading::one_reading::Reading;

impl Lane {
    /// The sampler's part: adds a sample to the series of every call whose interval is in `due`,
    /// asks for a reading, and reports the intervals in use to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
            return;
        }
        let mut log = self.log();
        if let Some((reading, due)) = due {
            let line = self.line_of_logged(&log);
            log.sample(reading, line, Some(due));
            if !self.light.is_empty() {
                log.owe_samples(due);
            }
            self.ask_for_reading();
        }
        let timed = log.timelines.iter().map(|&depth| log.stack[depth].site);
        for site in timed.chain(self.light.sites()) {
            if !intervals.contains(&site.interval_ns) {
                intervals.push(site.interval_ns);
            }
        }
    }

    /// By anybody who holds the log: the line at which the innermost logged call is.
    pub(super) fn line_of_logged(&self, log: &Log) -> u32 {
        let line = self.light.line_of_logged(log.stack.len());
        place_of(log.stack.last(), line)
    }
}

impl Log {
    /// A sample at the intervals in `due` fell into light calls.
    pub(crate) fn owe_samples(&mut self, due: &[u64]) {
        for &interval_ns in due {
            match self.owed.iter_mut().find(|owed| owed.0 == interval_ns) {
                Some(owed) => owed.1 += 1,
                None => self.owed.push((interval_ns, 1)),
            }
        }
    }

    /// The light calls that were in progress have got theirs.
    pub(crate) fn owe_nothing(&mut self) {
        self.owed.clear();
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
                && let Some(tally) = self.tallies[call.site.id].as_mut()
                && let Some(tally) = tally.lines.get_mut(line as usize)
            {
                tally.samples += 1;
            }
        }
    }
}
