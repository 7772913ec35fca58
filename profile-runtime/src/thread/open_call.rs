//! A call in progress that a reading has met: what it began with, and where it is.

use super::call_details::CallDetails;
use super::stretch::MeasuredHit;
use crate::counters::counted_calls;
use crate::counters::counts::Counts;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::heap::CallId;
use crate::reading::one_reading::{LinePoint, Reading};
use crate::site::calls::PeakCall;
use crate::site::registered::RegisteredSite;
use memprof_model::data;
use memprof_model::run::Series;
use memprof_model::run::{Call, HeapFigures, Outcome, PeakAt};

/// A call, as it began.
pub(crate) type CallStart = counted_calls::CallStart<RegisteredSite, SiteCounters>;

/// Where a call is.
pub(crate) type Position = counted_calls::Position<LineCounters>;

/// What is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call of an annotated function.
    Call,
    /// A closure of the call at this depth, run from inside calls that it made.
    NestedClosure(usize),
    /// A closure of a call that is not of this thread.
    OtherThread,
}

/// A call in progress.
#[derive(Debug, Clone)]
pub(crate) struct OpenCall {
    pub kind: Kind,
    pub site: &'static RegisteredSite,
    pub counters: &'static SiteCounters,
    pub entry: Reading,
    /// Whether `entry` was read at the entry itself.
    pub entry_exact: bool,
    /// The line at which it is; for the innermost call the recorder knows better.
    pub line: u32,
    /// Up to here its lines have booked what changed.
    pub booked_until: Reading,
    /// Whether the line began with a hit; otherwise it only goes on after something inside it.
    pub(super) line_hit: bool,
    /// Whether the line began with a reading of its own. If not, a stretch without readings is in
    /// progress, in which many lines may have run.
    pub(super) line_exact: bool,
    /// The line that stands for such a stretch when a reading ends it that was not asked for by the
    /// sampler: the first line of the stretch, or the one that the sampler's last request met.
    pub(super) stretch_line: u32,
    /// Whether the line has to book_change when what is in progress inside it has ended: see `recorder::BOOKING_DUE`.
    pub has_unbooked: bool,
    /// Highest RSS since the line began, and since the call began or was resumed.
    pub(super) line_high: u64,
    pub(super) high: u64,
    /// What `NestedClosure`s inside the line, and turns of lines, have booked as theirs, to be taken off the line.
    pub(super) parts: Change,
    /// The turn of its line in progress to be read, and the parts before it.
    pub(super) turn: Option<(MeasuredHit, Change)>,
    /// The heap at the entry, and the highest live bytes of this thread since.
    pub heap_entry: Counts,
    pub heap_high: i64,
    /// Live bytes of this thread when the line began; for the innermost call the recorder knows better,
    /// here and of `heap_high`.
    pub heap_line_start: i64,
    pub(super) peak_at: Option<PeakAt>,
    pub(super) panicking_at_entry: bool,
    /// See `heap::origins`.
    pub call_id: CallId,
    /// Its samples; `None` for a call inside another call of the same site, which that one covers,
    /// and for one that is not kept, because no reading was taken at its entry.
    pub series: Option<Series<LinePoint>>,
    /// What a call that was suspended, perhaps several times, has behind it.
    pub(super) past: Past,
    /// Whether others worked on the process's memory meanwhile.
    pub(super) shared: bool,
    /// By how many bytes of RSS.
    pub(super) changed_by_others: u64,
    /// Its own figures, where its site asks for them.
    pub details: Option<Box<CallDetails>>,
}

/// A signed change, and the time that it took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    pub time_ns: u64,
    pub net: i64,
}

/// The earlier stretches of a call that was suspended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    /// When it was suspended last.
    pub suspended_at: Reading,
    /// Time and change of RSS between suspensions and resumptions: not the call's.
    pub suspended: Change,
    pub peak: u64,
    pub high: u64,
    pub heap: Counts,
    pub heap_peak: u64,
}

impl OpenCall {
    /// As it began.
    pub(crate) fn start(&self) -> CallStart {
        CallStart {
            site: self.site,
            counters: self.counters,
            panicking: self.panicking_at_entry,
            call_id: self.call_id,
            heap: self.heap_entry,
        }
    }

    /// Where it goes on after something inside of it.
    pub(crate) fn position(&self) -> Position {
        Position {
            line: self.counters.position_at(self.line),
            heap_line_start: self.heap_line_start,
            heap_high: self.heap_high,
        }
    }

