//! A call that has ended: kept among its site's calls, and checked against its limits.

use super::call_details::Watch;
use super::call_stack::{Log, SPARE_WATCHES};
use super::open_call::{Kind, OpenCall};
use crate::counters::counts::Counts;
use crate::heap;
use crate::limits;
use crate::run::{Call, HeapFigures, Outcome};
use crate::site::figures::CallFigures;
use crate::site::peak_call::Best;

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Ended<'call> {
    /// A reference, because a call is large and most of those that end are only counted.
    pub call: &'call mut OpenCall,
    pub record: Call,
    /// The thread's heap at the end.
    pub heap: Counts,
}

impl Log {
    /// Puts an ended call into its site's book, with its series if no call had a higher peak.
    pub(crate) fn keep(&mut self, ended: Ended<'_>) {
        let Ended {
            call,
            mut record,
            heap,
        } = ended;
        if let Some(mut watch) = call.watch.take() {
            record.by = watch.by;
            call.judge(&record, call.heap_figures(heap), &mut watch);
            // Not what a deep recursion took, or what futures bring that began in other lanes.
            if self.watches.len() < SPARE_WATCHES {
                self.watches.push(watch);
            }
        }
        let series = call.series.take();
        if call.kind != Kind::Call || !call.entry_exact {
            self.spare.extend(series);
            return;
        }
        let mut calls = call.site.calls();
        if calls.beats_best(record.peak_rss) {
            let best = Best {
                call: record.clone(),
                peak_at: call.peak_at,
                series,
            };
            let spare = calls.set_best(best, &mut self.little);
            self.spare.extend(spare);
        } else {
            self.spare.extend(series);
        }
        calls.add(record);
    }
}

impl OpenCall {
    /// What a watched call had, for the sizes and the limits of its site.
    pub(super) fn judge(&self, record: &Call, heap: HeapFigures, watch: &mut Watch) {
        let Some(watched) = &self.site.watched else {
            return;
        };
        let ended = limits::Ended {
            site: self.site,
            record,
            heap: heap::is_counted().then_some(heap),
            shared: self.shared,
            lines: &watch.lines,
            in_part: watch.in_part,
        };
        limits::judge(&watched.limits, &ended);
        if record.outcome == Outcome::Returned {
            self.add_to_figures(record, heap, watch);
        }
    }

    fn add_to_figures(&self, record: &Call, heap: HeapFigures, watch: &mut Watch) {
        let wall_ns = record.end_ns.saturating_sub(record.start_ns);
        let call = CallFigures {
            foreign: self.foreign,
            peak: record.peak_rss,
            net: record.net_rss,
            time_ns: wall_ns.saturating_sub(record.suspended_ns),
            heap,
        };
        if let Some(mut maxima) = self.site.maxima() {
            maxima.add(&call, &watch.lines);
        }
        if let Some(n) = watch.by {
            self.site.sizes().add(n, &call, &mut watch.lines);
        }
    }
}
