//! What it costs to watch a process from outside, and how many of the samples are obtained: prints a
//! Markdown table.
//!
//!     cargo build --release -p cargo-memprof -p memprof-benches --bins
//!     cargo run --release -p memprof-benches --bin watching
//!
//! `cargo memprof attach` watches a process that sleeps, alone or with three children that do; every few
//! milliseconds, while the machine is idle and while all processors are busy. Its processor time is that of
//! all its threads, from one second after its start (it is then at work and at nothing else) for some
//! seconds. Beside it are the least that can be done: "nothing" is a program that sleeps until each deadline
//! and does no more, which is what the machine takes for waking one up that often; "one reading" is a loop
//! that sleeps and reads one file of the kernel's, and keeps nothing. With `--quick` there is one round
//! instead of three.
#![cfg_attr(not(target_os = "linux"), allow(unused))]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the processor time is counted.
const COUNTED: Duration = Duration::from_secs(6);
/// Until the watch is at work.
const BEGINNING: Duration = Duration::from_secs(1);

/// What is watched, how often, and beside what.
#[derive(Clone, Copy)]
struct Case {
    watched: Watched,
    /// Milliseconds.
    interval: u64,
    busy: bool,
}

#[derive(Clone, Copy)]
enum Watched {
    Nothing,
    /// By the loop of this program.
    Reading,
    Process,
    Family,
}

/// What came of it.
struct Measured {
    /// Percents of one processor.
    share: f64,
    /// Taken and due.
    samples: Option<(u64, u64)>,
}

/// The arguments that make this program one that only wakes up, or only reads.
const ONLY_SLEEP: &str = "--only-sleep";
const ONLY_READ: &str = "--only-read";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, interval] = arguments.as_slice()
        && [ONLY_SLEEP, ONLY_READ].contains(&mode.as_str())
    {
        only(mode == ONLY_READ, interval.parse().expect("milliseconds"));
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let rounds = if quick { 1 } else { 3 };
    let cases = cases();
    let mut measured: Vec<Vec<Measured>> = cases.iter().map(|_| Vec::new()).collect();
    let begun = load();
    for _ in 0..rounds {
        for (case, measured) in cases.iter().zip(&mut measured) {
            measured.push(measure(*case));
        }
    }
    println!("| watched | every | processors | % of a core | samples obtained |");
    println!("|---|--:|---|--:|--:|");
    for (case, measured) in cases.iter().zip(&measured) {
        println!("{}", row(*case, measured));
    }
    println!(
        "\nMedians of {rounds} rounds; of the samples, all rounds together. Load average {begun} at the \
         start."
    );
}

