//! A measured call in progress: what it began with, where it is, and what it has not booked yet.

use super::call_details::CallDetails;
use super::spread_call::spread_call;
use crate::counters::counted_calls;
use crate::counters::counts::Counts;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::heap::{self, CallId};
use crate::reading::one_reading::{High, LinePoint, Reading};
use crate::site::calls::PeakCall;
use crate::site::registered::RegisteredSite;
use memprof_model::data;
use memprof_model::run::Series;
use memprof_model::run::{Call, HeapFigures, Outcome, PeakAt};

/// What a call began with.
pub(crate) type CallStart = counted_calls::CallStart<RegisteredSite, SiteCounters>;

/// Where a call is: its line, and the heap as that line began.
pub(crate) type Position = counted_calls::Position<LineCounters>;

/// The innermost call, which is counted.
pub(crate) type Top<'calls> =
    counted_calls::Top<'calls, RegisteredSite, SiteCounters, LineCounters>;

/// What an entry on the stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call of an annotated function.
    Call,
    /// A closure of the call at this depth, or of what is itself a closure of it. It runs inside calls that
    /// this call made.
    NestedClosure(usize),
    /// A closure whose call is on another thread, or nowhere any more.
    OtherThread,
    /// `memory_usage`. What runs in it is its caller's: it stays at its caller's line.
    Usage,
}

impl Kind {
    /// Whether lines of the site run in it that are not counted apart.
    pub(super) fn has_lines(self) -> bool {
        matches!(self, Kind::Call | Kind::NestedClosure(_))
    }
}

/// A measured call in progress, or a run of a closure.
#[derive(Debug, Clone)]
pub(crate) struct OpenCall {
    pub kind: Kind,
    pub site: &'static RegisteredSite,
    pub counters: &'static SiteCounters,
    /// The last reading before the call began.
    pub entry: Reading,
    /// Whether `entry` was taken at the entry itself.
    pub entry_exact: bool,
    /// Whether no reading was taken yet since it began or was resumed. What changes until then is its caller's.
    pub(super) unread: bool,
    /// Whether it was read because it was asked for (`ThreadRecorder::call_due`).
    pub(super) asked: bool,
    /// When the thread's last reading was before the call began.
    pub began_after_ns: u64,
    /// The line at which it is. Out of date for the innermost call: see `ThreadRecorder::line`.
    pub line: u32,
    /// The reading up to which its lines have booked what changed.
    pub booked_until: Reading,
    /// Whether the line began with a hit. Otherwise it went on after a callee.
    pub(super) line_hit: bool,
    /// Whether the line began with a reading of its own. If not, a stretch is in progress, in which several
    /// lines may have run.
    pub(super) line_exact: bool,
    /// Whether the line is a measured hit: read by itself between two stretches.
    pub(super) measured: bool,
    /// The line at which the call was when the stretch began.
    pub(super) stretch_first: u32,
    /// The line that books the time of a stretch, if the sampler did not ask for the reading that ends it: the line
    /// that the sampler's last request met, or the first line of the stretch.
    pub(super) time_line: u32,
    /// Whether the line still has to book when its callee has ended: see `BOOKING_DUE` in
    /// `thread_recorder.rs`.
    pub has_unbooked: bool,
    /// The thread's highest own level since the line began.
    pub(super) line_high: i64,
    /// The peak since the call began or was resumed.
    pub(super) high: High,
    /// The first reading since it began or was resumed.
    pub(super) stint: Reading,
    /// What inner calls of the same site and nested closures have booked since `booked_until`: the line that books
    /// next leaves it out.
    pub(super) booked_elsewhere: Change,
    /// The thread's heap at the entry, or when the call was resumed.
    pub heap_entry: Counts,
    /// The thread's highest live bytes since then. Out of date for the innermost call: see
    /// `ThreadCounters::high`.
    pub heap_high: i64,
    /// The thread's live bytes when the line began. Out of date for the innermost call: see
    /// `CurrentLine::heap_start`.
    pub heap_line_start: i64,
    /// From how many live bytes of the thread the call's own count: those at its entry, and what its callees
    /// have kept. Out of date for the innermost call: see `CurrentLine::self_start`.
    pub heap_self_start: i64,
    /// The depth of the innermost call of the same site around it, or of the run of a closure of such a call.
    pub(super) around: Option<u32>,
    /// When RSS was highest, and in which line.
    pub peak_at: Option<PeakAt>,
    /// Whether the thread was panicking when the call began.
    pub(super) panicking_at_entry: bool,
    /// Names the call to the blocks that it allocates; see `heap::call_ids`.
    pub call_id: CallId,
    /// Its samples. `None` for a call inside another call of the same site, whose samples cover it, and for
    /// a call without a reading at its entry, which is not kept.
    pub series: Option<Series<LinePoint>>,
    /// What it did before it was last suspended.
    pub past: Past,
    /// Whether what changed meanwhile was split between it and other threads by an estimate.
    pub(super) shared: bool,
    /// How many bytes were.
    pub(super) unsure: u64,
    /// The call's own figures by line, where its site asks for them.
    pub details: Option<Box<CallDetails>>,
}

