//! Futures find the recorder of the process by themselves, so these tests have a process each.

use std::pin::pin;
use std::task::Waker;

use super::*;
use crate::os::own_process::{alone, alone_with};
use crate::site::limits::Limits;
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

/// Pending so many times.
struct Later(u32);

impl Future for Later {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// A function of two lines that is suspended between them.
async fn two_lines(polls: u32) -> u32 {
    let probe = AsyncProbe::new(&SITE);
    probe.line(0);
    Later(polls).await;
    probe.hot_line(1);
    7
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn profiles() -> Vec<FunctionProfile> {
    snapshot().expect("a call was made").functions
}

fn outcomes() -> Vec<Outcome> {
    profiles()[0]
        .call_records
        .iter()
        .map(|call| call.outcome)
        .collect()
}

fn hits() -> Vec<u64> {
    profiles()[0].lines.iter().map(|line| line.hits).collect()
}

fn is_busy() -> bool {
    current::recorder_if_any().is_some_and(ThreadRecorder::is_busy)
}

#[test]
fn future_a_future_is_a_call_from_its_first_poll_to_its_end() {
    alone(|| {
        let mut future = pin!(profiled(&SITE, two_lines(2)));
        assert!(snapshot().is_none(), "nothing has run yet");
        for _ in 0..2 {
            assert!(poll(future.as_mut()).is_pending());
            assert!(!is_busy(), "a suspended call is on no thread");
            assert_eq!(
                (outcomes(), hits()),
                (vec![Outcome::Running], vec![1, 0, 0])
            );
        }
        assert_eq!(poll(future), Poll::Ready(7));
        assert!(!is_busy());
        assert_eq!(
            (outcomes(), hits()),
            (vec![Outcome::Returned], vec![1, 1, 0])
        );
        assert_eq!(profiles()[0].calls, 1);
    });
}

#[test]
fn future_a_future_that_is_dropped_while_suspended_was_cancelled() {
    alone(|| {
        let mut future = Box::pin(profiled(&SITE, two_lines(1)));
        assert!(poll(future.as_mut()).is_pending());
        drop(future);
        assert_eq!(outcomes(), [Outcome::Cancelled]);
        assert!(!is_busy());
    });
}

#[test]
fn future_what_a_cancelled_future_frees_is_seen_as_the_call_s() {
    /// Tells, when it is dropped, whether a call was in progress.
    struct Tells<'told>(&'told std::cell::Cell<bool>);
    impl Drop for Tells<'_> {
        fn drop(&mut self) {
            self.0.set(is_busy());
        }
    }
    alone(|| {
        let told = std::cell::Cell::new(false);
        let tells = Tells(&told);
        let mut future = Box::pin(profiled(&SITE, async {
            let _tells = tells;
            Later(1).await;
        }));
        assert!(poll(future.as_mut()).is_pending());
        drop(future);
        assert!(told.get());
    });
}

#[test]
fn future_a_future_that_is_never_polled_is_no_call() {
    alone(|| {
        drop(profiled(&SITE, two_lines(0)));
        assert!(snapshot().is_none());
    });
}

#[test]
fn future_a_future_that_panics_has_panicked() {
    alone(|| {
        let mut future = Box::pin(profiled(&SITE, async { panic!("as the test wants it") }));
        let poll = || -> Poll<()> { poll(future.as_mut()) };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).is_err());
        drop(future);
        assert_eq!(outcomes(), [Outcome::Panicked]);
        assert!(!is_busy());
    });
}

#[test]
fn future_a_future_goes_on_on_another_thread() {
    alone(|| {
        let mut future = Box::pin(profiled(&SITE, two_lines(1)));
        assert!(poll(future.as_mut()).is_pending());
        let result = std::thread::spawn(move || poll(future.as_mut()));
        assert_eq!(result.join().expect("no panic"), Poll::Ready(7));
        assert_eq!(
            (outcomes(), hits()),
            (vec![Outcome::Returned], vec![1, 1, 0])
        );
        assert_eq!(profiles()[0].threads, 1, "it was called by one");
    });
}

#[test]
fn future_probes_of_a_future_do_nothing_outside_of_its_own_call() {
    alone(|| {
        let other = pin!(profiled(&OTHER, two_lines(0)));
        assert!(poll(other).is_ready());
        assert_eq!(hits(), [0, 0, 0], "these are the lines of another site");
    });
}

#[test]
fn future_a_poll_begins_with_no_loop_being_left() {
    alone(|| {
        current::set_loops_being_left(3);
        let mut seen = None;
        let mut future = Box::pin(profiled(&SITE, async {
            let probe = AsyncProbe::new(&SITE);
            seen = Some(Probes::loops_left(probe));
            probe.leaving(2);
            assert_eq!(current::loops_being_left(), 2);
        }));
        assert!(poll(future.as_mut()).is_ready());
        drop(future);
        assert_eq!(seen, Some(0));
    });
}

#[test]
fn future_where_recording_is_off_a_future_does_what_it_does() {
    alone_with(&[("MEMPROF", "0")], || {
        let mut future = pin!(profiled(&SITE, two_lines(1)));
        assert!(poll(future.as_mut()).is_pending());
        assert_eq!(poll(future), Poll::Ready(7));
        let mut cancelled = Box::pin(profiled(&SITE, two_lines(1)));
        assert!(poll(cancelled.as_mut()).is_pending());
        drop(cancelled);
        assert!(snapshot().is_none());
    });
}

#[test]
fn future_a_block_of_a_future_goes_on_at_the_line_at_which_it_was_suspended() {
    alone(|| {
        let probe = AsyncProbe::new(&SITE);
        let mut future = pin!(profiled(&SITE, async move {
            probe.line(0);
            part(&SITE, async move {
                probe.line(1);
                Later(1).await;
                let at = current::current_call_of(&SITE).map(|call| call.current());
                assert_eq!(at, Some(1));
            })
            .await;
        }));
        assert!(poll(future.as_mut()).is_pending());
        assert!(poll(future).is_ready());
        assert_eq!(hits(), [1, 1, 0], "to go on is no hit");
    });
}

#[test]
fn future_a_future_that_breaks_a_limit_panics_when_it_is_ready() {
    static LIMITED: Site = Site::new(SPEC).per_call(Limits::NONE.peak(1 << 20), None);
    alone(|| {
        let mut future = Box::pin(profiled(&LIMITED, async {
            Later(1).await;
            vec![1_u8; 8 << 20]
        }));
        assert!(poll(future.as_mut()).is_pending());
        let poll = std::panic::AssertUnwindSafe(|| poll(future.as_mut()));
        let panic = std::panic::catch_unwind(poll).expect_err("8 MiB are more than one");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("max_peak = 1 MiB"), "{message}");
    });
}
