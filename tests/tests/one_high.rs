//! Many short calls, of which few are read: the highest is kept where the heap is counted, and never told of another
//! call where it is not. How the calls are spread is known.

use memprof::run::{FunctionProfile, Run};
use memprof_tests::program::{Finished, function, run};
use memprof_tests::truth::check_invariants;

const CALLS: u64 = 100_001;
const HIGH: u64 = 40 << 20;

fn counted() -> Finished {
    run(env!("CARGO_BIN_EXE_one_high_heap"), &[])
}

fn page(finished: &Finished, function: &str) -> String {
    let pages = std::fs::read_dir(finished.folder()).expect("the run's folder");
    let paths = pages.filter_map(|page| Some(page.ok()?.path()));
    let ending = format!("-{function}.txt");
    let page = paths.filter(|path| path.to_string_lossy().ends_with(&ending));
    let page = page.last().expect("a page of the function");
    std::fs::read_to_string(page).expect("the function's page")
}

/// The call that is shown, and whether it is among those that were read.
fn shown(profile: &FunctionProfile) -> &memprof::run::Call {
    &profile.call_records[profile.series_call.expect("a call was read")]
}

#[test]
fn with_counted_heap_the_highest_of_many_calls_is_kept() {
    let finished = counted();
    let run = finished.recorded();
    check_invariants(&run);
    let order = function(&run, "order");
    assert_eq!(order.calls, CALLS);
    let highest = order.highest_call().expect("calls are kept");
    let heap = highest.heap.expect("counted");
    let expected = (HIGH, HIGH, HIGH, 0, 1);
    assert_eq!(
        (
            heap.peak,
            heap.allocated,
            heap.freed,
            heap.net,
            heap.allocations
        ),
        expected
    );
    assert!(order.call_records.iter().all(|call| call.heap.is_some()));
    let spread = order.spread.expect("there were many calls");
    let peaks = spread.heap_peak.expect("counted");
    // 100 bytes lie between 90.5 and 107.6.
    assert_eq!(
        (peaks.calls, peaks.p50, peaks.p99, peaks.max),
        (CALLS, 107, 107, HIGH)
    );
    assert_eq!(spread.allocated, spread.heap_peak);
    let page = page(&finished, "order");
    let told = page.lines().find(|line| line.starts_with("heap peak "));
    let told: Vec<&str> = told.expect("the table").split_whitespace().collect();
    assert_eq!(
        told[2..],
        [
            "107", "bytes", "107", "bytes", "107", "bytes", "40", "MiB", "100001"
        ]
    );
    if highest.only_counted {
        assert!(highest.start_ns < highest.end_ns && highest.end_ns <= run.duration_ns);
        assert!(page.contains(
            "\nhighest    heap peak 40.00 MiB, 40.00 MiB allocated, in a call on thread 1 between "
        ));
        assert!(page.contains("; it was only counted, so its RSS is not known\n"));
        assert!(!shown(order).only_counted);
    }
}

#[test]
fn calls_are_spread_as_they_were_made() {
    let run = counted().recorded();
    let spread = |label| function(&run, label).spread.expect("many calls");
    let place = spread("place");
    let allocated = place.allocated.expect("counted");
    // The 500th is 500, in a bucket that ends at 511; no call had more than 1,000.
    let is = (allocated.p50, allocated.p95, allocated.p99, allocated.max);
    assert_eq!((allocated.calls, is), (1_000, (511, 1_000, 1_000, 1_000)));
    assert_eq!(place.heap_peak, place.allocated);
    let idle = spread("idle").allocated.expect("counted");
    assert_eq!((idle.calls, idle.p99, idle.max), (1_000, 0, 0));
    let times = place.time_ns.expect("the first call is read");
    assert!(times.calls >= 1 && times.p50 <= times.p95 && times.p99 <= times.max);
    assert_eq!(function(&run, "shelf").spread, None, "a single call");
}

/// What the page says of a call's RSS is true of one and the same call.
#[test]
fn without_counted_heap_no_other_call_is_told_to_be_the_high_one() {
    let finished = run(env!("CARGO_BIN_EXE_one_high"), &[]);
    let run: Run = finished.recorded();
    check_invariants(&run);
    let orders = function(&run, "orders");
    assert!(
        orders.peak_rss >= HIGH && orders.peak_rss < HIGH + (8 << 20),
        "{}",
        orders.peak_rss
    );
    let order = function(&run, "order");
    assert!(
        order
            .call_records
            .iter()
            .all(|call| call.heap.is_none() && !call.only_counted)
    );
    let page = page(&finished, "order");
    // A call stands for all if it has their peak and rose by more than noise.
    let highest = shown(order).peak_rss == order.peak_rss && order.peak_rss >= 64 << 10;
    let row = page.lines().find(|line| line.starts_with("RSS   "));
    let row = row.expect("the row of RSS");
    assert_eq!(
        row.ends_with(" at exit, in the call with the highest peak"),
        highest,
        "{page}"
    );
    assert_eq!(
        row.ends_with(" at most during the calls"),
        !highest,
        "{page}"
    );
    assert_eq!(order.peak_at.is_some(), order.peak_rss > 0);
    let unread = order.unread_rise.expect("readings fall into calls");
    let told = unread.rise > order.peak_rss.max(64 << 10);
    assert_eq!(
        page.contains("\nunread     RSS rose by up to "),
        told,
        "{page}"
    );
    assert!((1..=CALLS).contains(&unread.calls) && unread.from_ns < unread.to_ns);
}
