//! The seed program in Rust: a random matrix inverted with faer for n = 2^0 … 2^11, profiled.
//!
//! It prints what the Python article that memprof grew from prints, the list of megabytes of the
//! last size, and then what the article could not show: which line moved them.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use faer::{Mat, Par};
use memprof::{CountingAllocator, MemoryUsage, memory_usage, profile_memory};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Counts heap bytes, so that the report tells what the lines asked for beside what became resident,
/// and what faer's worker threads asked for on their behalf.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Inverts random matrices of growing size and shows how memory moved, over time and line by line.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The largest matrix is 2^EXPONENT by 2^EXPONENT
    #[arg(short, long, value_name = "EXPONENT", default_value_t = 11, value_parser = clap::value_parser!(u32).range(0..=14))]
    exponent: u32,

    /// Milliseconds between two samples
    #[arg(short, long, value_name = "MS", default_value_t = 10.0, value_parser = interval)]
    interval_ms: f64,

    /// Seed of the random matrices: the same seed gives the same matrices
    #[arg(short, long, default_value_t = 11)]
    seed: u64,

    /// Threads that faer may use; 0 means one for each processor
    #[arg(short, long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    faer::set_global_parallelism(match arguments.threads {
        1 => Par::Seq,
        threads => Par::rayon(threads),
    });
    let settings = memprof::Settings::new().interval_ms(arguments.interval_ms);
    if let Err(error) = settings.apply() {
        eprintln!("demo: {error}");
        return ExitCode::FAILURE;
    }

    let mut last = None;
    for exponent in 0..=arguments.exponent {
        let n = 1 << exponent;
        let interval = Duration::from_secs_f64(arguments.interval_ms / 1e3);
        let usage = memory_usage(interval, || inverse(n, arguments.seed));
        let residual = usage.value.1;
        println!("n = {n:>5}   |A·A⁻¹ − I| = {residual:.1e}");
        last = Some(usage);
    }
    if let Some(usage) = last {
        print_samples(&usage);
    }
    report()
}

/// The inverse of a random matrix, and how far its product with the matrix is from the identity.
#[profile_memory(interval_ms = 10, name = "Matriz Inversa", by = n)]
fn inverse(n: usize, seed: u64) -> (Mat<f64>, f64) {
    let matrix = random_matrix(n, seed);
    let decomposition = matrix.partial_piv_lu();
    let inverse = faer::linalg::solvers::DenseSolveCore::inverse(&decomposition);
    // Three temporaries of the matrix's size, gone at the end of the line: a peak without a net.
    let residual = (&matrix * &inverse - Mat::<f64>::identity(n, n)).norm_max();
    (inverse, residual)
}

fn random_matrix(n: usize, seed: u64) -> Mat<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    Mat::from_fn(n, n, |_, _| random.random())
}

/// What the article prints: the process's megabytes, one figure for each sample.
fn print_samples<T>(usage: &MemoryUsage<T>) {
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    let samples: Vec<String> = usage
        .samples
        .iter()
        .map(|sample| megabytes(sample.rss))
        .collect();
    println!("\nMemory in MiB while the last one was made:");
    println!("[{}]", samples.join(", "));
    println!("Highest: {} MiB", megabytes(usage.peak));
}

/// The line table here, everything else as files.
fn report() -> ExitCode {
    let Some(run) = memprof::snapshot() else {
        println!("\nNothing was recorded: MEMPROF=0 is set.");
        return ExitCode::SUCCESS;
    };
    for function in &run.functions {
        println!("\n{}", memprof::report::line_table(function));
    }
    match memprof::write_reports() {
        Ok(folder) => {
            println!("Reports: {}", folder.join("index.html").display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(milliseconds) if (0.1..=60_000.0).contains(&milliseconds) => Ok(milliseconds),
        _ => Err("expected milliseconds, from 0.1 to 60000".to_owned()),
    }
}
