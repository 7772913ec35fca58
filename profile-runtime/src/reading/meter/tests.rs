use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use super::*;
use crate::os::scripted::{PAGE, Script};

/// The process's RSS before anything happens.
const START: u64 = 1_000 * PAGE;

/// A thread with calls, or without.
#[derive(Debug, Default)]
struct Listener {
    busy: AtomicBool,
    high: AtomicU64,
    last: Mutex<LastReading>,
}

impl PeakListener for Listener {
    fn raise_peak(&self, rss: u64) {
        if self.is_busy() {
            self.high.fetch_max(rss, SeqCst);
        }
    }

    fn take_peak(&self) -> u64 {
        self.high.swap(0, SeqCst)
    }

    fn is_busy(&self) -> bool {
        self.busy.load(SeqCst)
    }
}

impl Listener {
    fn on(meter: &Meter, busy: bool) -> &'static Listener {
        let listener = &*Box::leak(Box::<Listener>::default());
        listener.busy.store(busy, SeqCst);
        meter.add_listener(listener);
        listener
    }

    /// A reading, and by how many pages RSS was higher than at the start.
    fn read(&self, meter: &Meter) -> (Reading, u64) {
        let (reading, high) = self.read_high(meter);
        (reading, pages(high.rss))
    }

    /// A reading, and the peak as the meter tells it.
    fn read_high(&self, meter: &Meter) -> (Reading, High) {
        let (reading, high, _) = meter.read(self, &mut lock(&self.last), false);
        (reading, high)
    }
}

fn pages(rss: u64) -> u64 {
    rss.saturating_sub(START) / PAGE
}

fn meter(script: &'static Script, sampled: bool) -> Meter {
    Meter::new(Os::Scripted(script), Clock::Scripted(script), sampled).expect("it can be read")
}

/// Pages come and go again.
fn temporary(script: &Script, pages: i64) {
    script.change(pages);
    script.change(-pages);
}

#[test]
fn meter_a_reading_says_what_holds_now_and_how_high_rss_was_since_the_last() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    temporary(script, 500);
    script.change(200);
    let (reading, high) = thread.read(&meter);
    assert_eq!((pages(reading.rss), high), (200, 500));
    let (reading, high) = thread.read(&meter);
    assert_eq!((pages(reading.rss), high), (200, 200), "the mark was reset");
}

#[test]
fn meter_the_high_water_between_two_readings_reaches_every_listener_that_is_in_calls() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let [one, two, idle] = [true, true, false].map(|busy| Listener::on(&meter, busy));
    one.read(&meter);
    temporary(script, 50);
    one.read(&meter);
    temporary(script, 30);
    one.read(&meter);
    let (_, high) = two.read(&meter);
    assert_eq!(
        high, 50,
        "the highest of three intervals, all of which others have ended"
    );
    assert_eq!(idle.high.load(SeqCst), 0);
    temporary(script, 10);
    assert_eq!(one.read(&meter).1, 10);
}

#[test]
fn meter_a_reading_on_nobody_s_behalf_reaches_every_listener() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    temporary(script, 40);
    let reading = meter.read_for_all();
    assert_eq!(
        (pages(reading.rss), reading.others_worked, reading.unsure),
        (0, false, 0)
    );
    assert_eq!(thread.read(&meter).1, 40);
    assert_eq!(pages(meter.figures(None).process_peak), 40);
}

#[test]
fn meter_a_sample_leaves_the_kernel_s_mark_alone() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    temporary(script, 600);
    script.change(200);
    assert_eq!(pages(meter.sample().rss), 200);
    assert_eq!(thread.read(&meter).1, 600);
}

#[test]
fn meter_a_sampled_meter_knows_of_peaks_what_was_read() {
    let script = Script::leaked(START);
    let meter = meter(script, true);
    let thread = Listener::on(&meter, true);
    assert_eq!(meter.figures(None).peak_method, PeakMethod::Sampled);
    script.change(60);
    meter.sample();
    script.change(-60);
    temporary(script, 100);
    assert_eq!(
        thread.read(&meter).1,
        60,
        "the temporary fell between two samples"
    );
    assert_eq!(thread.read(&meter).1, 0, "a new interval");
    assert_eq!(pages(meter.figures(None).process_peak), 60);
}

#[test]
fn meter_where_the_mark_cannot_be_reset_peaks_are_sampled() {
    let script = Script::leaked(START);
    script.refuse_resets();
    let meter = meter(script, false);
    assert_eq!(meter.figures(None).peak_method, PeakMethod::Sampled);
}

#[test]
fn meter_a_kernel_that_begins_to_refuse_has_the_meter_go_on_with_samples() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    assert_eq!(meter.figures(None).peak_method, PeakMethod::Kernel);
    script.refuse_resets();
    script.change(10);
    let (reading, high) = thread.read(&meter);
    assert_eq!((pages(reading.rss), high), (10, 10));
    assert_eq!(meter.figures(None).peak_method, PeakMethod::Sampled);
    temporary(script, 100);
    assert_eq!(thread.read(&meter).1, 10);
}

