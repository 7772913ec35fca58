use std::sync::mpsc;

use super::*;
use crate::os::scripted::Script;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;

static SPEC: SiteSpec = SiteSpec::own("memprof::test", &[1, 2]);

const MS: u64 = 1_000_000;

/// What a look at the clock, or a reading, takes of it at most.
const JITTER_NS: u64 = 1_000;

fn site(id: usize, interval_ns: u64) -> &'static RegisteredSite {
    Box::leak(Box::new(RegisteredSite::new(
        id,
        &SPEC,
        interval_ns,
        None,
        false,
    )))
}

/// A sampler without a thread, on a scripted clock, and the one thread that it watches.
struct Scene {
    script: &'static Script,
    sampler: Loop,
    thread: &'static ThreadRecorder,
}

impl Scene {
    fn new() -> Scene {
        let script = Script::leaked(1 << 20);
        let instruments = Instruments::scripted(script);
        let threads = &*Box::leak(Box::new(ThreadRegistry::new(instruments)));
        Scene {
            script,
            sampler: Loop::new(instruments, threads),
            thread: threads.take(),
        }
    }

    /// A call in progress of a new site with this number.
    fn enter(&self, id: usize, interval_ns: u64) -> u32 {
        self.thread.enter(site(id, interval_ns), Kind::Call).depth()
    }

    /// The intervals that have a beat.
    fn intervals(&mut self) -> Vec<u64> {
        self.sampler.look_around();
        let beats = self.sampler.beats.iter();
        beats.map(|beat| beat.interval_ns).collect()
    }

    /// Samples due, samples taken, and the longest gap between two.
    fn report(&self) -> (u64, u64, u64) {
        let report = self.sampler.instruments.sampler.report();
        (report.ticks_due, report.ticks_taken, report.longest_gap_ns)
    }

    fn rss_samples(&self) -> usize {
        self.sampler.instruments.meter.figures(None).samples.len()
    }
}

#[track_caller]
fn about(found_ns: u64, expected_ns: u64) {
    assert!(
        (expected_ns..expected_ns + JITTER_NS).contains(&found_ns),
        "{found_ns}, expected {expected_ns}"
    );
}

#[test]
fn sampler_beats_begin_and_end_with_the_intervals_in_use() {
    let mut scene = Scene::new();
    assert!(scene.intervals().is_empty());
    let outer = scene.enter(0, 10 * MS);
    let inner = scene.enter(1, MS);
    let again = scene.enter(2, 10 * MS);
    assert_eq!(scene.intervals(), [10 * MS, MS]);
    scene.thread.exit(again);
    scene.thread.exit(inner);
    assert_eq!(scene.intervals(), [10 * MS]);
    scene.thread.exit(outer);
    assert_eq!(
        scene.intervals(),
        [10 * MS],
        "the tail is sampled at the last intervals"
    );
}

#[test]
fn sampler_a_beat_that_goes_on_keeps_its_deadline() {
    let mut scene = Scene::new();
    scene.enter(0, 10 * MS);
    scene.intervals();
    let deadline = scene.sampler.next_deadline();
    about(deadline.expect("a call is in progress"), 10 * MS);
    scene.script.pass(3 * MS);
    scene.intervals();
    assert_eq!(scene.sampler.next_deadline(), deadline);
    scene.enter(1, MS);
    scene.intervals();
    about(scene.sampler.next_deadline().expect("two are"), 4 * MS);
}

#[test]
fn sampler_a_tick_before_its_time_takes_no_sample() {
    let mut scene = Scene::new();
    scene.enter(0, 10 * MS);
    scene.intervals();
    let before = scene.rss_samples();
    scene.script.pass(9 * MS);
    scene.sampler.tick();
    assert_eq!((scene.report(), scene.rss_samples()), ((0, 0, 0), before));
    scene.script.pass(MS);
    scene.sampler.tick();
    assert_eq!((scene.report().1, scene.rss_samples()), (1, before + 1));
}

