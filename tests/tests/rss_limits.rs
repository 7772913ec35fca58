//! Limits on RSS: from 1 MiB to 1 GiB, exceeded and kept by a small margin. One test, so that no other
//! thread touches memory meanwhile.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use memprof::{block, profile_memory};
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

/// A mapping that is touched whole, and unmapped when it is dropped.
fn touched(bytes: usize) -> Mapping {
    Mapping::new(bytes)
}

fn broken<T>(work: impl FnOnce() -> T) -> Option<String> {
    let error = catch_unwind(AssertUnwindSafe(work)).err()?;
    error.downcast_ref::<String>().cloned()
}

macro_rules! with_limit {
    ($peak:ident, $net:ident, $limit:literal) => {
        #[profile_memory(max_peak = $limit)]
        fn $peak(bytes: usize) {
            drop(touched(bytes));
        }

        #[profile_memory(max_net = $limit)]
        fn $net(bytes: usize) -> Mapping {
            drop(touched(2 * bytes.min(64 * MIB)));
            touched(bytes)
        }
    };
}

with_limit!(peak_1, net_1, "1 MiB");
with_limit!(peak_16, net_16, "16 MiB");
with_limit!(peak_256, net_256, "256 MiB");
with_limit!(peak_1024, net_1024, "1 GiB");

/// Takes the same in each of `depth` calls inside each other.
#[profile_memory(max_peak = "8 MiB")]
fn recursive(depth: usize, bytes: usize) -> usize {
    let own = touched(bytes);
    let deeper = if depth > 1 {
        recursive(depth - 1, bytes)
    } else {
        0
    };
    drop(own);
    deeper + 1
}

#[profile_memory(max_peak = "4 MiB")]
fn outer(bytes: usize) -> usize {
    block!("inner", max_peak = "2 MiB", {
        let inner = touched(bytes);
        drop(inner);
        bytes
    })
}

#[profile_memory(max_peak = "4 MiB")]
fn while_others_work(bytes: usize) {
    std::thread::spawn(move || drop(touched(bytes)))
        .join()
        .expect("it ends");
}

#[profile_memory(max_peak = "4 MiB")]
fn beside_others(bytes: usize) {
    std::thread::scope(|scope| {
        scope.spawn(|| drop(touched(bytes)));
        drop(touched(bytes));
    });
}

#[profile_memory(max_peak = "8 MiB")]
fn panics(bytes: usize) {
    drop(touched(bytes));
    panic!("its own");
}

/// Suspended with half of it.
#[profile_memory(max_peak = "8 MiB")]
async fn suspended(bytes: usize) {
    let half = touched(bytes / 2);
    memprof_tests::yield_now().await;
    drop((touched(bytes - bytes / 2), half));
}

#[profile_memory(max_leak = "1 GiB")]
fn not_counted() {}

#[test]
fn exceeded_and_kept() {
    // The rest of a function's pages are touched once, the first time that it runs.
    const MARGIN: usize = 192 << 10;
    for (mib, peak, net) in [
        (
            1,
            peak_1 as fn(usize),
            (|bytes| drop(net_1(bytes))) as fn(usize),
        ),
        (16, peak_16, |bytes| drop(net_16(bytes))),
        (256, peak_256, |bytes| drop(net_256(bytes))),
        (1024, peak_1024, |bytes| drop(net_1024(bytes))),
    ] {
        let limit = mib * MIB;
        for work in [peak, net] {
            assert_eq!(broken(|| work(limit - MARGIN)), None, "{mib} MiB");
            let message = broken(|| work(limit + MARGIN)).expect("more than the limit");
            assert!(message.contains("touched(bytes)"), "{message}");
            assert!(!message.contains("shared"), "{message}");
        }
    }

    let error = catch_unwind(|| panics(16 * MIB)).expect_err("it panics");
    assert_eq!(error.downcast_ref::<&str>(), Some(&"its own"));

    let whole = |bytes: usize| futures::executor::block_on(suspended(bytes));
    assert_eq!(broken(|| whole(8 * MIB - MARGIN)), None);
    let message = broken(|| whole(8 * MIB + MARGIN)).expect("more than the limit");
    assert!(message.contains("max_peak = 8 MiB, was 8."), "{message}");
    let mut cancelled = Box::pin(suspended(32 * MIB));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(cancelled.as_mut().poll(&mut context).is_pending());
    assert_eq!(broken(|| drop(cancelled)), None);

    let each = 2 * MIB + MARGIN;
    assert_eq!(broken(|| recursive(3, each)), None);
    let message = broken(|| recursive(5, each)).expect("10.9 MiB");
    // The innermost of the calls that took too much is the one that says so.
    assert!(message.contains("max_peak = 8 MiB, was 8.7"), "{message}");

    assert_eq!(broken(|| outer(MIB)), None);
    let message = broken(|| outer(3 * MIB)).expect("the inner one");
    assert!(message.starts_with("`inner` ("), "{message}");
    let message = broken(|| outer(5 * MIB)).expect("both");
    assert!(message.starts_with("`inner` ("), "{message}");

    let message = broken(not_counted).expect("nobody counts");
    let how = "depend on memprof with features = [\"counting\"]";
    assert!(message.contains("max_leak cannot be checked"), "{message}");
    assert!(message.contains(how), "{message}");

    assert_eq!(broken(|| while_others_work(16 * MIB)), None, "not its own");
    let message = broken(|| beside_others(16 * MIB)).expect("16 MiB");
    assert!(message.contains("shared: other threads"), "{message}");
}