#[test]
fn meter_an_os_that_fails_is_answered_for_with_the_last_value_and_one_complaint() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    script.change(7);
    thread.read(&meter);
    assert_eq!(meter.take_complaint(), None);
    script.set_readable(false);
    script.change(100);
    for _ in 0..3 {
        assert_eq!(pages(thread.read(&meter).0.rss), 7);
    }
    assert_eq!(pages(meter.sample().rss), 7);
    let complaint = meter.take_complaint().expect("a reading has failed");
    assert_eq!(
        complaint,
        "the process's memory cannot be read any more: the script says so"
    );
    assert_eq!(meter.take_complaint(), None, "said once");
    script.set_readable(true);
    assert_eq!(pages(thread.read(&meter).0.rss), 107);
}

#[test]
fn meter_a_meter_of_an_os_that_cannot_be_read_is_not_made() {
    let script = Script::leaked(START);
    script.set_readable(false);
    assert!(Meter::new(Os::Scripted(script), Clock::Scripted(script), false).is_err());
}

#[test]
fn meter_several_threads_in_calls_are_told_of_on_nobody_s_behalf() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    Listener::on(&meter, true);
    assert!(!meter.read_for_all().others_worked);
    Listener::on(&meter, true);
    assert!(meter.read_for_all().others_worked);
}

/// A meter, and a thread in calls that has read once.
fn meter_and_thread(script: &'static Script) -> (Meter, &'static Listener) {
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    let (first, _) = thread.read(&meter);
    assert_eq!(first.own(), 0, "before it nothing was the thread's");
    (meter, thread)
}

#[test]
fn meter_faults_of_other_threads_are_others_part_and_nothing_more_if_they_are_stray() {
    let script = Script::leaked(START);
    let (meter, thread) = meter_and_thread(script);
    let mut others = 1_000;
    let mut after = |own: i64, by_others: u32| {
        script.change(own);
        script.change_by_others(by_others);
        let (reading, _) = thread.read(&meter);
        let all = reading.others / PAGE as i64;
        let more = all - std::mem::replace(&mut others, all);
        (reading.others_worked, more, reading.is_shared())
    };
    assert_eq!(after(500, 0), (false, 0, false), "its own faults");
    let stray = STRAY_FAULTS as u32;
    assert_eq!(after(3, stray), (false, i64::from(stray), false));
    assert_eq!(after(3, stray + 1), (true, i64::from(stray) + 1, false));
    assert_eq!(after(100, 700), (true, 700, false), "nothing is estimated");
    assert_eq!(after(0, 0), (false, 0, false), "each reading for itself");
}

#[test]
fn meter_pages_that_come_between_rss_and_the_faults_have_not_been_given_back() {
    let script = Script::leaked(START);
    let (meter, thread) = meter_and_thread(script);
    let (before, _) = thread.read(&meter);
    script.change(80);
    script.change_in_between(460);
    let (after, _) = thread.read(&meter);
    let changed = (after.own() - before.own(), after.others - before.others);
    assert_eq!(changed, (80 * PAGE as i64, 460 * PAGE as i64));
}

#[test]
fn meter_a_thread_that_sleeps_has_nothing_of_what_others_do() {
    let script = Script::leaked(START);
    let (meter, thread) = meter_and_thread(script);
    script.change(50);
    let (before, _) = thread.read(&meter);
    script.change_by_others(9_000);
    script.change(-8_000);
    let (after, high) = thread.read_high(&meter);
    assert_eq!(
        (before.own(), after.own()),
        (50 * PAGE as i64, 50 * PAGE as i64)
    );
    assert_eq!((high.own, pages(high.rss)), (50 * PAGE as i64, 9_050));
    assert!(after.is_shared(), "whose the 8,000 were is an estimate");
}

#[test]
fn meter_a_thread_that_sleeps_has_not_given_back_older_pages() {
    let gives_back = |time: fn(&Script, u64)| {
        let script = Script::leaked(START);
        let (meter, thread) = meter_and_thread(script);
        Listener::on(&meter, true);
        thread.read(&meter);
        time(script, 600 * UNMAP_NS);
        script.change(-500);
        thread.read(&meter).0.own() / PAGE as i64
    };
    assert_eq!(gives_back(Script::pass), -500, "it ran for so long");
    // It ran while the readings were taken.
    assert!((-9..=0).contains(&gives_back(Script::sleep)));
}

#[test]
fn meter_two_threads_that_see_the_same_pages_go_do_not_both_have_given_them_back() {
    let script = Script::leaked(START);
    let (meter, one) = meter_and_thread(script);
    let two = Listener::on(&meter, true);
    two.read(&meter);
    script.pass(200 * UNMAP_NS);
    script.change(-100);
    let own = [one, two].map(|thread| thread.read(&meter).0.own() / PAGE as i64);
    assert_eq!(own, [-100, 0]);
}