#[test]
fn sampler_a_late_tick_counts_what_was_missed_once_and_keeps_the_phase() {
    let mut scene = Scene::new();
    scene.enter(0, 10 * MS);
    scene.intervals();
    let first = scene
        .sampler
        .next_deadline()
        .expect("a call is in progress");
    scene.script.pass(45 * MS);
    scene.sampler.tick();
    let (due, taken, _) = scene.report();
    assert_eq!((due, taken), (4, 1));
    assert_eq!(scene.sampler.next_deadline(), Some(first + 40 * MS));
    scene.sampler.tick();
    assert_eq!(scene.report().0, 4, "counted once");
    scene.script.pass(6 * MS);
    scene.sampler.tick();
    let (due, taken, _) = scene.report();
    assert_eq!((due, taken), (5, 2));
}

#[test]
fn sampler_beats_that_fall_together_share_one_sample_and_each_counts_as_taken() {
    let mut scene = Scene::new();
    scene.enter(0, 10 * MS);
    scene.enter(1, 5 * MS);
    scene.intervals();
    let before = scene.rss_samples();
    scene.script.pass(10 * MS + JITTER_NS);
    scene.sampler.tick();
    let (due, taken, _) = scene.report();
    assert_eq!((due, taken, scene.rss_samples()), (3, 2, before + 1));
}

#[test]
fn sampler_the_longest_gap_is_between_two_samples_while_a_call_is_in_progress() {
    let mut scene = Scene::new();
    let call = scene.enter(0, 10 * MS);
    scene.intervals();
    scene.script.pass(12 * MS);
    scene.sampler.tick();
    about(scene.report().2, 12 * MS);
    scene.script.pass(31 * MS);
    scene.sampler.tick();
    about(scene.report().2, 31 * MS);
    scene.thread.exit(call);
    scene.intervals();
    scene.script.pass(500 * MS);
    scene.enter(1, 10 * MS);
    scene.intervals();
    scene.script.pass(11 * MS);
    scene.sampler.tick();
    about(scene.report().2, 31 * MS);
}

#[test]
fn sampler_a_sample_is_handed_to_calls_whose_interval_is_due_and_asks_for_a_reading() {
    let mut scene = Scene::new();
    let (seldom, often) = (site(0, 10 * MS), site(1, MS));
    for site in [seldom, often] {
        scene.thread.enter(site, Kind::Call).line(0);
    }
    scene.intervals();
    scene.script.pass(MS + JITTER_NS);
    scene.sampler.tick();
    let now = scene.sampler.instruments.meter.read_for_all();
    let snapshot = scene.thread.snapshot(now, false);
    let samples: Vec<u64> = (snapshot.totals)
        .iter()
        .map(|totals| totals.lines[0].samples)
        .collect();
    assert_eq!(samples, [0, 1]);
    let due = scene.thread.current_line().slow_path();
    assert_ne!(due, 0, "the line that takes long is read at its end");
}

#[test]
fn sampler_after_the_tail_of_idle_rounds_there_is_no_deadline_until_the_next_call() {
    let mut scene = Scene::new();
    let call = scene.enter(0, MS);
    scene.intervals();
    scene.thread.exit(call);
    let before = scene.rss_samples();
    for round in 1..=TAIL {
        scene.sampler.look_around();
        let deadline = scene.sampler.next_deadline();
        assert!(deadline.is_some(), "round {round} of {TAIL}");
        scene.script.pass(MS);
        scene.sampler.tick();
    }
    assert_eq!(scene.rss_samples(), before + TAIL as usize);
    assert_eq!(
        scene.report(),
        (0, 0, 0),
        "no call was in progress at these"
    );
    scene.sampler.look_around();
    assert_eq!(scene.sampler.next_deadline(), None);
    scene.enter(1, 2 * MS);
    scene.sampler.look_around();
    assert!(scene.sampler.next_deadline().is_some());
}

#[test]
fn sampler_how_many_threads_are_busy_is_told_to_all() {
    let mut scene = Scene::new();
    let share = |scene: &Scene| scene.sampler.instruments.threads_per_processor();
    scene.intervals();
    assert_eq!(share(&scene), 0.0);
    let call = scene.enter(0, MS);
    scene.intervals();
    assert_eq!(share(&scene), 1.0);
    scene.thread.exit(call);
    scene.intervals();
    assert_eq!(share(&scene), 0.0);
}

