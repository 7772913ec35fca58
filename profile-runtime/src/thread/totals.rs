//! The totals of a site on one recorder: over its calls, and for each line.

use super::hit_schedule::HitSchedule;
use super::line_group::LineGroup;
use crate::counters::counts::Counts;
use crate::counters::line::{LineCounters, NO_LINE};
use crate::counters::site::SiteCounters;
use crate::counters::spread::HeapSpread;
use crate::heap;
use crate::heap::origins;
use crate::site::registered::RegisteredSite;
use memprof_model::run::{PeakAt, UnreadRise};

/// Totals of one site on one recorder.
#[derive(Debug, Clone)]
pub(crate) struct SiteTotals {
    pub site: &'static RegisteredSite,
    /// What is counted without a lock. Leaked, because live frames point to it.
    pub counters: &'static SiteCounters,
    /// Of measured calls, like all fields here but `counters`.
    pub panics: u64,
    /// Threads that called the site through this recorder.
    pub threads: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Where and when that peak was.
    pub peak_at: Option<PeakAt>,
    /// The highest rise of RSS between two readings, while calls ran that were not read.
    pub unread_rise: Option<UnreadRise>,
    /// Highest RSS during any call.
    pub high: u64,
    /// The highest rise of live heap bytes in a call.
    pub heap_peak: u64,
    /// What other threads did on the heap during the calls.
    pub other_threads: Counts,
    /// The depth of the innermost measured call in progress, or of the run of a closure of such a call.
    pub innermost: Option<u32>,
    /// The line that the sampler met last, by its place.
    pub met: u32,
    pub lines: Vec<LineTotals>,
    /// The groups of lines whose change is known together only, by place in `lines`. Empty as long as there are none.
    pub groups: Vec<LineGroup>,
    /// What closures did on this thread for calls of other threads.
    pub workers: Option<WorkerTotals>,
}

/// The totals of one line that come from readings and samples.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineTotals {
    pub readings: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Largest RSS that was read at the end of a hit; 0 before the first.
    pub max_rss: u64,
    /// Samples that met the line.
    pub samples: u64,
    /// Bookings that were split between the thread and others by an estimate.
    pub shared: u64,
    /// What other threads did on the heap meanwhile.
    pub other_threads: Counts,
    /// The heap peak of earlier hits, while a call with details has restarted the one in the line's counters.
    pub heap_peak: u64,
    pub schedule: HitSchedule,
    /// What measured callees of the line did to RSS: the part of what is booked that is not the line's own.
    pub callees: i64,
}

/// What closures did on this recorder for calls of other threads.
#[derive(Debug, Clone)]
pub(crate) struct WorkerTotals {
    pub counters: &'static SiteCounters,
    pub time_ns: Vec<u64>,
}

impl SiteTotals {
    pub(crate) fn new(site: &'static RegisteredSite) -> SiteTotals {
        let lines = site.spec.lines.len();
        SiteTotals {
            site,
            counters: SiteCounters::leaked(lines, origins::is_on()),
            panics: 0,
            threads: 0,
            time_ns: 0,
            net: 0,
            peak: 0,
            peak_at: None,
            unread_rise: None,
            high: 0,
            heap_peak: 0,
            other_threads: Counts::default(),
            innermost: None,
            met: NO_LINE,
            lines: vec![LineTotals::default(); lines],
            groups: Vec::new(),
            workers: None,
        }
    }

    /// A measured call by `thread` begins.
    pub(crate) fn count_call(&mut self, thread: u64, stretch: u64) {
        self.threads += u64::from(self.counters.count_call(thread, stretch));
    }

    /// The counters of calls, and those of closures that worked for other threads.
    pub(crate) fn all_counters(&self) -> impl Iterator<Item = &'static SiteCounters> + use<> {
        let workers = self.workers.as_ref().map(|workers| workers.counters);
        std::iter::once(self.counters).chain(workers)
    }

    /// Panics of all calls, measured or counted.
    pub(crate) fn all_panics(&self) -> u64 {
        self.panics + self.counters.panics()
    }

    /// The highest rise of live heap bytes in a call, measured or counted.
    pub(crate) fn highest_heap_peak(&self) -> u64 {
        self.heap_peak.max(self.counters.heap_peak())
    }

    /// The counters of closures that work for other threads, made at the first of them.
    pub(crate) fn worker_counters(&mut self) -> &'static SiteCounters {
        let lines = self.lines.len();
        let workers = self.workers.get_or_insert_with(|| WorkerTotals {
            counters: SiteCounters::leaked(lines, origins::is_on()),
            time_ns: vec![0; lines],
        });
        workers.counters
    }

    /// A closure that works for another thread spent `time_ns` in `line`.
    pub(crate) fn worker_time(&mut self, line: u32, time_ns: u64) {
        let workers = self.workers.as_mut();
        if let Some(sum) = workers.and_then(|workers| workers.time_ns.get_mut(line as usize)) {
            *sum += time_ns;
        }
    }

    /// The groups of its lines, in the room that `spare` has if there are none yet.
    pub(crate) fn groups_made_of(&mut self, spare: &mut Vec<LineGroup>) -> &mut [LineGroup] {
        if self.groups.is_empty() {
            self.groups = std::mem::take(spare);
            // A callee's groups may have taken the room since the call began.
            heap::without_counting(|| self.groups.resize(self.lines.len(), LineGroup::default()));
        }
        &mut self.groups
    }

    /// Bytes that it holds, itself included.
    pub(crate) fn bytes(&self) -> u64 {
        let lines = self.lines.capacity();
        let workers = self.workers.as_ref().map_or(0, |_| {
            lines * (size_of::<LineCounters>() + size_of::<u64>())
        });
        let line = size_of::<LineTotals>() + size_of::<LineCounters>();
        let groups = self.groups.capacity() * size_of::<LineGroup>();
        let spread = self.counters.spread().map_or(0, HeapSpread::bytes);
        let fixed = size_of::<SiteTotals>() + size_of::<SiteCounters>();
        (lines * line + groups + workers + fixed) as u64 + spread
    }
}

impl LineTotals {
    /// Adds another recorder's totals of the same line.
    pub(crate) fn add(&mut self, other: &LineTotals) {
        self.readings += other.readings;
        self.time_ns += other.time_ns;
        self.net += other.net;
        self.callees += other.callees;
        self.peak = self.peak.max(other.peak);
        self.max_rss = self.max_rss.max(other.max_rss);
        self.samples += other.samples;
        self.shared += other.shared;
        self.other_threads = self.other_threads.plus(other.other_threads);
        self.heap_peak = self.heap_peak.max(other.heap_peak);
    }
}
