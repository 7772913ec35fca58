//! A small run of a program at work, for the tests of the view.

use memprof_model::data;
use memprof_model::run::{
    Call, FunctionProfile, HeapFigures, Line, Outcome, Overhead, PeakMethod, Process, Run,
    RunOutcome, SCHEMA, Sample, SamplerReport, Stopped,
};

use super::state::State;
use super::theme::Theme;

const MIB: u64 = 1 << 20;
const MS: u64 = 1_000_000;

const LENGTHS: &str = "\
fn lengths(text: &str) -> Vec<usize> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.iter().map(String::len).collect()
}";
const WAIT: &str = "\
fn wait(until: Instant) {
    let mut kept = Vec::new();
    while Instant::now() < until {
        kept.push(vec![1_u8; 64 << 10]);
    }
    drop(kept);
}";
const TEXT: &str = "\
fn text(lines: usize) -> String {
    \"one attribute \".repeat(lines)
}";

/// The state at the first look at [`run`].
pub(super) fn state() -> State {
    State::new(run(), Theme::new(true))
}

/// `lengths` and `text` have run; `wait` is in its loop, 4 s after the start.
pub(super) fn run() -> Run {
    let functions = vec![
        function(
            "lengths",
            LENGTHS,
            4,
            &[(5, 2, 180, 120), (6, 2, 12, 8), (7, 2, 4, -128)],
        ),
        function(
            "wait",
            WAIT,
            9,
            &[(10, 1, 0, 0), (11, 640, 0, 0), (12, 639, 40, 40)],
        ),
        function("text", TEXT, 17, &[(18, 2, 20, 20)]),
    ];
    data!(Run {
        schema: SCHEMA.to_owned(),
        program: "words".to_owned(),
        command: vec!["target/release/words".to_owned()],
        pid: 4242,
        started: "2026-03-01T14:05:09.000000+00:00".to_owned(),
        duration_ns: 4_000 * MS,
        backend: "statm".to_owned(),
        peak_method: PeakMethod::Kernel,
        heap: false,
        outcome: RunOutcome::Running,
        process: data!(Process {
            peak_rss: 204 * MIB,
            baseline_rss: 4 * MIB,
        }),
        sampler: data!(SamplerReport {
            ticks_due: 400,
            ticks_taken: 400,
            longest_gap_ns: 11 * MS,
            missing: false,
        }),
        overhead: data!(Overhead {
            readings: 1_300,
            reading_ns: 3 * MS,
            sampler_cpu_ns: 2 * MS,
            profiler_bytes: 100_000,
            start_rss: 0,
            heap_rss: None,
        }),
        series: (0..400).map(sample).collect(),
        functions,
        stopped: vec![data!(Stopped {
            thread: 1,
            depth: 0,
            function: 1,
            line: Some(12),
            time_ns: 2_000 * MS,
            net_rss: 40 << 20,
            peak_rss: 40 * MIB,
        })],
        low_memory_ns: None,
        watched: None,
        origins: None,
    })
}

/// The same with the heap counted, and three functions of one name.
pub(super) fn counted() -> Run {
    let mut run = run();
    run.heap = true;
    for sample in &mut run.series {
        sample.heap = Some(sample.rss - 4 * MIB);
    }
    for function in &mut run.functions {
        let mut all = HeapFigures::default();
        for line in &mut function.lines {
            let heap = data!(HeapFigures {
                allocated: line.peak_rss,
                freed: (line.peak_rss as i64 - line.net_rss).max(0) as u64,
                net: line.net_rss,
                peak: line.peak_rss,
                allocations: line.hits,
            });
            (line.heap, line.self_heap) = (Some(heap), Some(heap));
            all.allocated += heap.allocated;
            all.freed += heap.freed;
            all.net += heap.net;
            all.peak = all.peak.max(heap.peak);
            all.allocations += heap.allocations;
        }
        (function.heap, function.self_heap) = (Some(all), Some(all));
    }
    for (function, module) in run.functions.iter_mut().zip(["a", "b", "c"]) {
        function.name = format!("words::{module}::wait");
        function.label = "wait".to_owned();
    }
    run
}

/// Two hills, and a slope while `wait` runs.
fn sample(n: u64) -> Sample {
    let mib = match n {
        0..200 => 4 + (n % 100) * 2,
        n => 4 + (n - 200) / 5,
    };
    data!(Sample {
        t_ns: n * 10 * MS,
        rss: mib * MIB,
        heap: None,
    })
}

/// A function whose lines have number, hits, peak and net in MiB.
fn function(
    label: &str,
    source: &str,
    line: u32,
    lines: &[(u32, u64, u64, i64)],
) -> FunctionProfile {
    let texts: Vec<&str> = source.lines().collect();
    let lines: Vec<Line> = lines
        .iter()
        .map(|&(number, hits, peak, net)| {
            data!(Line {
                line: number,
                source: texts[(number - line) as usize].to_owned(),
                hits,
                readings: hits,
                time_ns: hits * 3 * MS,
                max_rss: Some(peak * MIB),
                net_rss: net << 20,
                peak_rss: peak * MIB,
                ..Line::default()
            })
        })
        .collect();
    let call = data!(Call {
        start_ns: u64::from(line) * 200 * MS,
        end_ns: u64::from(line) * 300 * MS,
        suspended_ns: 0,
        thread: 1,
        depth: 0,
        by: None,
        outcome: Outcome::Returned,
        entry_rss: 4 * MIB,
        exit_rss: 4 * MIB,
        peak_rss: 9 * MIB,
        net_rss: 0,
        suspended_rss: 0,
    });
    data!(FunctionProfile {
        name: format!("words::{label}"),
        label: label.to_owned(),
        file: "src/main.rs".to_owned(),
        line,
        interval_ns: 10 * MS,
        calls: lines.last().map_or(0, |line| line.hits.min(2)),
        panics: 0,
        threads: 1,
        time_ns: lines.iter().map(|line| line.time_ns).sum(),
        entry_rss: 4 * MIB,
        exit_rss: 4 * MIB,
        max_rss: 204 * MIB,
        net_rss: lines.iter().map(|line| line.net_rss).sum(),
        peak_rss: lines.iter().map(|line| line.peak_rss).max().unwrap_or(0),
        peak_at: None,
        heap: None,
        heap_elsewhere: None,
        source: source.to_owned(),
        source_line: line,
        lines,
        calls_omitted: 0,
        call_records: vec![call],
        series_call: Some(0),
        series: Vec::new(),
        by: None,
        sizes: Vec::new(),
        growth: Vec::new(),
        call_maxima: None,
    })
}