/// Does `work` on a thread of its own, which is the sampler's; says when it is done.
fn on_its_thread(scene: Scene, work: impl FnOnce(Loop) + Send + 'static) -> mpsc::Receiver<()> {
    let (done, heard) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        scene
            .sampler
            .instruments
            .sampler
            .set_thread(thread::current());
        let _ = tell.send(());
        work(scene.sampler);
        let _ = done.send(());
    });
    told.recv().expect("it says so first");
    heard
}

/// A sampler that sleeps on is found out after so long.
const TOO_LONG: Duration = Duration::from_secs(10);

#[test]
fn sampler_a_call_that_begins_while_the_sampler_parks_wakes_it() {
    // Before it looks once more, or after: that is left to chance, and must not matter.
    for _ in 0..100 {
        let scene = Scene::new();
        let recorder = scene.thread;
        let heard = on_its_thread(scene, |mut sampler| {
            sampler.look_around();
            sampler.park();
        });
        recorder.enter(site(0, MS), Kind::Call);
        heard.recv_timeout(TOO_LONG).expect("it wakes");
    }
}

#[test]
fn sampler_a_sampler_that_finds_a_call_in_progress_does_not_park() {
    let mut scene = Scene::new();
    scene.sampler.look_around();
    scene.enter(0, MS);
    // The call has come before anybody is there to be woken.
    let heard = on_its_thread(scene, |mut sampler| sampler.park());
    heard.recv_timeout(TOO_LONG).expect("it goes on");
}

#[test]
fn sampler_parking_asks_every_thread_for_a_reading_so_that_its_next_call_wakes_the_sampler() {
    let scene = Scene::new();
    let call = scene.thread.enter(site(0, MS), Kind::Call);
    // Until the budget is used up.
    let due = (0..1_000_000).find(|_| {
        call.line(0);
        scene.thread.current_line().slow_path() == 0
    });
    assert!(due.is_some(), "lines without end are not all read");
    let recorder = scene.thread;
    let heard = on_its_thread(scene, |mut sampler| {
        sampler.park();
        assert!(sampler.beats.is_empty());
    });
    heard
        .recv_timeout(TOO_LONG)
        .expect("a call is in progress: it goes on");
    assert_ne!(recorder.current_line().slow_path(), 0);
}

#[test]
fn sampler_a_deadline_that_has_passed_is_not_slept_for() {
    let scene = Scene::new();
    scene.script.pass(MS);
    let heard = on_its_thread(scene, |sampler| sampler.sleep_until(MS / 2));
    heard.recv_timeout(TOO_LONG).expect("it goes on");
}

#[test]
fn sampler_a_sampler_that_sleeps_is_woken_by_a_call_that_wants_a_sample_earlier_and_by_no_other() {
    const HOUR: u64 = 3_600_000 * MS;
    let scene = Scene::new();
    let (recorder, status) = (scene.thread, &scene.sampler.instruments.sampler);
    recorder.enter(site(0, HOUR), Kind::Call);
    let heard = on_its_thread(scene, |sampler| sampler.sleep_until(HOUR / 2));
    // Of no use to a sampler that looks up in half an hour.
    recorder.enter(site(1, HOUR), Kind::Call);
    assert!(heard.try_recv().is_err());
    // It may not be asleep yet: who is up is not woken, so the call is made again.
    let began = std::time::Instant::now();
    while heard.try_recv().is_err() {
        assert!(began.elapsed() < TOO_LONG, "it sleeps on");
        status.expect(HOUR / 4);
        thread::yield_now();
    }
}

#[test]
fn sampler_the_started_thread_takes_samples_of_a_call_in_progress() {
    let scene = Scene::new();
    let threads = scene.sampler.threads;
    let status = &scene.sampler.instruments.sampler;
    start(scene.sampler.instruments, threads).expect("a thread");
    let call = scene.enter(0, MS);
    let began = std::time::Instant::now();
    while status.report().ticks_taken < 3 {
        assert!(began.elapsed() < TOO_LONG, "no samples");
        scene.script.pass(MS);
        thread::yield_now();
    }
    scene.thread.exit(call);
}
