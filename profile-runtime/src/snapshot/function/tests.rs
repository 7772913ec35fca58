use super::super::scene::{PAGE, START, Scene, only};
use super::super::whole_run::{take, threads};
use super::*;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;
use memprof_model::run::{Outcome, Run, RunOutcome};

const PAGES: i64 = PAGE as i64;

fn run_of(scene: &Scene) -> Run {
    take(scene.recorder, RunOutcome::Running)
}

#[test]
fn function_totals_over_two_threads_add_up_and_peaks_are_the_highest() {
    let scene = Scene::new();
    let site = scene.function();
    let (one, two) = (scene.thread(), scene.thread());
    scene.call(one, site, 10);
    scene.call(two, site, 4);
    let run = run_of(&scene);
    let function = only(&run);
    assert_eq!((function.calls, function.threads), (2, 2));
    assert_eq!(function.net_rss, 14 * PAGES);
    assert_eq!(
        function.peak_rss,
        20 * PAGE,
        "what is kept and a moment's as much again"
    );
    assert_eq!(function.max_rss, START + 20 * PAGE);
    let lines: Vec<_> = (function.lines.iter())
        .map(|line| {
            (
                line.line,
                line.hits,
                line.net_rss / PAGES,
                line.peak_rss / PAGE,
            )
        })
        .collect();
    assert_eq!(lines, [(11, 2, 14, 10), (12, 2, 0, 10), (13, 2, 0, 0)]);
    let time: u64 = function.lines.iter().map(|line| line.time_ns).sum();
    assert_eq!(time, function.time_ns);
}

#[test]
fn function_a_function_is_described_by_its_site() {
    let scene = Scene::new();
    let site = scene.function();
    scene.call(scene.thread(), site, 1);
    let run = run_of(&scene);
    let function = only(&run);
    assert_eq!((&*function.name, &*function.label), ("demo::f", "f"));
    assert_eq!(
        (&*function.file, function.line, function.source_line),
        ("src/f.rs", 10, 10)
    );
    assert_eq!((function.interval_ns, &function.by), (1_000_000, &None));
    assert_eq!(function.source, site.spec.source);
    let sources: Vec<&str> = function.lines.iter().map(|line| &*line.source).collect();
    assert_eq!(sources, ["    a();", "    b();", "}"]);
}

#[test]
fn function_the_call_with_the_highest_peak_gives_entry_exit_and_series() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    for pages in [3, 50, 7] {
        scene.call(thread, site, pages);
    }
    let run = run_of(&scene);
    let function = only(&run);
    let highest = &function.call_records[1];
    assert_eq!(function.series_call, Some(1));
    assert_eq!(function.entry_rss, START + 3 * PAGE);
    assert_eq!(function.exit_rss, START + 53 * PAGE);
    assert_eq!(function.peak_at.expect("a peak").line, Some(12));
    let (first, last) = (
        function.series[0],
        function.series[function.series.len() - 1],
    );
    assert_eq!(
        (first.t_ns, first.rss, first.line),
        (highest.start_ns, START + 3 * PAGE, None)
    );
    assert_eq!((last.t_ns, last.rss), (highest.end_ns, highest.exit_rss));
}

#[test]
fn function_a_call_in_progress_can_be_the_highest() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    scene.call(thread, site, 10);
    scene.begin(thread, site, 90);
    let run = run_of(&scene);
    let function = only(&run);
    assert_eq!(function.call_records.len(), 2);
    assert_eq!(
        (function.series_call, function.peak_rss),
        (Some(1), 90 * PAGE)
    );
    assert_eq!(function.call_records[1].outcome, Outcome::Running);
    assert_eq!(function.entry_rss, START + 10 * PAGE);
    assert_eq!(function.calls_omitted, 0);
}

#[test]
fn function_the_highest_of_ended_calls_stays_before_one_in_progress_that_is_no_higher() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    scene.call(thread, site, 10);
    scene.begin(thread, site, 20);
    let run = run_of(&scene);
    assert_eq!(
        (only(&run).series_call, only(&run).entry_rss),
        (Some(0), START)
    );
}

#[test]
fn function_calls_that_are_not_kept_one_by_one_are_counted_as_omitted() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    for _ in 0..1_000 {
        scene.call(thread, site, 0);
    }
    let run = run_of(&scene);
    let function = only(&run);
    let kept = function.call_records.len() as u64;
    assert!((1..1_000).contains(&kept));
    assert_eq!(
        (function.calls, function.calls_omitted),
        (1_000, 1_000 - kept)
    );
    assert!(function.call_records.is_sorted_by_key(|call| call.start_ns));
}

#[test]
fn function_a_function_of_which_only_closures_ran_elsewhere_is_none() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    thread.enter(site, Kind::OtherThread).exit();
    assert!(run_of(&scene).functions.is_empty());
}

