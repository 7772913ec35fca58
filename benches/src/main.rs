//! Runs every workload in every variant, side by side in one go, and prints a Markdown table of medians:
//! `cargo build --release -p memprof-benches --bins && cargo run --release -p memprof-benches`.
//! With `--quick` there are three rounds instead of nine.

use std::path::Path;
use std::process::Command;

const WORKLOADS: [(&str, &str); 5] = [
    ("pair", "allocation and free of 64 bytes"),
    ("pair on two threads", "the same on two threads at once"),
    (
        "allocations",
        "5 million allocations, 15 million line hits, 100,000 calls",
    ),
    ("call", "10 million calls of an empty function"),
    ("line", "a loop of three lines, 10 million times"),
];

/// A column of the table.
struct Variant {
    name: &'static str,
    program: &'static str,
    /// An environment variable to set.
    variable: Option<(&'static str, &'static str)>,
}

const VARIANTS: [Variant; 7] = [
    variant("plain", "plain", None),
    variant(
        "annotated, switched off",
        "annotated",
        Some(("MEMPROF", "0")),
    ),
    variant("annotated", "annotated", None),
    variant("counting allocator alone", "counting", None),
    variant("annotated and counting", "annotated_counting", None),
    variant("the same, `lines = false`", "totals", None),
    variant("annotated, with origins", "annotated_origins", None),
];

const fn variant(
    name: &'static str,
    program: &'static str,
    variable: Option<(&'static str, &'static str)>,
) -> Variant {
    Variant {
        name,
        program,
        variable,
    }
}

/// What one run said of itself.
struct Measured {
    /// Of the main thread, for one unit of the workload.
    busy_ns: f64,
    peak_kib: f64,
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 9 };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let programs = std::env::current_exe().expect("our own path");
    let programs = programs.parent().expect("a folder");
    let begun = load();
    print!("| workload |");
    VARIANTS
        .iter()
        .for_each(|variant| print!(" {} |", variant.name));
    println!("\n|---|{}", "---|".repeat(VARIANTS.len()));
    for (workload, what) in WORKLOADS {
        print!("| {workload}: {what} |");
        for cell in cells(workload, programs, folder.path(), rounds) {
            print!(" {cell} |");
        }
        println!();
    }
    println!(
        "\nMedians of {rounds} rounds in which the variants alternate: processor time of the main thread in \
         nanoseconds a unit, its ratio to the plain program, and by how many KiB the highest RSS was \
         above the plain program's. {}; load average {begun} at the start, {} at the end.",
        machine(),
        load()
    );
}

/// One row: a cell for each variant.
fn cells(workload: &str, programs: &Path, reports: &Path, rounds: usize) -> Vec<String> {
    let mut runs: Vec<Vec<Measured>> = VARIANTS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (variant, runs) in VARIANTS.iter().zip(&mut runs) {
            runs.push(measure(programs, workload, variant, reports));
        }
    }
    let medians: Vec<(f64, f64)> = runs
        .iter()
        .map(|runs| {
            (
                median(runs, |run| run.busy_ns),
                median(runs, |run| run.peak_kib),
            )
        })
        .collect();
    let (plain_ns, plain_kib) = medians[0];
    let cell = |(ns, kib): &(f64, f64)| {
        let more = kib - plain_kib;
        format!("{ns:.2} ns, {:.2}×, {more:+.0}", ns / plain_ns)
    };
    medians.iter().map(cell).collect()
}

fn measure(programs: &Path, workload: &str, variant: &Variant, reports: &Path) -> Measured {
    let program = programs.join(variant.program);
    let output = Command::new(&program)
        .arg(workload)
        .envs(variant.variable)
        .env("MEMPROF_DIR", reports)
        .env("MEMPROF_QUIET", "1")
        // The mark is to be left alone: it is what peaks are compared by. That saves no reading.
        .env("MEMPROF_PEAK", "sampled")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build with --bins first", program.display()));
    assert!(
        output.status.success(),
        "{program:?} {workload}: {output:?}"
    );
    let answer = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = answer
        .split_whitespace()
        .filter_map(|text| text.parse().ok())
        .collect();
    match numbers[..] {
        [_wall_ns, busy_ns, peak_kib, units] => Measured {
            busy_ns: busy_ns / units,
            peak_kib,
        },
        _ => panic!("{program:?} {workload} answered {answer}"),
    }
}

fn median(runs: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    format!("{processors} processors ({model}), Linux {}", kernel.trim())
}

/// Of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
