//! Compares a run with the truth that its program's source states.
//!
//! A line of a program whose memory is known says so in a comment: `//= hits 3 net 64 peak 128`.
//! Sizes are MiB over all hits; `peak` is the largest of one hit; what is not named is not checked,
//! but a comment that names `net` or `peak` without a value of the other means 0 for it. `allocated`,
//! `freed`, `peak_heap` (bytes) and `allocations` are of the heap, and exact; with `worker_` in front,
//! of closures on other threads; with `all_`, of both; with `self_`, without callees.

use std::collections::BTreeMap;

use memprof::run::{Call, FunctionProfile, HeapFigures, Line, Run};

/// How far a figure may be from the truth, in bytes.
pub const TOLERANCE: i64 = 64 << 10;

/// How often a program is run of which RSS was not as it should be.
///
/// RSS and its high-water mark are the process's: what memprof's own threads, or the C library, touch for
/// the first time comes when it comes, 16 pages of a file at a time, and the mark lags by up to 31 pages
/// for each processor and kind of page where a thread changes its processor. On a quiet machine that hits
/// one of these programs' lines once in some thirty runs; what is wrong with memprof is wrong in each.
const RUNS: usize = 3;

/// What differs in a run from what its program's source states.
#[derive(Default)]
struct Differences {
    /// Of hits and of the heap, which are exact.
    exact: Vec<String>,
    /// Of RSS: which figure of which line, and by how much.
    rss: BTreeMap<String, String>,
}

/// Checks every line of every function against its comment, in a run of the program; figures of RSS have
/// to be right in one of three. Gives the last run.
///
/// # Panics
/// With all differences, when there is one, and when no line states a truth.
pub fn check(run: impl Fn() -> Run) -> Run {
    let mut wrong: Option<BTreeMap<String, String>> = None;
    for _ in 0..RUNS {
        let run = run();
        let now = rss_differences(&run);
        let always = wrong.get_or_insert_with(|| now.clone());
        always.retain(|figure, _| now.contains_key(figure));
        if always.is_empty() {
            return run;
        }
    }
    let wrong: Vec<_> = wrong.unwrap_or_default().into_values().collect();
    panic!("\n{}", wrong.join("\n"));
}

/// Where RSS is not as stated.
///
/// # Panics
/// When something that is exact is not as stated, and when no line states a truth.
fn rss_differences(run: &Run) -> BTreeMap<String, String> {
    let mut checked = 0;
    let mut wrong = Differences::default();
    for profile in &run.functions {
        for line in &profile.lines {
            if let Some((_, truth)) = line.source.split_once("//=") {
                checked += 1;
                differences(profile, line, truth, &mut wrong);
            }
        }
    }
    assert!(checked > 0, "no line states a truth");
    assert!(wrong.exact.is_empty(), "\n{}", wrong.exact.join("\n"));
    wrong.rss
}

fn differences(profile: &FunctionProfile, line: &Line, truth: &str, wrong: &mut Differences) {
    let words: Vec<&str> = truth.split_whitespace().collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        let value = words.get(at + 1).unwrap_or_else(|| panic!("{truth}"));
        Some(value.parse::<f64>().unwrap_or_else(|_| panic!("{truth}")))
    };
    let difference = |what: &str, expected: i64, found: i64| {
        format!(
            "{}: line {} `{}`: {what} is {found}, should be {expected} (off by {})",
            profile.name,
            line.line,
            line.source.trim(),
            found - expected,
        )
    };
    let mut complain = |what: &str, expected: i64, found: i64| {
        wrong.exact.push(difference(what, expected, found));
    };
    if let Some(hits) = value("hits")
        && line.hits != hits as u64
    {
        complain("hits", hits as i64, line.hits as i64);
    }
    let workers = line.workers.unwrap_or_default();
    let of_workers = workers.heap.unwrap_or_default();
    let own = line.heap.unwrap_or_default();
    for (name, found) in [
        ("worker_hits", workers.hits),
        ("worker_allocated", of_workers.allocated),
        ("worker_freed", of_workers.freed),
        ("all_hits", line.hits + workers.hits),
        ("all_allocations", own.allocations + of_workers.allocations),
    ] {
        let expected = value(name).map_or(found, |expected| expected as u64);
        if found != expected {
            complain(name, expected as i64, found as i64);
        }
    }
    if let (Some(heap), Some(own)) = (line.heap, line.self_heap) {
        for (name, found) in [
            ("allocated", heap.allocated),
            ("freed", heap.freed),
            ("peak_heap", heap.peak),
            ("allocations", heap.allocations),
            ("self_allocated", own.allocated),
            ("self_freed", own.freed),
            ("self_peak", own.peak),
            ("self_allocations", own.allocations),
        ] {
            let expected = value(name).map_or(found, |expected| expected as u64);
            if found != expected {
                complain(name, expected as i64, found as i64);
            }
        }
    }
    let (net, peak) = (value("net"), value("peak"));
    if net.is_none() && peak.is_none() {
        return;
    }
    let mut complain = |what: &str, expected: i64, found: i64| {
        let figure = format!("{} {} {what}", profile.name, line.line);
        wrong.rss.insert(figure, difference(what, expected, found));
    };
    let bytes = |mebibytes: Option<f64>| (mebibytes.unwrap_or(0.0) * f64::from(1 << 20)) as i64;
    // Each hit may bring an error of its own.
    let tolerance = TOLERANCE * i64::try_from(line.hits.max(1)).unwrap_or(i64::MAX);
    if (line.net_rss - bytes(net)).abs() > tolerance {
        complain("net", bytes(net), line.net_rss);
    }
    if (line.peak_rss as i64 - bytes(peak)).abs() > TOLERANCE {
        complain("peak", bytes(peak), line.peak_rss as i64);
    }
}

