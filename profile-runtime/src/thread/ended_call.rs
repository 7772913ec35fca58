//! A measured call that has ended: it is kept among its site's calls, and checked against its limits.

use super::call_details::CallDetails;
use super::call_stack::{SPARE_DETAILS, ThreadState};
use super::open_call::{Kind, OpenCall, polled_ns};
use crate::counters::counts::Counts;
use crate::heap;
use crate::limits;
use crate::site::calls::PeakCall;
use crate::site::figures::CallFigures;
use memprof_model::run::{Call, HeapFigures, Outcome};

/// A measured call that has ended.
#[derive(Debug)]
pub(crate) struct EndedCall<'call> {
    /// A reference, because a call is large and most of those that end are only counted.
    pub call: &'call mut OpenCall,
    /// The call as data.
    pub record: Call,
    /// The thread's heap at the end.
    pub heap: Counts,
}

impl ThreadState {
    /// Hands an ended call to its site, with its series if no earlier call was higher. What it held
    /// (series, details) is kept for the next call.
    pub(crate) fn finish_call(&mut self, ended: EndedCall<'_>) {
        let EndedCall {
            call,
            mut record,
            heap,
        } = ended;
        if let Some(mut details) = call.details.take() {
            record.by = details.by;
            call.check_limits(&record, call.heap_figures(heap), &mut details);
            // A few are enough: a deep recursion needed more, and futures bring details from other threads.
            if self.spare_details.len() < SPARE_DETAILS {
                self.spare_details.push(details);
            }
        }
        let series = call.series.take();
        if call.kind != Kind::Call || !call.entry_exact {
            self.spare(series);
            return;
        }
        let mut calls = call.site.calls();
        if calls.beats_peak_call(&record) {
            let highest = PeakCall {
                call: record.clone(),
                series,
            };
            for spare in calls.set_peak_call(highest, &mut self.spare_short_series) {
                self.spare(Some(spare));
            }
        } else {
            self.spare(series);
        }
        calls.add(record);
    }
}

impl OpenCall {
    /// Checks a call's own figures against the limits of its site, and adds them to the site's figures.
    pub(super) fn check_limits(&self, record: &Call, heap: HeapFigures, details: &mut CallDetails) {
        let Some(per_call) = &self.site.per_call else {
            return;
        };
        let ended = limits::CheckedCall {
            site: self.site,
            record,
            heap: heap::is_counted().then_some(heap),
            shared: self.shared,
            lines: &details.lines,
            partly_measured: details.partly_measured,
        };
        limits::check(&per_call.limits, &ended);
        if record.outcome == Outcome::Returned {
            self.add_to_figures(record, heap, details);
        }
    }

    /// Adds a call's own figures to its site's maxima and figures by size.
    fn add_to_figures(&self, record: &Call, heap: HeapFigures, details: &mut CallDetails) {
        let call = CallFigures {
            unsure: self.unsure,
            peak: record.peak_rss,
            net: record.net_rss,
            time_ns: polled_ns(record),
            heap,
        };
        if let Some(mut maxima) = self.site.maxima() {
            maxima.add(&call, &details.lines);
        }
        if let Some(n) = details.by {
            self.site.sizes().add(n, &call, &mut details.lines);
        }
    }
}