#[test]
fn function_what_closures_did_on_other_threads_stays_apart() {
    let scene = Scene::new();
    let site = scene.function();
    let worker = scene.thread();
    scene.call(scene.thread(), site, 1);
    let part = worker.enter(site, Kind::OtherThread);
    part.line(1);
    scene.script.pass(5_000);
    part.line(1);
    part.exit();
    let run = run_of(&scene);
    let function = only(&run);
    assert_eq!((function.calls, function.lines[1].hits), (1, 1));
    let workers = function.lines[1].workers.expect("two hits");
    assert!(workers.hits == 2 && workers.time_ns >= 5_000, "{workers:?}");
    assert_eq!(function.lines[0].workers, None);
}

#[test]
fn function_calls_in_progress_are_found_by_their_site() {
    let scene = Scene::new();
    let thread = scene.thread();
    let [first, second, third] = [(); 3].map(|()| scene.function());
    for site in [third, first, third] {
        scene.begin(thread, site, 1);
    }
    let now = scene.recorder.instruments.meter.read_for_all();
    let books = threads(scene.recorder, now, false);
    let number = |site| running(site, &books).count();
    assert_eq!([first, second, third].map(number), [1, 0, 2]);
    let of_threads = |site| of_threads(site, &books).count();
    assert_eq!([first, second, third].map(of_threads), [1, 0, 1]);
}

#[test]
fn function_calls_of_a_size_are_in_the_function() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.sized_function());
    for n in [2_u32, 1, 2] {
        let call = scene.begin(thread, site, n.into());
        call.set_size(f64::from(n));
        call.exit();
    }
    let run = run_of(&scene);
    let function = only(&run);
    assert_eq!(function.by.as_deref(), Some("n"));
    let sizes: Vec<_> = (function.sizes.iter())
        .map(|size| (size.n, size.calls, size.peak_rss / PAGE))
        .collect();
    assert_eq!(sizes, [(1.0, 1, 1), (2.0, 2, 2)]);
}

/// So many calls that are only counted, the second of which takes `pages` for a moment.
fn counted_calls(
    scene: &Scene,
    thread: &'static ThreadRecorder,
    site: &'static RegisteredSite,
    calls: usize,
    pages: i64,
) {
    thread.stop_asking_for_readings();
    for number in 0..calls {
        let call = thread.enter_counted(site).expect("nothing is due");
        if number == 1 {
            scene.script.change(pages);
            scene.script.change(-pages);
        }
        call.exit();
    }
}

#[test]
fn function_a_height_that_a_later_reading_meets_is_told_of_the_calls_before_it_and_of_no_single_one()
 {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    scene.call(thread, site, 1);
    let before = scene.recorder.instruments.meter.now_ns();
    counted_calls(&scene, thread, site, 4, 1_000);
    let fifth = thread.enter_counted(site).expect("nothing is due");
    thread.ask_for_reading();
    fifth.line(0);
    fifth.exit();
    // A later stretch of time, in which nothing rises so much.
    counted_calls(&scene, thread, site, 7, 10);
    let last = thread.enter_counted(site).expect("nothing is due");
    thread.ask_for_reading();
    last.line(0);
    last.exit();
    let run = run_of(&scene);
    let function = only(&run);
    let unread = function.unread_rise.expect("a rise");
    assert_eq!((unread.rise, unread.calls), (1_000 * PAGE, 5));
    assert!(unread.from_ns <= before && before < unread.to_ns);
    assert_eq!(
        function.peak_rss,
        2 * PAGE,
        "the first call's, which was read"
    );
    assert!(
        function
            .call_records
            .iter()
            .all(|call| call.peak_rss <= 2 * PAGE)
    );
}

#[test]
fn function_a_call_that_was_read_in_its_middle_is_kept_if_it_is_high_from_there_on() {
    let scene = Scene::new();
    let (thread, site) = (scene.thread(), scene.function());
    scene.call(thread, site, 1);
    for pages in [0, 700, 300] {
        thread.stop_asking_for_readings();
        let call = thread.enter_counted(site).expect("nothing is due");
        call.line(0);
        scene.script.change(pages / 2);
        thread.ask_for_reading();
        call.line(1);
        thread.stop_asking_for_readings();
        scene.script.change(pages);
        scene.script.pass(1_000);
        thread.ask_for_reading();
        call.line(2);
        thread.stop_asking_for_readings();
        scene.script.change(-pages);
        call.exit();
    }
    let run = run_of(&scene);
    let function = only(&run);
    let highest = function.highest_call().expect("calls");
    assert_eq!(
        (highest.peak_rss, highest.net_rss),
        (700 * PAGE, 0),
        "it ended with a reading"
    );
    assert_eq!(highest.peak_rss, function.peak_rss);
    assert!(highest.start_ns < highest.end_ns && !highest.only_counted);
    let kept: Vec<u64> = function
        .call_records
        .iter()
        .map(|call| call.peak_rss / PAGE)
        .collect();
    assert_eq!(kept, [2, 700, 300]);
}