#[test]
fn meter_a_thread_was_as_high_as_its_own_faults_and_the_process_allow() {
    let script = Script::leaked(START);
    let (meter, thread) = meter_and_thread(script);
    let passed = |own: i64, by_others: u32, others_go: i64| {
        let before = thread.read(&meter).0.own();
        script.change(own);
        script.change_by_others(by_others);
        script.pass(10_000 * UNMAP_NS);
        script.change(-own - others_go);
        let (now, high) = thread.read_high(&meter);
        (
            (high.own - before.max(now.own())) / PAGE as i64,
            now.is_shared(),
        )
    };
    assert_eq!(passed(500, 0, 0), (500, false), "nobody else");
    // The process was 5,000 pages higher, and 100 pages is all that came by the thread.
    assert_eq!(passed(100, 4_900, 4_900), (100, true));
    assert_eq!(passed(0, 4_900, 4_900), (0, true));
}

#[test]
fn meter_another_thread_with_the_recorder_goes_on_where_the_last_one_was() {
    let script = Script::leaked(START);
    let (meter, thread) = meter_and_thread(script);
    script.change(300);
    let (before, _) = thread.read(&meter);
    let next = lock(&thread.last).of_next_thread();
    *lock(&thread.last) = next;
    script.switch_thread(0);
    script.change(200);
    let (after, _) = thread.read(&meter);
    assert_eq!(
        after.own(),
        before.own(),
        "what was before its first reading"
    );
    script.change(20);
    assert_eq!(thread.read(&meter).0.own(), before.own() + 20 * PAGE as i64);
}

#[test]
fn meter_threads_in_calls_are_at_work() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let [one, two] = [true, false].map(|busy| Listener::on(&meter, busy));
    let others_worked = |thread: &Listener| thread.read(&meter).0.others_worked;
    assert!(!others_worked(one));
    assert!(!others_worked(one), "alone");
    two.busy.store(true, SeqCst);
    assert!(others_worked(one), "another thread is in calls");
    two.busy.store(false, SeqCst);
    assert!(!others_worked(one));
    others_worked(two);
    assert!(others_worked(one), "another thread was in calls in between");
}

#[test]
fn meter_faults_of_several_threads_are_no_reason_to_doubt_the_mark() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    thread.read(&meter);
    // As many faults as pages that came would agree with a mark that is 10 pages lower.
    script.change(100);
    script.change(-10);
    script.change_by_others(10);
    let (_, high) = thread.read(&meter);
    assert_eq!(high, 100, "of one thread it would be 110");
}

#[test]
fn meter_a_reading_that_has_waited_costs_the_budget_four_of_the_cheapest() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    let cost = || meter.read(thread, &mut lock(&thread.last), false).2;
    let cheapest = cost();
    assert!(cheapest > 0 && cost() == cheapest);
    let slow = meter.read(thread, &mut lock(&thread.last), false).2;
    assert_eq!(slow, cheapest);
    let figures = meter.figures(None);
    assert_eq!((figures.readings, figures.reading_ns), (3, 3 * cheapest));
    // A listener that takes its time stands for a wait.
    #[derive(Debug)]
    struct Slow(&'static Script, u64);
    impl PeakListener for Slow {
        fn raise_peak(&self, _: u64) {}
        fn take_peak(&self) -> u64 {
            self.0.pass(self.1);
            0
        }
        fn is_busy(&self) -> bool {
            false
        }
    }
    let slow = |wait| {
        meter
            .read(&Slow(script, wait), &mut LastReading::default(), false)
            .2
    };
    assert_eq!(slow(cheapest), 2 * cheapest);
    assert_eq!(slow(1_000 * cheapest), DEAREST * cheapest);
    let before = meter.figures(None).reading_ns;
    slow(10 * LONGEST_NS);
    assert_eq!(meter.figures(None).reading_ns - before, LONGEST_NS);
}

#[test]
fn meter_figures_hold_the_samples_after_a_moment() {
    let script = Script::leaked(START);
    let meter = meter(script, false);
    let thread = Listener::on(&meter, true);
    script.pass(1_000);
    let second = meter.sample().t_ns;
    thread.read(&meter);
    let (kept, _, _) = meter.read(thread, &mut lock(&thread.last), true);
    let times = |since| -> Vec<u64> {
        let samples = meter.figures(since).samples;
        samples.iter().map(|sample| sample.t_ns).collect()
    };
    assert_eq!(
        times(None),
        [0, second, kept.t_ns],
        "a reading that is not kept is not among them"
    );
    assert_eq!(times(Some(0)), [second, kept.t_ns]);
    assert_eq!(times(Some(second)), [kept.t_ns]);
    assert_eq!(times(Some(u64::MAX)), [0; 0]);
}

#[test]
fn meter_the_baseline_is_the_first_reading_and_the_peak_of_the_process_what_was_before_it() {
    let script = Script::leaked(START);
    temporary(script, 300);
    let meter = meter(script, false);
    let figures = meter.figures(None);
    assert_eq!(
        (figures.baseline, pages(figures.process_peak)),
        (START, 300)
    );
}