/// Checks that the lines add up to the function: RSS, time and heap.
///
/// # Panics
/// When they do not.
pub fn check_sums(profile: &FunctionProfile) {
    let name = &profile.name;
    if !profile.lines.is_empty() {
        let lines = profile.lines.iter().map(|line| line.net_rss);
        let groups = profile.groups.iter().map(|group| group.net_rss);
        let net: i64 = lines.chain(groups).sum();
        assert_eq!(net, profile.net_rss, "{name}: nets of lines and of calls");
        let time: u64 = profile.lines.iter().map(|line| line.time_ns).sum();
        assert_eq!(time, profile.time_ns, "{name}: times of lines and of calls");
        check_heap_sums(profile);
    }
    let suspended: u64 = profile.lines.iter().map(|line| line.suspended).sum();
    let held: i64 = profile.lines.iter().map(|line| line.suspended_heap).sum();
    if suspended > 0 {
        let of_function = (profile.suspended, profile.suspended_heap);
        assert_eq!((suspended, held), of_function, "{name}: suspended calls");
    }
}

/// Allocated, freed and allocations: the lines' add up to the function's, with callees and without.
fn check_heap_sums(profile: &FunctionProfile) {
    for (heap, of_line) in [
        (profile.heap, (|line| line.heap) as fn(&Line) -> _),
        (profile.self_heap, |line| line.self_heap),
    ] {
        let Some(heap) = heap else { return };
        let lines = profile.lines.iter().filter_map(of_line);
        let sums = lines.fold((0, 0, 0, 0), |sums, line: HeapFigures| {
            (
                sums.0 + line.allocated,
                sums.1 + line.freed,
                sums.2 + line.allocations,
                sums.3 + line.net,
            )
        });
        let of_function = (heap.allocated, heap.freed, heap.allocations, heap.net);
        assert_eq!(
            sums, of_function,
            "{}: heap of lines and of calls",
            profile.name
        );
    }
}

/// The calls that are not inside of others.
fn outermost(calls: &[Call]) -> impl Iterator<Item = &Call> {
    let inside = |inner: &Call, outer: &Call| {
        inner.thread == outer.thread
            && inner.depth > outer.depth
            && (outer.start_ns..=outer.end_ns).contains(&inner.start_ns)
            && inner.end_ns <= outer.end_ns
    };
    let covered = move |inner: &Call| calls.iter().any(|outer| inside(inner, outer));
    calls.iter().filter(move |call| !covered(call))
}

/// Checks what must hold for every call of every function, whatever it did (the design's
/// invariants 1 and 2).
///
/// # Panics
/// When something does not hold.
pub fn check_invariants(run: &Run) {
    for profile in &run.functions {
        let name = &profile.name;
        assert!(profile.calls > 0, "{name}");
        check_sums(profile);
        for line in &profile.lines {
            assert!(line.readings <= line.hits, "{name}:{}", line.line);
            if line.hits == 1 {
                let peak = i64::try_from(line.peak_rss).unwrap_or(i64::MAX);
                assert!(peak >= line.net_rss, "{name}:{}", line.line);
            }
            if let Some(max_rss) = line.max_rss {
                assert!(max_rss <= profile.max_rss, "{name}:{}", line.line);
            }
        }
        if profile.calls_omitted == 0 {
            let calls = outermost(&profile.call_records);
            let net: i64 = calls.map(|call| call.net_rss).sum();
            assert_eq!(net, profile.net_rss, "{name}: nets of calls");
            assert_eq!(profile.call_records.len() as u64, profile.calls, "{name}");
        }
        for call in &profile.call_records {
            let change = call.exit_rss as i64 - call.entry_rss as i64;
            let parts = call.net_rss + call.suspended_rss + call.others_rss;
            assert_eq!(parts, change, "{name}");
            assert!(call.peak_rss as i64 >= call.net_rss, "{name}");
            // Where others gave back what the call took, it rose by more than the process.
            let alone = profile.lines.iter().all(|line| line.shared == 0);
            if call.suspended_ns == 0 && call.others_rss == 0 && alone {
                assert!(call.entry_rss + call.peak_rss <= profile.max_rss, "{name}");
            }
            assert!(call.peak_rss <= profile.peak_rss, "{name}");
        }
        assert!(profile.max_rss <= run.process.peak_rss, "{name}");
    }
}
