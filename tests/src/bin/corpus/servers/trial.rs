//! A server under load, to its end by a signal, and once more until it is killed.
//!
//! After the load all is quiet, so what is compared then is compared to the byte.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use memprof::run::{Run, RunOutcome};

use super::asked::{Asked, ask};
use super::{Server, load};

/// By so much memprof may grow under load.
const OWN_GROWTH: u64 = 2 << 20;
/// The kernel's counters of RSS lag by so much, and a few pages of code come late.
const LAG: u64 = 512 << 10;
/// From the last call until the journal has it.
const QUIET: Duration = Duration::from_millis(1_500);
/// When all that functions and threads need is there.
const EARLY: Duration = Duration::from_secs(5);

/// A server that runs.
struct Running {
    process: Child,
    port: u16,
    dir: PathBuf,
}

/// Everything that does not agree.
pub(super) fn run(server: &Server, program: &Path, time: Duration) -> Result<Vec<String>, String> {
    let mut wrong = to_its_end(server, program, time)?;
    wrong.extend(until_killed(server, program)?);
    Ok(wrong)
}

fn to_its_end(server: &Server, program: &Path, time: Duration) -> Result<Vec<String>, String> {
    let mut running = start(server, program)?;
    let (port, protocol) = (running.port, server.protocol);
    let clients = thread::spawn(move || load::load(protocol, port, time));
    thread::sleep(EARLY);
    let early = running.live()?;
    thread::sleep(time.saturating_sub(EARLY + QUIET));
    let late = running.live()?;
    let requests = clients.join().map_err(|_| "a client got a wrong answer")?;
    thread::sleep(QUIET);
    let resident = running.resident()?;
    let live = running.live()?;
    let shown = running.shown()?;
    let asked = ask(&running.socket())?;
    running.signal(libc::SIGINT);
    let end = running.ended()?;
    eprintln!(
        "{}: {requests} requests; own heap {} and {} bytes; live heap {}, of the allocator below {}; RSS {}, peak {}",
        server.name,
        own(&early),
        own(&late),
        last_heap(&asked.run),
        asked.live,
        late.series.last().map_or(0, |sample| sample.rss),
        late.process.peak_rss,
    );
    let mut wrong = growth(&early, &late);
    wrong.extend(the_process(&live, resident));
    wrong.extend(the_reference(&asked));
    wrong.extend(same("top and show", &live, &shown));
    wrong.extend(same("top and a snapshot", &live, &asked.run));
    wrong.extend(goes_on(&asked.run, &end));
    Ok(wrong)
}

fn until_killed(server: &Server, program: &Path) -> Result<Vec<String>, String> {
    let mut running = start(server, program)?;
    load::load(server.protocol, running.port, EARLY);
    thread::sleep(QUIET);
    let live = running.live()?;
    running.signal(libc::SIGKILL);
    let recovered = running.recovered()?;
    let mut wrong = same("top and a recovered run", &live, &recovered);
    if recovered.outcome != RunOutcome::Recovered {
        wrong.push(format!(
            "the outcome of a recovered run is {:?}",
            recovered.outcome
        ));
    }
    Ok(wrong)
}

/// memprof's own growth is bounded, and in no figure of the program's.
fn growth(early: &Run, late: &Run) -> Vec<String> {
    let mut wrong = Vec::new();
    if own(late) > own(early) + OWN_GROWTH {
        wrong.push(format!(
            "memprof grew from {} to {} bytes",
            own(early),
            own(late)
        ));
    }
    let highest = late.series.iter().map(|sample| sample.rss).max();
    let highest = highest.unwrap_or(0);
    if late.process.peak_rss > highest + LAG {
        let peak = late.process.peak_rss;
        wrong.push(format!(
            "a peak of {peak} bytes, and no sample above {highest}"
        ));
    }
    wrong
}

/// What the kernel says of the process is what memprof says, and what is memprof's own.
fn the_process(live: &Run, resident: u64) -> Vec<String> {
    let rss = live.series.last().map_or(0, |sample| sample.rss);
    let sum = rss + live.overhead.start_rss + own(live);
    match sum.abs_diff(resident) > LAG {
        true => vec![format!(
            "{sum} bytes with memprof's own, {resident} for the kernel"
        )],
        false => Vec::new(),
    }
}

fn the_reference(asked: &Asked) -> Vec<String> {
    let mut wrong = Vec::new();
    let Asked { live, peak, run } = asked;
    if last_heap(run) != *live {
        wrong.push(format!(
            "a live heap of {} bytes, {live} for the allocator below",
            last_heap(run)
        ));
    }
    let highest = run.series.iter().filter_map(|sample| sample.heap).max();
    if highest.unwrap_or(0) > *peak {
        wrong.push(format!(
            "a sample of {highest:?} bytes of heap, at most {peak} for the allocator below"
        ));
    }
    wrong
}

