use super::super::scene::{PAGE, START, Scene, only};
use super::*;
use crate::recorder::A_DAY_NS;
use crate::site::spec::SiteSpec;
use memprof_model::run::SCHEMA;
use memprof_model::run::{Outcome, PeakMethod};

#[test]
fn whole_run_a_run_without_calls_has_figures_of_the_process_and_no_functions() {
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
fn whole_run_functions_stand_in_the_order_of_registration_and_our_own_are_left_out() {
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
fn whole_run_a_call_in_progress_counts_as_if_it_ended_now_and_goes_on() {
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
fn whole_run_suspended_calls_are_in_the_run_with_what_they_did_until_then() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    let other = scene.function();
    scene.call(thread, other, 1);
    let call = scene.begin(thread, site, 4);
    let open = thread.suspend(call.depth()).expect("it is in progress");
    let (key, _) = scene.recorder.threads.suspended.put(open);
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
    let expected = (4 * PAGE as i64, 4 * PAGE);
    assert_eq!((record.net_rss, record.peak_rss), expected);
    assert_eq!(record.suspended_rss, 100 * PAGE as i64);
    assert_eq!((record.thread, record.end_ns), (1, run.duration_ns));
    assert_eq!((function.net_rss, function.peak_rss), expected);
    let at_peak = function.peak_at.expect("a peak");
    assert_eq!((at_peak.line, at_peak.rss), (Some(11), START + 5 * PAGE));
    let polled_ns = record.end_ns - record.start_ns - record.suspended_ns;
    assert_eq!(function.time_ns, polled_ns);
    let lines: Vec<_> = (function.lines.iter())
        .map(|line| (line.suspended, line.net_rss))
        .collect();
    assert_eq!(lines, [(1, 4 * PAGE as i64), (0, 0), (0, 0)]);
    assert_eq!(function.suspended, 1);
    let series: Vec<_> = (function.series.iter())
        .map(|sample| (sample.rss, sample.line))
        .collect();
    let [entry, suspended, now] = [1, 5, 105].map(|pages| START + pages * PAGE);
    assert_eq!(
        series,
        [
            (entry, None),
            (entry, None),
            (suspended, Some(11)),
            (suspended, None),
            (now, None)
        ],
        "no line of it runs while it is suspended"
    );
    scene
        .recorder
        .threads
        .suspended
        .take(key)
        .expect("it is still there");
}

#[test]
fn whole_run_what_threads_and_sites_hold_is_in_the_overhead() {
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
fn whole_run_the_status_of_the_sampler_is_in_the_run() {
    let scene = Scene::new();
    let sampler = &scene.recorder.instruments.sampler;
    sampler.count_ticks(7, 5, Some(90));
    sampler.set_cpu_ns(11);
    let run = take(scene.recorder, RunOutcome::Running);
    assert_eq!(run.sampler, sampler.report());
    assert_eq!(run.overhead.sampler_cpu_ns, 11);
}
