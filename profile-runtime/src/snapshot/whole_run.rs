//! The whole run so far, with all texts and lists: what a report is made of.

use super::function::{Suspended, function, of_threads};
use super::header::header;
use super::identity::identified;
use super::live_blocks::{self, LiveBlocks};
use crate::heap;
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::site::registered::RegisteredSite;
use crate::thread::copy::ThreadSnapshot;
use crate::thread::totals::SiteTotals;
use memprof_model::run::{Run, RunOutcome};

/// The run of `recorder` as data.
pub(crate) fn take(recorder: &'static Recorder, outcome: RunOutcome) -> Run {
    take_at(recorder, outcome, recorder.instruments.meter.read_for_all())
}

/// The run of `recorder` up to `now`, a reading that has just been taken.
pub(crate) fn take_at(recorder: &'static Recorder, outcome: RunOutcome, now: Reading) -> Run {
    let sites: Vec<_> = called(&recorder.sites()).collect();
    // Before the snapshots of the threads. A call that ends in between is then in their totals, and is not taken
    // twice: once as ended and once as in progress.
    let ended: Vec<_> = sites.iter().map(|site| site.calls().clone()).collect();
    // Before the threads, too: a call that goes on in between is found in both, and known by its number.
    let suspended = sites.iter().map(|site| Suspended::all(recorder, site, now));
    let suspended: Vec<_> = suspended.collect();
    let threads = threads(recorder, now, true);
    let meter = recorder.instruments.meter.figures(None);
    let mut run = identified(recorder, header(recorder, outcome, now, &meter));
    run.overhead.profiler_bytes += held_bytes(recorder, &threads);
    run.series = meter.samples;
    run.origins = live_blocks::followed();
    let alive = LiveBlocks::now();
    let calls = ended.into_iter().zip(suspended);
    let functions = sites.iter().zip(calls).filter_map(|(site, calls)| {
        let (ended, suspended) = calls;
        let mut profile = function(site, ended, &threads, suspended)?;
        if let Some(alive) = &alive {
            alive.fill_in(&mut profile, of_threads(site, &threads));
        }
        Some(profile)
    });
    run.functions = functions.collect();
    run
}

/// The snapshot of every thread, as if all calls ended with `now`.
pub(super) fn threads(recorder: &Recorder, now: Reading, with_series: bool) -> Vec<ThreadSnapshot> {
    let mut threads = Vec::new();
    recorder.threads.for_each(|thread| {
        threads.push(thread.snapshot(now, with_series));
    });
    threads
}

/// The sites of the user's functions, without memprof's own.
pub(super) fn called(
    sites: &[&'static RegisteredSite],
) -> impl Iterator<Item = &'static RegisteredSite> {
    sites.iter().copied().filter(|site| !site.spec.is_own())
}

/// Bytes that threads and sites hold.
fn held_bytes(recorder: &Recorder, threads: &[ThreadSnapshot]) -> u64 {
    let totals = threads.iter().flat_map(|thread| &thread.totals);
    let totals: u64 = totals.map(SiteTotals::bytes).sum();
    let sites = recorder.sites().into_iter().map(|site| {
        let maxima = site.maxima().map_or(0, |maxima| maxima.bytes());
        site.calls().bytes() + site.sizes().bytes() + maxima
    });
    let mut bytes = heap::origins::bytes() + totals + sites.sum::<u64>();
    bytes += recorder.threads.suspended.bytes();
    recorder.threads.for_each(|thread| bytes += thread.bytes());
    bytes
}

#[cfg(test)]
mod tests;
