//! Runs every workload in every variant, side by side in one go, and prints medians as ratios to the
//! plain program: `cargo run --release -p memprof-benches --bins` builds them, then
//! `cargo run --release -p memprof-benches` runs them.

use std::path::Path;
use std::process::Command;

const ROUNDS: usize = 7;

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

const VARIANTS: [Variant; 5] = [
    variant("plain", "plain", None),
    variant(
        "annotated, switched off",
        "annotated",
        Some(("MEMPROF", "0")),
    ),
    variant("annotated", "annotated", None),
    variant("counting allocator", "counting", None),
    variant("both", "annotated_counting", None),
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

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let programs = std::env::current_exe().expect("our own path");
    let programs = programs.parent().expect("a folder");
    print!("| workload |");
    VARIANTS
        .iter()
        .for_each(|variant| print!(" {} |", variant.name));
    println!("\n|---|{}", "---|".repeat(VARIANTS.len()));
    for (workload, what) in WORKLOADS {
        print!("| {workload}: {what} |");
        for cell in cells(workload, programs, folder.path()) {
            print!(" {cell} |");
        }
        println!();
    }
    println!(
        "\nMedians of {ROUNDS} rounds, in nanoseconds a unit and as ratios to the plain program."
    );
}

/// One row: a cell for each variant, whose rounds alternate.
fn cells(workload: &str, programs: &Path, reports: &Path) -> Vec<String> {
    let mut times = vec![Vec::new(); VARIANTS.len()];
    for _ in 0..ROUNDS {
        for (variant, times) in VARIANTS.iter().zip(&mut times) {
            times.push(nanoseconds(programs, workload, variant, reports));
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let cell = |time: &f64| format!("{time:.2} ns ({:.2}×)", time / medians[0]);
    medians.iter().map(cell).collect()
}

/// What one unit of the workload takes.
fn nanoseconds(programs: &Path, workload: &str, variant: &Variant, reports: &Path) -> f64 {
    let program = programs.join(variant.program);
    let output = Command::new(&program)
        .arg(workload)
        .envs(variant.variable)
        .env("MEMPROF_DIR", reports)
        .env("MEMPROF_QUIET", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build with --bins first", program.display()));
    assert!(
        output.status.success(),
        "{program:?} {workload}: {output:?}"
    );
    let answer = String::from_utf8_lossy(&output.stdout);
    let mut numbers = answer.split_whitespace().map(|text| text.parse::<f64>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(time)), Some(Ok(units))) => time / units,
        _ => panic!("{program:?} {workload} answered {answer}"),
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
