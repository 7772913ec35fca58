//! The whole run so far, with all texts and lists: what a report is made of.

use super::function::{ThreadSnapshot, function, of_threads};
use super::identity::identified;
use super::live_blocks::{self, LiveBlocks};
use crate::heap;
use crate::reading::meter::MeterFigures;
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::site::registered::RegisteredSite;
use crate::thread::totals::SiteTotals;
use memprof_model::data;
use memprof_model::run::{Overhead, Process, Run, RunOutcome, SCHEMA};

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
    let threads = threads(recorder, now, true);
    let meter = recorder.instruments.meter.figures(None);
    let mut run = identified(recorder, header(recorder, outcome, now, &meter));
    run.overhead.profiler_bytes += held_bytes(recorder, &threads);
    run.series = meter.samples;
    run.origins = live_blocks::followed();
    let alive = LiveBlocks::now();
    let functions = sites.iter().zip(ended).filter_map(|(site, ended)| {
        let suspended = recorder.threads.suspended.of_site(site.id);
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
        let (totals, mut running) = thread.snapshot(now, with_series);
        running.sort_by_key(|(open, _)| open.site.id);
        threads.push((totals, running));
    });
    threads
}

/// The sites of the user's functions, without memprof's own.
pub(super) fn called(
    sites: &[&'static RegisteredSite],
) -> impl Iterator<Item = &'static RegisteredSite> {
    sites.iter().copied().filter(|site| !site.spec.is_own())
}

/// The figures of the run as a whole, without texts and lists.
pub(super) fn header(
    recorder: &Recorder,
    outcome: RunOutcome,
    now: Reading,
    meter: &MeterFigures,
) -> Run {
    let sampler = &recorder.instruments.sampler;
    data!(Run {
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
        process: data!(Process {
            peak_rss: meter.process_peak.max(now.rss),
            baseline_rss: meter.baseline,
        }),
        sampler: sampler.report(),
        overhead: data!(Overhead {
            readings: meter.readings,
            reading_ns: meter.reading_ns,
            sampler_cpu_ns: sampler.cpu_ns(),
            profiler_bytes: meter.bytes,
        }),
        series: Vec::new(),
        functions: Vec::new(),
        stopped: Vec::new(),
        low_memory_ns: recorder.low_memory_ns(),
        watched: None,
        origins: None,
    })
}

/// Bytes that threads and sites hold.
fn held_bytes(recorder: &Recorder, threads: &[ThreadSnapshot]) -> u64 {
    let totals = threads.iter().flat_map(|(totals, _)| totals);
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
mod tests {
    use super::super::scene::{PAGE, START, Scene, only};
    use super::*;
    use crate::recorder::A_DAY_NS;
    use crate::site::spec::SiteSpec;
    use memprof_model::run::{Outcome, PeakMethod};

    #[test]
    fn a_run_without_calls_has_figures_of_the_process_and_no_functions() {
        let scene = Scene::new();
        scene.script.change(300);
        scene.script.change(-100);
        let run = take(scene.recorder, RunOutcome::Exited);
        assert!(run.functions.is_empty());
        assert_eq!(
            (run.schema.as_str(), run.outcome),
            (SCHEMA, RunOutcome::Exited)
        );
        assert_eq!(
            (run.backend.as_str(), run.peak_method),
            ("scripted", PeakMethod::Kernel)
        );
        assert_eq!(run.process.baseline_rss, START);
        assert_eq!(run.process.peak_rss, START + 300 * PAGE);
        let samples: Vec<_> = run
            .series
            .iter()
            .map(|sample| (sample.t_ns, sample.rss))
            .collect();
        assert_eq!(samples, [(0, START), (run.duration_ns, START + 200 * PAGE)]);
    }

    #[test]
    fn functions_stand_in_the_order_of_registration_and_our_own_are_left_out() {
        static OWN: SiteSpec = SiteSpec::own("memprof::test", &[1]);
        let scene = Scene::new();
        let thread = scene.thread();
        let own = scene.recorder.add_own_site(&OWN, A_DAY_NS);
        let [first, second, never] = [(); 3].map(|()| scene.function());
        scene.call(thread, own, 1);
        scene.call(thread, second, 2);
        scene.call(thread, first, 1);
        let run = take(scene.recorder, RunOutcome::Running);
        let nets: Vec<_> = run
            .functions
            .iter()
            .map(|function| function.net_rss)
            .collect();
        assert_eq!(nets, [1, 2].map(|pages| pages * PAGE as i64));
        assert!(never.id == 3 && scene.recorder.sites().len() == 4);
    }

    #[test]
    fn a_call_in_progress_counts_as_if_it_ended_now_and_goes_on() {
        let scene = Scene::new();
        let (thread, site) = (scene.thread(), scene.function());
        let call = scene.begin(thread, site, 5);
        let run = take(scene.recorder, RunOutcome::Running);
        let function = only(&run);
        assert_eq!((function.calls, function.net_rss), (1, 5 * PAGE as i64));
        let record = &function.call_records[0];
        assert_eq!(
            (record.outcome, record.end_ns),
            (Outcome::Running, run.duration_ns)
        );
        assert_eq!(function.lines[0].net_rss, 5 * PAGE as i64);
        call.exit();
        let run = take(scene.recorder, RunOutcome::Running);
        assert_eq!((only(&run).calls, only(&run).net_rss), (1, 5 * PAGE as i64));
        let outcomes: Vec<_> = only(&run)
            .call_records
            .iter()
            .map(|call| call.outcome)
            .collect();
        assert_eq!(outcomes, [Outcome::Returned]);
    }

    #[test]
    fn suspended_calls_are_in_the_run_with_what_they_did_until_then() {
        let scene = Scene::new();
        let (thread, site) = (scene.thread(), scene.function());
        let other = scene.function();
        scene.call(thread, other, 1);
        let call = scene.begin(thread, site, 4);
        let open = thread.suspend(call.depth()).expect("it is in progress");
        let key = scene.recorder.threads.suspended.put(open);
        scene.script.change(100);
        let run = take(scene.recorder, RunOutcome::Running);
        assert_eq!(
            run.functions[1].call_records.len(),
            1,
            "it is no call of the other"
        );
        let function = &run.functions[0];
        let record = &function.call_records[0];
        assert_eq!((function.calls, record.outcome), (1, Outcome::Running));
        assert_eq!(
            (record.net_rss, record.peak_rss),
            (4 * PAGE as i64, 4 * PAGE)
        );
        scene
            .recorder
            .threads
            .suspended
            .take(key)
            .expect("it is still there");
    }

    #[test]
    fn what_threads_and_sites_hold_is_in_the_overhead() {
        let scene = Scene::new();
        let before = take(scene.recorder, RunOutcome::Running).overhead;
        let (thread, site) = (scene.thread(), scene.function());
        scene.call(thread, site, 1);
        let after = take(scene.recorder, RunOutcome::Running).overhead;
        assert!(
            after.profiler_bytes >= before.profiler_bytes + thread.bytes(),
            "{before:?} {after:?}"
        );
        assert!(after.readings > before.readings && after.reading_ns > before.reading_ns);
    }

    #[test]
    fn the_status_of_the_sampler_is_in_the_run() {
        let scene = Scene::new();
        let sampler = &scene.recorder.instruments.sampler;
        sampler.count_ticks(7, 5, Some(90));
        sampler.set_cpu_ns(11);
        let run = take(scene.recorder, RunOutcome::Running);
        assert_eq!(run.sampler, sampler.report());
        assert_eq!(run.overhead.sampler_cpu_ns, 11);
    }
}
