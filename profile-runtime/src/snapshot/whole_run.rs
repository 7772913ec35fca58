//! The run so far, whole: what a report is made of.

use super::function::{LaneBook, function, tallies};
use super::identity::identified;
use super::live_blocks::{self, Alive};
use crate::heap;
use crate::reading::meter::MeterFigures;
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::run::{Overhead, Process, Run, RunOutcome, SCHEMA};
use crate::site::registered::Registered;
use crate::thread::totals::SiteTally;

/// The run of `recorder` as data.
pub(crate) fn take(recorder: &'static Recorder, outcome: RunOutcome) -> Run {
    take_at(recorder, outcome, recorder.instruments.meter.read_for_all())
}

/// The run of `recorder` up to `now`, a reading that has just been taken.
pub(crate) fn take_at(recorder: &'static Recorder, outcome: RunOutcome, now: Reading) -> Run {
    let sites: Vec<_> = called(&recorder.sites()).collect();
    // Before the lanes' books: what ends in between is in their sums, and no longer in progress there.
    let ended: Vec<_> = sites.iter().map(|site| site.calls().clone()).collect();
    let books = books(recorder, now, true);
    let meter = recorder.instruments.meter.figures(None);
    let mut run = identified(recorder, header(recorder, outcome, now, &meter));
    run.overhead.profiler_bytes += held_bytes(recorder, &books);
    run.series = meter.samples;
    run.origins = live_blocks::followed();
    let alive = Alive::now();
    let functions = sites.iter().zip(ended).filter_map(|(site, ended)| {
        let suspended = recorder.threads.suspended.of_site(site.id);
        let mut profile = function(site, ended, &books, suspended)?;
        if let Some(alive) = &alive {
            alive.tell(&mut profile, tallies(site, &books));
        }
        Some(profile)
    });
    run.functions = functions.collect();
    run
}

/// What every lane has, as if all calls ended with `now`.
pub(super) fn books(recorder: &Recorder, now: Reading, with_series: bool) -> Vec<LaneBook> {
    let mut books = Vec::new();
    recorder.threads.for_each(|lane| {
        let (tallies, mut running) = lane.snapshot(now, with_series);
        running.sort_by_key(|(open, _)| open.site.id);
        books.push((tallies, running));
    });
    books
}

/// The user's functions among `sites`.
pub(super) fn called(sites: &[&'static Registered]) -> impl Iterator<Item = &'static Registered> {
    sites.iter().copied().filter(|site| !site.spec.is_own())
}

/// A run's own figures, without its texts and lists.
pub(super) fn header(
    recorder: &Recorder,
    outcome: RunOutcome,
    now: Reading,
    meter: &MeterFigures,
) -> Run {
    let sampler = &recorder.instruments.sampler;
    Run {
        schema: SCHEMA.to_owned(),
        program: String::new(),
        command: Vec::new(),
        pid: std::process::id(),
        started: String::new(),
        duration_ns: now.t_ns,
        backend: meter.backend.to_owned(),
        peak_method: meter.peak_method,
        heap: heap::is_counted(),
        outcome,
        process: Process {
            peak_rss: meter.process_peak.max(now.rss),
            baseline_rss: meter.baseline,
        },
        sampler: sampler.report(),
        overhead: Overhead {
            readings: meter.readings,
            reading_ns: meter.reading_ns,
            sampler_cpu_ns: sampler.cpu_ns(),
            profiler_bytes: meter.bytes,
        },
        series: Vec::new(),
        functions: Vec::new(),
        stopped: Vec::new(),
        low_memory_ns: None,
        watched: None,
        origins: None,
    }
}

/// Bytes that threads and sites hold.
fn held_bytes(recorder: &Recorder, books: &[LaneBook]) -> u64 {
    let tallies = books.iter().flat_map(|(tallies, _)| tallies);
    let tallies: u64 = tallies.map(SiteTally::bytes).sum();
    let sites = recorder.sites().into_iter().map(|site| {
        let maxima = site.maxima().map_or(0, |maxima| maxima.bytes());
        site.calls().bytes() + site.sizes().bytes() + maxima
    });
    let mut bytes = heap::origins::bytes() + tallies + sites.sum::<u64>();
    bytes += recorder.threads.suspended.bytes();
    recorder.threads.for_each(|lane| bytes += lane.bytes());
    bytes
}
