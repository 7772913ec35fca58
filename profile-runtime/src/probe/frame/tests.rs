//! Frames find the recorder of the process by themselves, so these tests have a process each.

use super::*;
use crate::os::own_process::{alone, alone_with};
use crate::site::spec::SiteSpec;
use crate::snapshot::snapshot;
use memprof_model::run::{FunctionProfile, Outcome};

const SPEC: SiteSpec = SiteSpec {
    name: || "demo::f::__MEMPROF_SITE",
    label: None,
    block: None,
    file: "src/f.rs",
    line: 10,
    interval_ns: 3_600_000_000_000,
    source: "",
    source_line: 10,
    lines: &[11, 12, 13],
};

static SITE: Site = Site::new(SPEC);
static OTHER: Site = Site::new(SPEC);

/// What is known of the site that was called first.
fn profile() -> FunctionProfile {
    let run = snapshot().expect("a call was made");
    run.functions.into_iter().next().expect("a call was made")
}

fn hits() -> Vec<u64> {
    profile().lines.iter().map(|line| line.hits).collect()
}

#[test]
fn frame_a_frame_is_a_call_from_its_entry_until_it_is_dropped() {
    alone(|| {
        let frame = Frame::enter(&SITE);
        assert_eq!(profile().call_records[0].outcome, Outcome::Running);
        drop(frame);
        assert_eq!(
            (profile().calls, profile().call_records[0].outcome),
            (1, Outcome::Returned)
        );
        drop(Frame::enter(&SITE));
        assert_eq!(profile().calls, 2);
    });
}

#[test]
fn frame_hits_are_counted_in_every_way_that_a_line_begins() {
    alone(|| {
        let frame = Frame::enter(&SITE);
        let probe = frame.probe();
        assert_eq!(frame.current_line(), None, "before its first line");
        probe.line(0);
        assert_eq!(frame.current_line(), Some(0));
        for _ in 0..100_000 {
            probe.hot_line(1);
        }
        Probes::line(probe, 2);
        Probes::hot_line(probe, 2);
        assert_eq!(frame.current_line(), Some(2));
        Probes::resume(probe, 0);
        assert_eq!(frame.current_line(), Some(0), "without a hit");
        probe.line(77);
        probe.hot_line(77);
        Probes::resume(probe, 77);
        assert_eq!(frame.current_line(), Some(0), "there is no such line");
        drop(frame);
        assert_eq!(hits(), [1, 100_000, 2]);
    });
}

#[test]
fn frame_a_frame_that_a_panic_ends_has_panicked() {
    alone(|| {
        let result = std::panic::catch_unwind(|| {
            let _frame = Frame::enter(&SITE);
            panic!("as the test wants it");
        });
        assert!(result.is_err());
        assert_eq!(
            (profile().panics, profile().call_records[0].outcome),
            (1, Outcome::Panicked)
        );
    });
}

#[test]
fn frame_where_recording_is_off_a_frame_does_nothing() {
    alone_with(&[("MEMPROF", "0")], || {
        for _ in 0..2 {
            let frame = Frame::enter(&SITE);
            frame.probe().line(0);
            frame.probe().hot_line(0);
            Probes::resume(frame.probe(), 0);
            assert_eq!(frame.current_line(), None);
            let closure = ClosureFrame::enter(&SITE);
            closure.probe().line(0);
        }
        assert!(snapshot().is_none() && current::recorder_if_any().is_none());
    });
}

#[test]
fn frame_loops_are_left_by_each_frame_for_itself() {
    alone(|| {
        let (one, two) = (Frame::enter(&SITE), Frame::enter(&SITE));
        one.probe().leaving(2);
        assert_eq!((one.probe().loops_left(), two.probe().loops_left()), (2, 0));
    });
}

#[test]
fn frame_a_closure_that_runs_right_inside_its_call_switches_lines_and_goes_back() {
    alone(|| {
        let frame = Frame::enter(&SITE);
        frame.probe().line(0);
        let closure = ClosureFrame::enter(&SITE);
        closure.probe().line(1);
        assert_eq!(frame.current_line(), Some(1));
        drop(closure);
        assert_eq!(frame.current_line(), Some(0));
        drop(frame);
        assert_eq!((profile().calls, hits()), (1, vec![1, 1, 0]));
    });
}

#[test]
fn frame_a_closure_that_runs_inside_of_another_call_books_on_its_own_lines() {
    alone(|| {
        let frame = Frame::enter(&SITE);
        frame.probe().line(0);
        let other = Frame::enter(&OTHER);
        other.probe().line(0);
        let closure = ClosureFrame::enter(&SITE);
        closure.probe().line(1);
        drop(closure);
        assert_eq!(other.current_line(), Some(0));
        drop((other, frame));
        assert_eq!((profile().calls, hits()), (1, vec![1, 1, 0]));
        assert!(profile().lines.iter().all(|line| line.workers.is_none()));
    });
}

#[test]
fn frame_a_closure_that_runs_on_another_thread_is_counted_apart() {
    alone(|| {
        let frame = Frame::enter(&SITE);
        frame.probe().line(0);
        std::thread::scope(|scope| {
            scope.spawn(|| ClosureFrame::enter(&SITE).probe().line(1));
        });
        drop(frame);
        assert_eq!((profile().calls, hits()), (1, vec![1, 0, 0]));
        assert_eq!(profile().lines[1].workers.expect("a hit").hits, 1);
    });
}

#[test]
fn frame_a_frame_that_was_leaked_ends_with_the_call_around_it() {
    alone(|| {
        let outer = Frame::enter(&OTHER);
        std::mem::forget(Frame::enter(&SITE));
        drop(outer);
        let run = snapshot().expect("calls were made");
        let calls: Vec<_> = run
            .functions
            .iter()
            .map(|function| function.calls)
            .collect();
        assert_eq!(calls, [1, 1]);
        assert!(
            !current::recorder_if_any()
                .expect("this thread has one")
                .is_busy()
        );
    });
}
