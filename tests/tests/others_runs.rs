//! What lies in the folder of runs neither hangs a program at its end nor costs it more than a little.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use memprof_tests::program::command;

/// What the end of a program takes.
#[derive(Debug, Clone, Copy)]
struct End {
    cpu: Duration,
    /// Bytes.
    peak: u64,
}

/// The end of a program that keeps its run in `root`, and what the program said.
fn end_in(root: &Path) -> (End, String) {
    let began = Instant::now();
    let mut command = command(env!("CARGO_BIN_EXE_end_costs"), root);
    let output = command.output().expect("it starts");
    assert!(began.elapsed() < Duration::from_secs(60), "it hung");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Vec<u64> = told
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    let [0, micros, kib] = told[..] else {
        panic!("{told:?}")
    };
    let end = End {
        cpu: Duration::from_micros(micros),
        peak: kib << 10,
    };
    (end, said)
}

/// The cheapest of several ends, each in a new folder: other programs on the machine only add to what one takes.
fn cheapest(fill: impl Fn(&Path)) -> End {
    let ends = (0..5).map(|_| {
        let root = tempfile::tempdir().unwrap();
        fill(root.path());
        end_in(root.path()).0
    });
    let ends: Vec<End> = ends.collect();
    let cpu = ends.iter().map(|end| end.cpu).min().unwrap();
    let peak = ends.iter().map(|end| end.peak).min().unwrap();
    End { cpu, peak }
}

/// How much more than with an empty folder the end takes with what `fill` puts into one.
fn costs_little(fill: impl Fn(&Path)) {
    let empty = cheapest(|_| {});
    let full = cheapest(fill);
    let cpu = full.cpu.saturating_sub(empty.cpu);
    let bytes = full.peak.saturating_sub(empty.peak);
    println!("{cpu:?} and {} KiB more", bytes >> 10);
    assert!(cpu <= Duration::from_millis(200), "{empty:?} {full:?}");
    assert!(bytes <= 16 << 20, "{empty:?} {full:?}");
}

/// A folder that may hold a run of the program, the number of which is `number`.
fn run_folder(root: &Path, number: u32) -> PathBuf {
    let folder = root.join(format!("end_costs-20260301-{number:06}-1"));
    fs::create_dir(&folder).unwrap();
    folder
}

/// The run of an end, as text.
fn a_run() -> String {
    let root = tempfile::tempdir().unwrap();
    end_in(root.path());
    fs::read_to_string(root.path().join("latest/run.json")).unwrap()
}

/// A run that is a little smaller than `bytes`: it has as many functions.
fn run_of(bytes: usize) -> String {
    let run = a_run();
    let list = run.find("\"functions\":[").unwrap() + "\"functions\":[".len();
    let function = run[list..].rfind("}]").unwrap();
    let function = &run[list..list + function + 1];
    let many = vec![function; (bytes - run.len()) / (function.len() + 1)].join(",");
    run.replacen(function, &many, 1)
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn pipes_devices_and_links_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    for (number, name) in ["run.json", "mprofile.dat"].into_iter().enumerate() {
        let number = number as u32 * 10;
        pipe(&run_folder(root.path(), number).join(name));
        symlink("/dev/zero", run_folder(root.path(), number + 1).join(name)).unwrap();
        fs::create_dir(run_folder(root.path(), number + 2).join(name)).unwrap();
    }
    pipe(&root.path().join(".lock"));
    let (_, said) = end_in(root.path());
    let index = fs::read_to_string(root.path().join("index.html")).unwrap();
    assert!(said.contains("work  "), "the summary is printed: {said}");
    assert!(index.contains("it is no regular file") && index.contains("it is a link"));
    assert!(root.path().join("latest/run.json").is_file());
}

#[test]
fn nothing_is_made_behind_a_link_in_the_place_of_the_lock() {
    let root = tempfile::tempdir().unwrap();
    symlink(root.path().join("made"), root.path().join(".lock")).unwrap();
    end_in(root.path());
    assert!(!root.path().join("made").exists());
}

#[test]
fn an_enormous_run_costs_little() {
    costs_little(|root| {
        let run = a_run();
        let mut file = File::create(run_folder(root, 1).join("run.json")).unwrap();
        file.write_all(b"{\"program\":\"").unwrap();
        for _ in 0..231 {
            file.write_all(&[b'a'; 1 << 20]).unwrap();
        }
        file.write_all(b"\",").unwrap();
        file.write_all(&run.as_bytes()[1..]).unwrap();
    });
}

#[test]
fn a_long_run_before_costs_little() {
    // The longest that is read.
    let text = run_of(4 << 20);
    memprof::report::parse_run(text.as_bytes()).unwrap();
    costs_little(|root| fs::write(run_folder(root, 1).join("run.json"), &text).unwrap());
}

#[test]
fn thousands_of_runs_cost_little() {
    let text = a_run();
    costs_little(|root| {
        for number in 0..5_000 {
            fs::write(run_folder(root, number).join("run.json"), &text).unwrap();
        }
    });
}

#[test]
fn an_enormous_journal_costs_little_and_is_told_of() {
    const HEAD: &str =
        "CMDLINE x\njournal {\"format\":1,\"pid\":1,\"start\":\"x\",\"boot\":\"x\"}\n";
    let fill = |root: &Path| {
        let path = run_folder(root, 1).join("mprofile.dat");
        let mut file = File::create(&path).unwrap();
        file.write_all(HEAD.as_bytes()).unwrap();
        let records = "MEM 1.5 1772370309.25\n".repeat(50_000);
        for _ in 0..220 {
            file.write_all(records.as_bytes()).unwrap();
        }
        // As if its machine had been started anew since.
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(3_600);
        file.set_modified(long_ago).unwrap();
    };
    costs_little(fill);
    let root = tempfile::tempdir().unwrap();
    fill(root.path());
    let (_, said) = end_in(root.path());
    assert!(
        said.contains("runs that ended without a report: 1; ")
            && said.contains("cargo memprof recover"),
        "{said}"
    );
}