/// Every function has the same figures in both.
fn same(which: &str, first: &Run, second: &Run) -> Vec<String> {
    let figures = |run: &Run| {
        let functions = run.functions.iter();
        let mut figures: Vec<_> = functions
            .map(|one| {
                (
                    one.name.clone(),
                    one.calls,
                    one.suspended,
                    one.suspended_heap,
                    one.heap,
                    one.self_heap,
                )
            })
            .collect();
        figures.sort_by(|a, b| a.0.cmp(&b.0));
        figures
    };
    let (first, second) = (figures(first), figures(second));
    let differ = first
        .iter()
        .zip(&second)
        .filter(|(one, other)| one != other);
    let mut wrong: Vec<_> = differ
        .map(|(one, other)| format!("{which}: {one:?} and {other:?}"))
        .collect();
    if first.len() != second.len() {
        wrong.push(format!(
            "{which}: {} functions and {}",
            first.len(),
            second.len()
        ));
    }
    wrong
}

/// What was known before the end is in the last reports.
fn goes_on(before: &Run, end: &Run) -> Vec<String> {
    let missing = before.functions.iter().filter(|function| {
        let mut after = end
            .functions
            .iter()
            .filter(|after| after.name == function.name);
        let allocated =
            |heap: Option<memprof::run::HeapFigures>| heap.map_or(0, |heap| heap.allocated);
        !after.any(|after| {
            after.calls >= function.calls && allocated(after.heap) >= allocated(function.heap)
        })
    });
    let mut wrong: Vec<_> = missing
        .map(|function| format!("{} lost calls at the end", function.name))
        .collect();
    if end.outcome != RunOutcome::Exited {
        wrong.push(format!(
            "the outcome of a run that ended by a signal is {:?}",
            end.outcome
        ));
    }
    wrong
}

fn own(run: &Run) -> u64 {
    run.overhead.heap_rss.unwrap_or(0)
}

fn last_heap(run: &Run) -> u64 {
    run.series
        .iter()
        .rev()
        .find_map(|sample| sample.heap)
        .unwrap_or(0)
}

fn start(server: &Server, program: &Path) -> Result<Running, String> {
    let dir = std::env::temp_dir().join(format!("memprof-{}-{}", server.name, std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("served")).map_err(|error| error.to_string())?;
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.map_err(|error| error.to_string())?.port();
    let process = Command::new(program)
        .args(server.arguments)
        .arg(port.to_string())
        .current_dir(dir.join("served"))
        .env("MEMPROF_DIR", dir.join("runs"))
        .env("REFERENCE_SOCKET", dir.join("socket"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    for _ in 0..100 {
        if load::is_up(port) {
            return Ok(Running { process, port, dir });
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("{} does not listen", server.name))
}

impl Running {
    fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    fn folder(&self) -> Result<PathBuf, String> {
        let folders = fs::read_dir(self.dir.join("runs")).map_err(|error| error.to_string())?;
        let mut folders = folders.filter_map(|entry| Some(entry.ok()?.path()));
        let folder = folders.find(|path| path.is_dir() && !path.is_symlink());
        folder.ok_or_else(|| "the server has no run".to_owned())
    }

    /// What `cargo memprof top` shows.
    fn live(&self) -> Result<Run, String> {
        let run = memprof::live(self.folder()?).map_err(|error| error.to_string())?;
        run.ok_or_else(|| "the server is not at work".to_owned())
    }

    /// What `cargo memprof show` shows.
    fn shown(&self) -> Result<Run, String> {
        let ours = std::env::current_exe().map_err(|error| error.to_string())?;
        let output = Command::new(ours.with_file_name("cargo-memprof"))
            .args(["show", "--json"])
            .arg(self.folder()?)
            .output()
            .map_err(|error| format!("{error}; `cargo build -p cargo-memprof` makes it"))?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// RSS, as the kernel tells it.
    fn resident(&self) -> Result<u64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.map_err(|error| error.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kibibytes.ok_or("no VmRSS")? << 10)
    }

    fn signal(&self, number: libc::c_int) {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(self.process.id() as libc::pid_t, number) };
    }

    fn ended(&mut self) -> Result<Run, String> {
        self.process.wait().map_err(|error| error.to_string())?;
        memprof::report::read_run(self.folder()?).map_err(|error| error.to_string())
    }

    fn recovered(&mut self) -> Result<Run, String> {
        self.process.wait().map_err(|error| error.to_string())?;
        memprof::recover(self.dir.join("runs")).map_err(|error| error.to_string())?;
        memprof::report::read_run(self.folder()?).map_err(|error| error.to_string())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