    /// What a snapshot needs of it: no figures of its own, and its samples only if it is `with_series`.
    pub(crate) fn copied(&self, with_series: bool) -> OpenCall {
        OpenCall {
            series: self.series.as_ref().filter(|_| with_series).cloned(),
            details: None,
            ..*self
        }
    }

    /// A call made by this one's line in progress has ended or was suspended.
    pub(super) fn take_over(&mut self, inner: &OpenCall) {
        self.shared |= inner.shared;
        self.changed_by_others = self
            .changed_by_others
            .saturating_add(inner.changed_by_others);
        self.line_high = self.line_high.max(inner.high);
        let at = inner.peak_at.map(|at| {
            data!(PeakAt {
                line: self.site.line_number(self.line),
                ..at
            })
        });
        self.raise_peak(inner.high, at);
    }

    pub(super) fn raise_peak(&mut self, high: u64, at: Option<PeakAt>) {
        if high > self.high {
            self.high = high;
            if high.saturating_sub(self.start_level()) > self.past.peak {
                self.peak_at = at;
            }
        }
    }

    /// Books on the line at which it is what something inside of it did on the heap.
    pub(crate) fn book_heap(&self, change: Counts, rise: i64) {
        self.counters.at(self.line).book_heap(change, rise);
    }

    /// Whether a reading was taken while it was on the stack: then its caller's line has something to
    /// book.
    pub(crate) fn has_unbooked_since_entry(&self) -> bool {
        self.booked_until.t_ns != self.entry.t_ns
    }

    /// The RSS that counts as the call's start: that at its entry, moved by what changed while it
    /// was suspended.
    pub(super) fn start_level(&self) -> u64 {
        self.entry
            .rss
            .saturating_add_signed(self.past.suspended.net)
    }

    pub(super) fn heap_peak(&self) -> u64 {
        let now = self.heap_high.wrapping_sub(self.heap_entry.live());
        // What earlier stretches kept is still there.
        let kept = self.past.heap.live();
        let now = u64::try_from(now.saturating_add(kept)).unwrap_or(0);
        now.max(self.past.heap_peak)
    }

    pub(super) fn record(&self, now: Reading, thread: u64, depth: u32, outcome: Outcome) -> Call {
        let peak = self.high.max(now.rss).saturating_sub(self.start_level());
        data!(Call {
            start_ns: self.entry.t_ns,
            end_ns: now.t_ns,
            suspended_ns: self.past.suspended.time_ns,
            thread,
            depth,
            by: None,
            outcome,
            entry_rss: self.entry.rss,
            exit_rss: now.rss,
            peak_rss: peak.max(self.past.peak),
            net_rss: difference(now.rss, self.entry.rss) - self.past.suspended.net,
            suspended_rss: self.past.suspended.net,
        })
    }

    /// How a suspended call would be recorded if the process ended now.
    pub(crate) fn record_suspended(&self) -> Call {
        self.record(self.past.suspended_at, 0, 0, Outcome::Running)
    }

    /// When it was highest.
    pub(crate) fn peak_at(&self) -> Option<PeakAt> {
        self.peak_at
    }

    /// It ends or is suspended: the book on it by itself takes over what its lines did on the heap.
    pub(crate) fn suspend_details(&mut self) {
        if let Some(details) = &mut self.details {
            details.suspend(self.counters);
        }
    }

    /// What it did on the heap, of which its thread has `now`.
    pub(super) fn heap_figures(&self, now: Counts) -> HeapFigures {
        let heap = now.since(self.heap_entry).plus(self.past.heap);
        data!(HeapFigures {
            allocated: heap.allocated,
            freed: heap.freed,
            net: heap.live(),
            peak: self.heap_peak(),
            allocations: heap.allocations,
        })
    }

    /// As the best call of its site, if the process ended now.
    pub(crate) fn as_peak_call(&self, record: &Call) -> PeakCall {
        PeakCall {
            call: record.clone(),
            peak_at: self.peak_at,
            series: self.series.clone(),
        }
    }
}

impl CallStart {
    #[inline]
    pub(super) fn now(
        site: &'static RegisteredSite,
        counters: &'static SiteCounters,
        heap: Counts,
    ) -> CallStart {
        CallStart {
            site,
            counters,
            panicking: std::thread::panicking(),
            heap,
            call_id: 0,
        }
    }

    /// Before its first line.
    pub(super) fn position(&self) -> Position {
        Position {
            line: self.counters.before_lines(),
            heap_line_start: self.heap.live(),
            heap_high: self.heap.live(),
        }
    }
}

pub(crate) fn difference(now: u64, before: u64) -> i64 {
    now.wrapping_sub(before) as i64
}
