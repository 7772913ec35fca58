//! What a program leaves behind while it runs, whenever it is killed.
//!
//! Here it is read with our own reader; `mprof.rs` shows it to Python's mprof.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use memprof::report::{DatRecord, DatRecords, read_run};
use memprof::run::{Run, RunOutcome};
use memprof_tests::killed::Killed;
use memprof_tests::program::{command, function, run};
use memprof_tests::truth::check_invariants;
use tempfile::TempDir;

/// A program at work, whose stdout is read.
struct Working {
    child: Child,
    root: TempDir,
}

impl Working {
    fn begin(program: &str, arguments: &[&str]) -> Working {
        let root = TempDir::new().expect("a folder");
        let mut command = command(program, root.path());
        let child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        Working { child, root }
    }

    /// The journal, once it is there.
    fn journal(&self) -> std::path::PathBuf {
        let began = Instant::now();
        loop {
            let mut folders = std::fs::read_dir(self.root.path()).expect("the folder");
            if let Some(folder) = folders.next() {
                let journal = folder.expect("an entry").path().join("mprofile.dat");
                if journal.is_file() {
                    return journal;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no journal");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Until the journal says so.
    #[track_caller]
    fn wait_until(&self, says: impl Fn(&Run) -> bool) {
        let journal = self.journal();
        let folder = journal.parent().expect("a folder");
        let began = Instant::now();
        while !memprof::live(folder)
            .expect("readable")
            .is_some_and(|run| says(&run))
        {
            assert!(began.elapsed() < Duration::from_secs(60), "it never does");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

/// A test that fails leaves nothing behind that works for ever.
impl Drop for Working {
    fn drop(&mut self) {
        // It has ended already where the test came to its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every line is one that mprof takes; the last one is whole.
fn assert_readable(text: &[u8]) {
    let mut records = DatRecords::new(text);
    let mut memory = 0;
    for record in records.by_ref() {
        let record = record.unwrap_or_else(|error| panic!("{error}"));
        memory += usize::from(matches!(record, DatRecord::Memory(_)));
    }
    assert_eq!(records.torn(), None);
    assert!(memory >= 2, "mprof draws through two readings at least");
    assert!(text.is_ascii());
}

#[test]
fn it_is_readable_at_every_moment() {
    let mut working = Working::begin(env!("CARGO_BIN_EXE_busy"), &["steps"]);
    let journal = working.journal();
    let began = Instant::now();
    let mut lengths = Vec::new();
    while began.elapsed() < Duration::from_secs(2) {
        let text = std::fs::read(&journal).expect("there");
        assert_readable(&text);
        lengths.push(text.len());
    }
    working.kill();
    assert!(lengths.is_sorted(), "it only grows");
    lengths.dedup();
    assert!(lengths.len() >= 2, "it grows while the program runs");
}

#[test]
fn a_program_that_ends_by_itself_leaves_no_journal() {
    let finished = run(env!("CARGO_BIN_EXE_busy"), &["grow", "150"]);
    let folder = finished.folder();
    let text = std::fs::read_to_string(folder.join("mprofile.dat")).expect("written");
    for line in text.lines() {
        let kind = line.split(' ').next();
        assert!(matches!(kind, Some("CMDLINE" | "MEM" | "FUNC")), "{line}");
    }
    let left: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The run that is put together from what `killed` left; `None` if that is nothing.
fn recovered(killed: &Killed) -> Option<Run> {
    let journal = killed.journal()?;
    assert_readable(&std::fs::read(&journal).expect("there"));
    let folders = memprof::recover(killed.root()).expect("recovered");
    assert_eq!(folders.len(), 1, "{folders:?}");
    let folder = journal.parent().expect("a folder");
    for file in ["index.html", "run.json", "mprofile.dat"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(killed.root().join("index.html").is_file());
    let again = memprof::recover(killed.root()).expect("nothing to do");
    assert!(again.is_empty(), "{again:?}");
    let run = read_run(folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.outcome, RunOutcome::Recovered);
    check_invariants(&run);
    Some(run)
}

/// Kills a busy program `kills` times, and says how far behind the recovered runs were.
fn kill_at_random_moments(kills: u64) -> Vec<Duration> {
    let seeds: Vec<u64> = (0..kills).collect();
    let mut behind = Vec::new();
    for few in seeds.chunks(5) {
        let threads: Vec<_> = few
            .iter()
            .map(|&seed| {
                std::thread::spawn(move || {
                    let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                    let time = Duration::from_millis(20 + random % 1_500);
                    let killed = Killed::after(env!("CARGO_BIN_EXE_busy"), &["steps"], time);
                    let run = recovered(&killed);
                    let done = run.map_or(0, |run| function(&run, "step").calls);
                    Duration::from_nanos(killed.behind(done))
                })
            })
            .collect();
        behind.extend(
            threads
                .into_iter()
                .map(|thread| thread.join().expect("checked")),
        );
    }
    behind.sort_unstable();
    behind
}

#[test]
fn killed_at_fifty_random_moments_it_is_about_a_second_behind_at_most() {
    let behind = kill_at_random_moments(50);
    let (median, worst) = (behind[behind.len() / 2], behind[behind.len() - 1]);
    println!("behind: median {median:?}, worst {worst:?}");
    assert!(median < Duration::from_secs(1), "{behind:?}");
    // A machine on which the thread that writes got no processor for two seconds is not our concern.
    assert!(worst < Duration::from_secs(3), "{behind:?}");
}

#[test]
fn where_each_thread_was_is_told() {
    let mut working = Working::begin(env!("CARGO_BIN_EXE_busy"), &["wait"]);
    let journal = working.journal();
    let folder = journal.parent().expect("a folder");
    let mut source = include_str!("../src/bin/busy.rs").lines();
    let line = source
        .position(|line| line.contains("from_secs(600)"))
        .expect("there");
    let waits = |run: &Run| {
        let stopped = run.stopped.first();
        stopped.and_then(|stopped| stopped.line) == Some(line as u32 + 1)
    };
    working.wait_until(waits);
    let alive = memprof::recover(working.root.path()).expect("looked at");
    assert!(alive.is_empty(), "its program is at work");
    working.kill();

    // The next program that ends does it in passing, and says so.
    let next = command(env!("CARGO_BIN_EXE_ends"), working.root.path())
        .arg("return")
        .output()
        .expect("ended");
    let said = String::from_utf8_lossy(&next.stderr).into_owned();
    assert!(
        said.contains(&format!("recovered: {}", folder.display())),
        "{said}"
    );

    let run = read_run(folder).expect("recovered");
    let [stopped] = &run.stopped[..] else {
        panic!("{:?}", run.stopped);
    };
    assert_eq!(stopped.line, Some(line as u32 + 1));
    assert_eq!(run.functions[stopped.function].label, "wait");
    assert!(stopped.net_rss >= 8 << 20, "{}", stopped.net_rss);
    let page = std::fs::read_to_string(folder.join("index.html")).expect("written");
    assert!(page.contains("Thread 1 was in line"), "{page}");
    let line = &run.functions[stopped.function].lines[0];
    assert!(line.source.contains("Mapping::new(mebibytes * MIB)") && line.net_rss >= 8 << 20);
}

/// A program killed for its memory is the one of which one wants to know whose blocks it kept.
#[test]
fn what_was_alive_is_told_with_the_lines_that_allocated_it() {
    let mut working = Working::begin(env!("CARGO_BIN_EXE_origins"), &["stay"]);
    let journal = working.journal();
    let folder = journal.parent().expect("a folder");
    working.wait_until(|run| {
        let lines = run.functions.iter().flat_map(|function| &function.lines);
        let alive = lines.filter_map(|line| line.origins);
        alive.map(|origins| origins.alive_blocks).sum::<u64>() == 1
    });
    working.kill();
    assert_eq!(
        memprof::recover(working.root.path())
            .expect("recovered")
            .len(),
        1
    );
    let run = read_run(folder).expect("recovered");
    assert_eq!(run.origins.map(|followed| followed.one_in), Some(1));
    let stay = function(&run, "stay");
    let alive: Vec<(&str, u64, u64)> = stay
        .lines
        .iter()
        .map(|line| (line, line.origins.expect("followed")))
        .filter(|(_, origins)| origins.alive_blocks > 0)
        .map(|(line, origins)| {
            (
                line.source.trim(),
                origins.alive_bytes,
                origins.alive_blocks,
            )
        })
        .collect();
    let leaked = "let leaked = black_box(vec![2_u8; 3_000_000]);";
    assert_eq!(alive, [(leaked, 3_000_000, 1)]);
    let page = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|kind| kind == "txt"))
        .expect("a text");
    let text = std::fs::read_to_string(page).expect("written");
    assert!(
        text.contains("Still alive when last heard of: 2.861 MiB in 1 block"),
        "{text}"
    );
    // The call never ended: it has 5,000 bytes and 3,000,000, and has freed the first.
    let heap = stay.heap.expect("counted");
    assert_eq!(
        (heap.allocated, heap.freed, heap.allocations),
        (3_005_000, 5_000, 2)
    );
    assert_eq!(heap.peak, 3_005_000);
    for part in [
        "So far the call allocated 2.866 MiB in 2 allocations and freed 0.005 MiB, 2.861 MiB less. ",
        "So far the call kept ",
        " at entry → ",
        " so far\n",
        ", when the program was last heard of\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("After the call"), "it never ended: {text}");
    let calls = run
        .functions
        .iter()
        .flat_map(|function| &function.call_records);
    assert!(
        calls
            .map(|call| call.end_ns)
            .all(|end| end <= run.duration_ns)
    );
}