/// Sleeps until each deadline, and reads if it is to, until it is killed.
fn only(read: bool, interval: u64) -> ! {
    use std::os::unix::fs::FileExt;
    // Its own: the file is made the same way for each process.
    let statm = std::fs::File::open("/proc/self/statm").expect("a kernel that counts");
    let mut text = [0; 128];
    let mut next = Instant::now();
    loop {
        next += Duration::from_millis(interval);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        if read {
            statm.read_at(&mut text, 0).expect("a text");
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for busy in [false, true] {
        let least = [Watched::Nothing, Watched::Reading];
        for watched in least.into_iter().chain([Watched::Process, Watched::Family]) {
            for interval in [10, 1] {
                cases.push(Case {
                    watched,
                    interval,
                    busy,
                });
            }
        }
    }
    cases
}

fn row(case: Case, measured: &[Measured]) -> String {
    let mut shares: Vec<f64> = measured.iter().map(|one| one.share).collect();
    shares.sort_by(f64::total_cmp);
    format!(
        "| {} | {} ms | {} | {:.2} | {} |",
        match case.watched {
            Watched::Nothing => "nothing",
            Watched::Reading => "one reading",
            Watched::Process => "a process",
            Watched::Family => "a process and three children, added up",
        },
        case.interval,
        if case.busy { "all busy" } else { "idle" },
        shares[shares.len() / 2],
        obtained(measured),
    )
}

fn obtained(measured: &[Measured]) -> String {
    let samples = || measured.iter().filter_map(|one| one.samples);
    let taken: u64 = samples().map(|(taken, _)| taken).sum();
    let due: u64 = samples().map(|(_, due)| due).sum();
    if due == 0 {
        return String::new();
    }
    let percents = 100.0 * taken as f64 / due as f64;
    format!("{percents:.2} % ({taken} of {due})")
}

fn measure(case: Case) -> Measured {
    let busy = case.busy.then(|| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (0..processors).map(|_| start("while :; do :; done"))
    });
    let _busy: Vec<Ended> = busy.into_iter().flatten().collect();
    let watched = match case.watched {
        Watched::Nothing => return without_a_watch(case, ONLY_SLEEP),
        Watched::Reading => return without_a_watch(case, ONLY_READ),
        Watched::Process => start("exec sleep 60"),
        Watched::Family => start("sleep 60 & sleep 60 & sleep 60 & wait"),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let timeout = (BEGINNING + COUNTED + BEGINNING).as_secs().to_string();
    let family = matches!(case.watched, Watched::Family);
    let mut attach = Command::new(program());
    attach
        .args(["attach", "--quiet", "--timeout", &timeout])
        .args(["--interval", &format!("{}ms", case.interval)])
        .args(family.then_some("--include-children"))
        .arg(watched.0.id().to_string())
        .env("MEMPROF_DIR", folder.path());
    let mut attach = attach.spawn().expect("cargo-memprof starts");
    let share = share(attach.id());
    assert!(attach.wait().expect("it ends").success());
    Measured {
        share,
        samples: Some(samples(folder.path())),
    }
}

fn without_a_watch(case: Case, mode: &str) -> Measured {
    let ours = std::env::current_exe().expect("our own path");
    let mut asleep = Command::new(ours);
    asleep.args([mode, &case.interval.to_string()]);
    let asleep = own_group(&mut asleep);
    Measured {
        share: share(asleep.0.id()),
        samples: None,
    }
}

/// Percents of one processor that a process takes, once it is at work.
fn share(pid: u32) -> f64 {
    std::thread::sleep(BEGINNING);
    let (from, began) = (processor_time(pid), Instant::now());
    std::thread::sleep(COUNTED);
    let (to, took) = (processor_time(pid), began.elapsed());
    100.0 * (to - from).as_secs_f64() / took.as_secs_f64()
}

/// The program beside this one.
fn program() -> PathBuf {
    let ours = std::env::current_exe().expect("our own path");
    let program = ours.with_file_name("cargo-memprof");
    let first = "cargo build --release -p cargo-memprof -p memprof-benches --bins";
    assert!(program.is_file(), "{first}");
    program
}

/// A process that is ended, with its children, when this is dropped.
struct Ended(Child);

fn start(script: &str) -> Ended {
    own_group(Command::new("sh").args(["-c", script]))
}

fn own_group(command: &mut Command) -> Ended {
    use std::os::unix::process::CommandExt;
    let command = command.stdout(Stdio::null()).process_group(0);
    Ended(command.spawn().expect("it starts"))
}

impl Drop for Ended {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// What all threads of a process have had of the processors (proc_pid_schedstat: the first number).
fn processor_time(pid: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| -> u64 {
        let text = std::fs::read_to_string(thread.expect("a thread").path().join("schedstat"));
        let text = text.expect("a kernel that counts");
        let first = text.split_whitespace().next().expect("a number");
        first.parse().expect("nanoseconds")
    };
    Duration::from_nanos(threads.map(of_thread).sum())
}

/// Samples taken and due, as the run says.
fn samples(root: &Path) -> (u64, u64) {
    let runs = memprof::report::saved_runs(root).expect("runs");
    let run = memprof::report::read_run(root.join(&runs[0].folder)).expect("a run");
    (run.sampler.ticks_taken, run.sampler.ticks_due)
}

/// Of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
