//! Any two sources, divided by a zero byte: each line is in the comparison once, and an unchanged line
//! has no change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memprof_model::data;
use memprof_model::run::{Line, Run};
use memprof_report::changes_page;
use memprof_report::diff::{compare, markdown, text};
use memprof_report::parse_run;

const RUN: &[u8] = include_bytes!("../corpus/run_json/one_line.json");

fuzz_target!(|data: &[u8]| {
    let Ok(sources) = str::from_utf8(data) else {
        return;
    };
    let (before, after) = sources.split_once('\0').unwrap_or((sources, sources));
    let (before, after) = (run(before), run(after));
    let diff = compare(&before, &after);
    let function = &diff.functions[0];
    let mut old: Vec<_> = function
        .lines
        .iter()
        .filter_map(|line| line.before)
        .collect();
    old.sort_unstable();
    assert!(old.iter().copied().eq(numbers(&before)));
    assert!(
        function
            .lines
            .iter()
            .filter_map(|line| line.after)
            .eq(numbers(&after))
    );
    let _ = (
        text(&diff, 100),
        markdown(&diff),
        changes_page(&diff).expect("a page"),
    );
});

/// A run of one function with this source, each line of which can be executed.
fn run(source: &str) -> Run {
    let mut run = parse_run(RUN).expect("the seed is a run");
    let function = &mut run.functions[0];
    let template = function.lines[0].clone();
    let first = function.source_line;
    let line = |(i, text): (usize, &str)| data!(Line {
        line: first + i as u32,
        source: text.to_owned(),
        ..template.clone()
    });
    function.lines = source.lines().enumerate().map(line).collect();
    function.source = source.to_owned();
    run
}

fn numbers(run: &Run) -> impl Iterator<Item = u32> {
    run.functions[0].lines.iter().map(|line| line.line)
}