/// A signed change, and the time that it took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change {
    pub time_ns: u64,
    pub net: i64,
}

/// What a call did before it was last suspended; it may have been suspended several times.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Past {
    /// Tells the calls apart that were ever suspended; 0 for all others.
    pub number: u64,
    /// The thread that polled it last.
    pub thread: u64,
    /// When it was suspended last.
    pub suspended_at: Reading,
    /// Time and change of RSS between suspensions and resumptions: not the call's.
    pub suspended: Change,
    /// What it did itself, while it was polled.
    pub done: Change,
    pub peak: u64,
    pub heap: Counts,
    pub heap_peak: u64,
    /// What it had on the heap by itself, without what its callees had kept.
    pub heap_self: i64,
    /// By how much live bytes had risen since the line began at which it is.
    pub heap_line: i64,
}

impl Past {
    /// As [`Call::rank`].
    pub(super) fn rank(&self) -> (u64, u64) {
        let height = match heap::is_counted() {
            true => self.heap_peak,
            false => self.peak,
        };
        (height, self.peak)
    }

    /// A suspension has lasted until `now`.
    pub(super) fn end_suspension(&mut self, now: Reading) {
        let before = self.suspended_at;
        self.suspended.time_ns += now.t_ns.saturating_sub(before.t_ns);
        self.suspended.net += difference(now.rss, before.rss);
    }
}

impl OpenCall {
    /// What it began with.
    pub(crate) fn start(&self) -> CallStart {
        CallStart {
            site: self.site,
            counters: self.counters,
            panicking: self.panicking_at_entry,
            call_id: self.call_id,
            heap: self.heap_entry,
        }
    }

    /// Where it goes on after a callee.
    pub(crate) fn position(&self) -> Position {
        Position {
            line: Some(self.line_counters()),
            heap_line_start: self.heap_line_start,
            heap_high: self.heap_high,
            heap_self_start: self.heap_self_start,
        }
    }

    /// What a snapshot needs of it: no details, and its samples only if `with_series`.
    pub(crate) fn copied(&self, with_series: bool) -> OpenCall {
        OpenCall {
            series: self.series.as_ref().filter(|_| with_series).cloned(),
            details: None,
            ..*self
        }
    }

    /// A call that this one's current line made has ended or was suspended: takes over its peak, and what
    /// other threads did meanwhile.
    pub(super) fn take_over(&mut self, inner: &OpenCall) {
        self.shared |= inner.shared;
        self.unsure = self.unsure.saturating_add(inner.unsure);
        self.line_high = self.line_high.max(inner.high.own);
        let at = inner.peak_at.map(|at| {
            data!(PeakAt {
                line: self.site.line_number(self.line),
                ..at
            })
        });
        self.raise_peak(inner.high, at);
    }

    /// The peak was `high`, at the moment `at`.
    pub(super) fn raise_peak(&mut self, high: High, at: Option<PeakAt>) {
        let before = self.high;
        self.high = before.max(high);
        if high.own > before.own && risen(high.own - self.start_level()) > self.past.peak {
            self.peak_at = at;
        }
    }

