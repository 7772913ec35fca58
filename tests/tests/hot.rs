//! Lines that run a million times: exact hits, bounded memory, sums that still add up.

use memprof_tests::program::{function, run};
use memprof_tests::truth::check_invariants;

#[test]
fn hits_are_exact_and_readings_limited() {
    let rounds = 1_000_000;
    let run = run(env!("CARGO_BIN_EXE_hot"), &[&rounds.to_string()]).recorded();
    check_invariants(&run);
    let lines = function(&run, "lines");
    let hits: Vec<u64> = lines.lines.iter().map(|line| line.hits).collect();
    // The header once more than the body, in which nothing is left to be dropped at its closing brace.
    assert_eq!(hits, [1, rounds + 1, rounds, rounds, 1, 1]);
    let in_part = &lines.lines[2];
    // A millisecond's worth at first, among three lines, and some at each of the sampler's ticks.
    println!("{} readings of {} hits", in_part.readings, in_part.hits);
    assert!(in_part.readings > 20 && in_part.readings < in_part.hits / 2);
    let call = function(&run, "call");
    assert_eq!(call.calls, rounds);
    assert_eq!(call.lines[0].hits, rounds);
    assert!(call.call_records.len() < 1_000);
    assert_eq!(call.calls_omitted, rounds - call.call_records.len() as u64);
}

#[test]
fn readings_take_a_bounded_part_of_the_run_and_memory() {
    let run = run(env!("CARGO_BIN_EXE_hot"), &["3000000"]).recorded();
    let share = run.overhead.reading_ns as f64 / run.duration_ns as f64;
    // 5% and a burst of 20 ms, with room for a machine on which a single reading takes long.
    let allowed = 0.05 + 20e6 / run.duration_ns as f64;
    assert!(
        share <= allowed + 0.02,
        "{share} of the run, {allowed} allowed"
    );
    assert!(
        run.overhead.profiler_bytes < 4 << 20,
        "{}",
        run.overhead.profiler_bytes
    );
}

/// A line that runs once in ten thousand rounds of a hot loop takes all the memory. Most of its hits are not read:
/// what is not proven to be that line's belongs to the loop's lines together, and nothing is any other line's.
#[test]
fn memory_is_on_the_line_that_takes_it() {
    let run = run(env!("CARGO_BIN_EXE_seldom"), &["10000000"]).recorded();
    check_invariants(&run);
    let function = function(&run, "seldom");
    let taking = function.lines.iter();
    let taking = taking.filter(|line| line.source.contains("kept.push"));
    let taken: i64 = taking.map(|line| line.net_rss).sum();
    let together: i64 = function.groups.iter().map(|group| group.net_rss).sum();
    let all = function.net_rss;
    println!("{taken} of {all} are the line's, {together} together");
    assert!(all > 60 << 20, "{all}");
    assert!(taken > 0, "its hits that were read by themselves");
    assert!(
        (taken + together) as f64 >= 0.99 * all as f64,
        "{taken} and {together} of {all}"
    );
}

/// A single line makes millions of calls, in some of which readings are taken: what they took and how long
/// they ran is that line's, not the next one's.
#[test]
fn calls_of_one_line_are_booked_on_it() {
    let run = run(env!("CARGO_BIN_EXE_seldom"), &["3000000"]).recorded();
    check_invariants(&run);
    let by_calls = function(&run, "by_calls");
    let first = &by_calls.lines[0];
    assert!(first.source.contains("filter_map(block)"));
    let (all, taken) = (by_calls.net_rss, first.net_rss);
    assert!(all > 18 << 20, "{all}");
    assert!(taken as f64 >= 0.95 * all as f64, "{taken} of {all}");
    let (whole, ran) = (by_calls.time_ns, first.time_ns);
    assert!(ran as f64 >= 0.95 * whole as f64, "{ran} ns of {whole}");
    assert_eq!(function(&run, "block").calls, 3_000_000);
}

/// What threads do for a function is in no function's figures but those of the calls that they make, and most of these
/// are not read. So the readings that there are go to long calls, and to the calls inside of these: short ones take
/// little.
#[test]
fn of_the_calls_of_working_threads_the_long_ones_are_read() {
    let run = run(env!("CARGO_BIN_EXE_pieces"), &["5000"]).recorded();
    check_invariants(&run);
    let read = |name: &str| {
        let times = function(&run, name)
            .spread
            .and_then(|spread| spread.time_ns);
        times.map_or(0, |times| times.calls)
    };
    let [short, search, take] = ["is_wanted", "search", "take"].map(read);
    println!("read: {short} short calls, {search} long ones, {take} inside");
    // There are twice as many short ones. On a busy machine one that lost its processor is long.
    assert!(search > short, "{search} long, {short} short ones");
    assert!(take > short, "{take} inside, {short} short ones");
    let (own, callers) = (
        function(&run, "take").self_net_rss,
        function(&run, "search").self_net_rss,
    );
    println!("{own} bytes of RSS are the innermost call's, {callers} its caller's");
    assert!(own > 1 << 20 && own > 4 * callers, "{own} and {callers}");
}
