//! A leak in small blocks, a spike and churn: each has its function and line in the first lines of the terminal.
#![cfg(target_os = "linux")]

use memprof_tests::program::run;

const LEAK: &str = "let name = [";
const SPIKE: &str = "let sum = vec";
const CHURN: &str = "let padded =";

/// The lines of the summary, of which the heading is the first.
fn first_lines(program: &str, how_many: usize) -> Vec<String> {
    let finished = run(program, &[]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let stderr = finished.stderr();
    stderr.lines().take(how_many).map(str::to_owned).collect()
}

fn assert_told(lines: &[String], what: &[&str]) {
    let all = lines.join("\n");
    let is_told = lines
        .iter()
        .any(|line| what.iter().all(|part| line.contains(part)));
    assert!(is_told, "{what:?} in\n{all}");
}

/// What is told of the spike and of churn where the heap is counted.
fn assert_spike_and_churn_are_told(lines: &[String]) {
    assert_told(
        lines,
        &["highest rise", "40.00 MiB", "picture, line ", SPIKE],
    );
    assert_told(lines, &["churn", "normalized, line ", CHURN]);
}

#[test]
fn where_blocks_are_followed_the_leak_the_spike_and_churn_are_in_the_first_five_lines() {
    let lines = first_lines(env!("CARGO_BIN_EXE_leaking_origins"), 5);
    assert_told(
        &lines,
        &["alive at the end", "27.00 MiB", "intern, line ", LEAK],
    );
    assert_spike_and_churn_are_told(&lines);
}

#[test]
fn where_the_heap_is_counted_all_three_are_there_too() {
    let lines = first_lines(env!("CARGO_BIN_EXE_leaking_counting"), 5);
    assert_told(
        &lines,
        &["not freed by it", "27.00 MiB", "intern, line ", LEAK],
    );
    assert_spike_and_churn_are_told(&lines);
}

/// What the short calls keep is known of the line that makes them, since no single one is read.
#[test]
fn without_the_counting_allocator_the_spike_and_the_loop_that_leaks_come_first() {
    let lines = first_lines(env!("CARGO_BIN_EXE_leaking"), 4);
    assert_told(&lines, &["picture", "40.0", "let sum"]);
    assert_told(&lines, &["run ", "for word in text"]);
}