    /// The counters of the line at which it is, given that it is not the innermost call.
    pub(crate) fn line_counters(&self) -> &'static LineCounters {
        self.counters.at(self.line)
    }

    /// The part of `change`, all that it did on the heap, that the line that made it has not booked.
    pub(super) fn of_callee(&self, change: Counts) -> Counts {
        match self.kind {
            Kind::Usage => Counts::default(),
            _ => change,
        }
    }

    /// Whether its lines booked anything: then a reading was taken while it was on the stack, and its
    /// caller's line has something to book, too.
    pub(crate) fn has_unbooked_since_entry(&self) -> bool {
        self.booked_until.t_ns != self.entry.t_ns
    }

    /// Whether it was suspended before: it is a future, and not in its first poll.
    pub(super) fn was_suspended(&self) -> bool {
        self.past.suspended_at.t_ns != 0
    }

    /// When it was read first: at its entry, or later.
    pub(super) fn first_reading_ns(&self) -> u64 {
        match self.was_suspended() {
            true => self.entry.t_ns,
            false => self.stint.t_ns,
        }
    }

    /// The own level of the thread from which the call's peak counts: that at its entry, moved by what changed
    /// while it was suspended.
    pub(super) fn start_level(&self) -> i64 {
        self.entry.own() + self.past.suspended.net
    }

    /// The highest rise of live bytes above the entry.
    pub(super) fn heap_peak(&self) -> u64 {
        // A snapshot of a thread whose counters nobody knows yet has no height: it is below everything.
        let now = self.heap_high.saturating_sub(self.heap_entry.live());
        // What the call kept before it was suspended is still there.
        let kept = self.past.heap.live();
        let now = u64::try_from(now.saturating_add(kept)).unwrap_or(0);
        now.max(self.past.heap_peak)
    }

    /// What it did up to `now`, without what changed while it was suspended.
    pub(super) fn done(&self, now: Reading) -> Change {
        let time_ns = now.t_ns.saturating_sub(self.entry.t_ns);
        Change {
            time_ns: time_ns.saturating_sub(self.past.suspended.time_ns),
            net: now.own() - self.entry.own() - self.past.suspended.net,
        }
    }

    /// What it did up to `now` since it began or was resumed.
    pub(super) fn done_since_resumed(&self, now: Reading) -> Change {
        let (whole, before) = (self.done(now), self.past.done);
        Change {
            time_ns: whole.time_ns.saturating_sub(before.time_ns),
            net: whole.net - before.net,
        }
    }

    /// The call as data, if it ended `now`.
    pub(super) fn record(&self, now: Reading, thread: u64, depth: u32, outcome: Outcome) -> Call {
        let peak = risen(self.high.own.max(now.own()) - self.start_level());
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
            net_rss: self.done(now).net,
            suspended_rss: self.past.suspended.net,
            others_rss: now.others - self.entry.others,
        })
    }

    /// A suspended call as data, if the process ended `now`.
    pub(crate) fn record_suspended(&self, now: Reading) -> Call {
        let before = self.past.suspended_at;
        let now = before.or_later(now);
        let mut resumed = OpenCall {
            high: now.high(),
            ..self.copied(false)
        };
        resumed.past.end_suspension(now);
        resumed.entry.others += now.others - before.others;
        data!(Call {
            heap: heap::is_counted().then(|| heap::figures(self.past.heap, self.past.heap_peak)),
            ..resumed.record(now, self.past.thread, 0, Outcome::Running)
        })
    }

    /// It ends or is suspended: its details take over what its lines did on the heap.
    pub(crate) fn suspend_details(&mut self) {
        if let Some(details) = &mut self.details {
            details.suspend(self.counters);
        }
    }

    /// What it did on the heap up to `now`, a moment of its thread.
    pub(super) fn heap_figures(&self, now: Counts) -> HeapFigures {
        let counts = now.since(self.heap_entry).plus(self.past.heap);
        heap::figures(counts, self.heap_peak())
    }

    /// Whether it was not read when it began but later, and is high enough by now to be kept.
    pub(super) fn is_high(&self) -> bool {
        let height = match heap::is_counted() {
            true => self.heap_peak(),
            false => risen(self.high.own - self.start_level()),
        };
        self.kind == Kind::Call && !self.unread && self.counters.is_high(height)
    }

    /// Counts it, when it ends, among its site's calls that did about as much on the heap.
    pub(super) fn spread(&self, now: Counts) {
        let counts = now.since(self.heap_entry).plus(self.past.heap);
        spread_call(self.counters, counts.allocated, self.heap_peak() as i64);
    }

    /// As its site's highest call, if the process ended now.
    pub(crate) fn as_peak_call(&self, record: &Call) -> PeakCall {
        PeakCall {
            call: record.clone(),
            series: self.series.clone(),
        }
    }
}

impl CallStart {
    /// A call that begins now; `heap` is the thread's.
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

    /// Its position before its first line.
    pub(super) fn position(&self) -> Position {
        Position {
            line: Some(self.counters.before_lines()),
            heap_line_start: self.heap.live(),
            heap_high: self.heap.live(),
            heap_self_start: self.heap.live(),
        }
    }
}

/// How long the call was on a stack.
pub(super) fn polled_ns(call: &Call) -> u64 {
    let wall_ns = call.end_ns.saturating_sub(call.start_ns);
    wall_ns.saturating_sub(call.suspended_ns)
}

/// By how much something rose; 0 if it fell.
pub(crate) fn risen(change: i64) -> u64 {
    u64::try_from(change).unwrap_or(0)
}

/// The signed change from `before` to `now`.
pub(crate) fn difference(now: u64, before: u64) -> i64 {
    now.wrapping_sub(before) as i64
}
