//! Samples while all processors are busy: how many of those that were due were taken.

use std::process::Command;

use crate::programs::Program;
use crate::recorded;
use crate::rounds::median;
use crate::run::Ground;

/// Milliseconds between two samples.
const INTERVALS: [&str; 3] = ["10", "1", "0.2"];

/// At one interval, medians.
#[derive(Debug)]
pub(crate) struct Busy {
    pub(crate) interval_ms: &'static str,
    /// Percent of the samples that were due.
    pub(crate) taken: f64,
    longest_gap_ms: f64,
    /// Percent of one processor that the sampler used.
    sampler_cpu: f64,
    /// Percent that Python's mprof took of the same program, where it is installed.
    mprof: Option<f64>,
}

pub(crate) fn measure(ground: &Ground, rounds: usize, with_peers: bool) -> Vec<Busy> {
    let mut runs: Vec<Vec<[f64; 3]>> = INTERVALS.iter().map(|_| Vec::new()).collect();
    let mut mprof: Vec<Vec<f64>> = INTERVALS.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        eprintln!("busy: round {round} of {rounds}");
        for (at, interval_ms) in INTERVALS.into_iter().enumerate() {
            runs[at].push(sampled(ground, interval_ms));
            mprof[at].extend(with_peers.then(|| by_mprof(ground, interval_ms)).flatten());
        }
    }
    let medians = INTERVALS.into_iter().zip(runs).zip(mprof);
    medians
        .map(|((interval_ms, runs), mprof)| {
            let of = |at: usize| median(runs.iter().map(|run| run[at]).collect());
            Busy {
                interval_ms,
                taken: of(0),
                longest_gap_ms: of(1),
                sampler_cpu: of(2),
                mprof: (!mprof.is_empty()).then(|| median(mprof)),
            }
        })
        .collect()
}

/// Percent taken, longest gap in milliseconds, percent of a processor.
fn sampled(ground: &Ground, interval_ms: &str) -> [f64; 3] {
    let mut command = Command::new(ground.programs.path(Program::Annotated));
    command.arg("busy").env("MEMPROF_INTERVAL_MS", interval_ms);
    ground.run_command(&mut command);
    let run = recorded::last(ground);
    let number = |group: &str, name: &str| run[group][name].as_f64().expect("in every run");
    let duration_ns = run["duration_ns"].as_f64().expect("in every run");
    [
        100.0 * number("sampler", "ticks_taken") / number("sampler", "ticks_due"),
        number("sampler", "longest_gap_ns") / 1e6,
        100.0 * number("overhead", "sampler_cpu_ns") / duration_ns,
    ]
}

/// Percent of its samples that `mprof run --interval` takes of the plain program.
fn by_mprof(ground: &Ground, interval_ms: &str) -> Option<f64> {
    let python = ground.programs.python.as_ref()?;
    let seconds = interval_ms.parse::<f64>().expect("a number") / 1e3;
    let mut command = Command::new(python.with_file_name("mprof"));
    command
        .args([
            "run",
            "--interval",
            &seconds.to_string(),
            "--output",
            "mprof.dat",
        ])
        .arg(ground.programs.path(Program::Plain))
        .arg("busy");
    ground.run_command(&mut command);
    let text = std::fs::read_to_string(ground.scratch().join("mprof.dat")).expect("mprof's file");
    let moments: Vec<f64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("MEM ")?.split(' ').nth(1)?.parse().ok())
        .collect();
    let (first, last) = (moments.first()?, moments.last()?);
    let due = ((last - first) / seconds).max(1.0);
    Some(100.0 * (moments.len() - 1) as f64 / due)
}

pub(crate) fn table(busy: &[Busy]) -> String {
    if busy.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## busy\n\n(f) All processors busy for 3 s in an annotated function. *taken*: samples in percent of \
         those that were due.\n\n| interval | taken | longest gap | the sampler's CPU | taken by Python's mprof |\n\
         |---|---|---|---|---|\n",
    );
    for it in busy {
        let mprof = it
            .mprof
            .map_or("".to_owned(), |taken| format!("{taken:.1}%"));
        text += &format!(
            "| {} ms | {:.1}% | {:.1} ms | {:.1}% | {mprof} |\n",
            it.interval_ms, it.taken, it.longest_gap_ms, it.sampler_cpu
        );
    }
    text
}
