//! The same program with `MEMPROF=0` and with recording: its end, what it says, its files and what it sees of its own
//! process are equal. With recording there is a run besides, or memprof says why there is none. What differs by design
//! is named in `is_memprofs` and `SAID`.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use memprof::run::RunOutcome;
use memprof_tests::program::command;
use memprof_tests::{plugin, shipped};
use similar::TextDiff;
use tempfile::TempDir;

use Written::{AtTheEnd, FromTheJournal, Nothing};

/// What a program leaves of its run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    AtTheEnd,
    /// It was killed, became another program, or ended without handlers of `exit`.
    FromTheJournal,
    /// It has made it impossible.
    Nothing,
}

/// A program, its arguments, and what it leaves.
type Case = (&'static str, &'static str, Written);

const DESCRIPTORS: [Case; 11] = [
    ("same_world", "close-all", AtTheEnd),
    ("same_world", "standard-ones-closed", AtTheEnd),
    ("same_world", "stderr-is-data", AtTheEnd),
    ("same_world", "stderr-is-gone", AtTheEnd),
    ("same_world", "stdout-redirected", AtTheEnd),
    ("same_world", "few-numbers-first", AtTheEnd),
    ("same_world", "inherited", AtTheEnd),
    ("same_world", "every-kind", AtTheEnd),
    ("world", "descriptors over mine", AtTheEnd),
    ("world", "descriptors closed mine", AtTheEnd),
    ("faults", "close mine", AtTheEnd),
];

const PROCESSES: [Case; 11] = [
    ("same_world", "daemon", FromTheJournal),
    ("same_world", "pre-fork-server", AtTheEnd),
    ("same_world", "forks-beside-threads", AtTheEnd),
    ("same_world", "many-programs", AtTheEnd),
    ("same_world", "children-announced", AtTheEnd),
    ("same_world", "group-and-session", AtTheEnd),
    ("same_world", "reaper", AtTheEnd),
    ("same_world", "terminal", AtTheEnd),
    ("same_world", "background-of-a-terminal", AtTheEnd),
    ("world", "beginnings fork", AtTheEnd),
    ("ends", "fork", AtTheEnd),
];

const PRIVILEGES: [Case; 2] = [
    ("same_world", "no-new-privileges", AtTheEnd),
    ("same_world", "not-dumpable", AtTheEnd),
];

const PRIVILEGES_OF_ROOT: [Case; 4] = [
    ("same_world", "drops-root", FromTheJournal),
    ("same_world", "drops-root-first", Nothing),
    ("same_world", "other-user-for-a-while", AtTheEnd),
    ("same_world", "capabilities", AtTheEnd),
];

const ISOLATION: [Case; 3] = [
    ("same_world", "users-of-a-child", AtTheEnd),
    ("same_world", "filter-refuses", FromTheJournal),
    ("same_world", "filter-kills", FromTheJournal),
];

const ISOLATION_OF_ROOT: [Case; 5] = [
    ("same_world", "namespaces", AtTheEnd),
    ("same_world", "back-to-a-namespace", AtTheEnd),
    ("same_world", "child-is-first-in-its-namespace", AtTheEnd),
    (
        "same_world",
        "child-is-first-in-its-namespace-first",
        AtTheEnd,
    ),
    ("same_world", "root-changed", AtTheEnd),
];

const SIGNALS: [Case; 7] = [
    ("same_world", "signal-storm", AtTheEnd),
    ("same_world", "waits-for-signals", AtTheEnd),
    ("same_world", "every-disposition", AtTheEnd),
    ("same_world", "interrupted-calls", AtTheEnd),
    ("same_world", "faults-on-an-own-stack", AtTheEnd),
    ("same_world", "stopped-and-continued", AtTheEnd),
    ("same_world", "timers", AtTheEnd),
];

const THREADS: [Case; 9] = [
    ("same_world", "one-thread", AtTheEnd),
    ("same_world", "scheduled", AtTheEnd),
    ("same_world", "scheduled-first", AtTheEnd),
    ("same_world", "cancellation-switched", AtTheEnd),
    ("same_world", "storage-of-threads", AtTheEnd),
    ("world", "main-ends", AtTheEnd),
    ("world", "taken-down", AtTheEnd),
    ("world", "beginnings stack 16", AtTheEnd),
    ("world", "beginnings exit-stack 16", AtTheEnd),
];

const ENDS: [Case; 14] = [
    ("same_world", "handlers-of-exit", AtTheEnd),
    ("same_world", "ends-at-once", FromTheJournal),
    ("same_world", "ends-quickly", FromTheJournal),
    ("same_world", "terminated", FromTheJournal),
    ("same_world", "aborts-in-its-handler", FromTheJournal),
    ("same_world", "becomes-a-shell", FromTheJournal),
    ("same_world", "becomes-itself", AtTheEnd),
    ("ends", "return", AtTheEnd),
    ("ends", "exit-inside", AtTheEnd),
    ("ends", "exit-in-thread", AtTheEnd),
    ("ends", "while-a-thread-works", AtTheEnd),
    ("world", "beginnings exit", AtTheEnd),
    ("faults", "abort", FromTheJournal),
    ("faults", "overflow", FromTheJournal),
];

const PLUGINS: [Case; 2] = [
    ("same_world", "library-loaded-and-unloaded", AtTheEnd),
    ("same_world", "plugin-loaded-and-unloaded", AtTheEnd),
];

const FILES: [Case; 6] = [
    ("same_world", "umask-and-kinds", AtTheEnd),
    ("same_world", "working-directory", AtTheEnd),
    ("same_world", "locks", AtTheEnd),
    ("same_world", "mapped", AtTheEnd),
    ("same_world", "size-limit", Nothing),
    ("same_world", "stderr-is-full-first", Nothing),
];

const ALL: [&[Case]; 11] = [
    &DESCRIPTORS,
    &PROCESSES,
    &PRIVILEGES,
    &PRIVILEGES_OF_ROOT,
    &ISOLATION,
    &ISOLATION_OF_ROOT,
    &SIGNALS,
    &THREADS,
    &ENDS,
    &PLUGINS,
    &FILES,
];

/// The summary, among what memprof says.
const SUMMARY: &str = "summary";

/// How that begins which memprof says to these programs, the summary included. The others get a summary if there is a
/// report, and nothing otherwise.
const SAID: [(&str, &[&str]); 10] = [
    // What has stderr's number is the program's.
    ("standard-ones-closed", &[]),
    ("stderr-is-data", &[]),
    // Nobody could read it.
    ("stderr-is-gone", &[]),
    ("stderr-is-full-first", &[]),
    (
        "filter-refuses",
        &[
            "cannot write ",
            SUMMARY,
            "the process's memory cannot be read any more: ",
        ],
    ),
    ("drops-root", &["cannot write ", SUMMARY]),
    ("drops-root-first", &["cannot write ", SUMMARY]),
    ("size-limit", &["cannot write ", SUMMARY]),
    // There are no threads.
    (
        "child-is-first-in-its-namespace-first",
        &[
            "no samples over time, only readings at lines: ",
            "nothing will be left of the run if the program is killed: ",
            SUMMARY,
        ],
    ),
    // There are two copies of memprof.
    ("plugin-loaded-and-unloaded", &[SUMMARY, SUMMARY]),
];

/// Kind and mode, owner, number of names, and content.
type File = (u32, u32, u64, Vec<u8>);

/// What the outside sees of a program.
#[derive(Debug, PartialEq)]
struct Seen {
    pid: u32,
    code: Option<i32>,
    signal: Option<i32>,
    stdout: String,
    stderr: String,
    /// What memprof has said there.
    said: Vec<String>,
    files: BTreeMap<String, File>,
}

/// What differs by design; docs/your-process.md says why.
fn is_memprofs(line: &str, mode: &str) -> bool {
    // Its threads.
    line == "thread memprof" || line == "thread memprof-files" || is_memprofs_descriptor(line, mode)
}

/// The descriptors that it reads RSS from have high numbers, and are closed by `exec`.
fn is_memprofs_descriptor(line: &str, mode: &str) -> bool {
    let mut words = line.split(' ');
    if words.next() != Some("fd") {
        return false;
    }
    let number: Option<u32> = words.next().and_then(|number| number.parse().ok());
    let target = words.next().unwrap_or_default();
    let closed_by_exec = words.next() == Some("1");
    // Lower where the limit is lower.
    let lowest = if mode == "few-numbers-first" {
        192
    } else {
        768
    };
    // A program that has left procfs behind cannot say what it is.
    let known = [
        "?",
        "/proc/self/statm",
        "/proc/self/status",
        "/proc/self/clear_refs",
    ];
    number.is_some_and(|number| number >= lowest) && closed_by_exec && known.contains(&target)
}

/// What the program has written to stderr, and what memprof has: how each message begins.
fn split(stderr: &str, program: &str) -> (String, Vec<String>) {
    let heading = format!("memprof  {program} · ");
    let (mut programs, mut memprofs) = (String::new(), Vec::new());
    let mut in_summary = false;
    for line in stderr.split_inclusive('\n') {
        let begins = line.starts_with(&heading);
        in_summary = begins || (in_summary && line.starts_with("  "));
        if begins {
            memprofs.push(SUMMARY.to_owned());
        } else if let Some(message) = line.strip_prefix("memprof: ") {
            memprofs.push(message.to_owned());
        } else if !in_summary {
            programs.push_str(line);
        }
    }
    (programs, memprofs)
}

/// The variable by which the processes of a run are found.
const MARK: &str = "SAME_WORLD_FOLDER";

/// How long a program may take on a busy machine, and its last process after it.
const LONGEST: Duration = Duration::from_secs(120);

fn plugin() -> &'static Path {
    static BUILT: OnceLock<[PathBuf; 2]> = OnceLock::new();
    &BUILT.get_or_init(|| plugin::built(Path::new(env!("CARGO_TARGET_TMPDIR"))))[1]
}

/// Runs the program in a folder of its own, with its runs in `runs`, or without recording.
fn see(program: &Path, mode: &str, runs: &Path, records: bool) -> Seen {
    let here = TempDir::new().expect("a folder");
    fs::set_permissions(here.path(), fs::Permissions::from_mode(0o755)).expect("set");
    let name = program.file_name().expect("a name").to_string_lossy();
    let mut command = command(program.to_str().expect("a path"), runs);
    if !records {
        command.env("MEMPROF", "0");
    }
    if mode.starts_with("plugin") {
        command.env("SAME_WORLD_PLUGIN", plugin());
    }
    command
        .args(mode.split(' '))
        .current_dir(here.path())
        .env(MARK, here.path())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let (output, pid) = run(&mut command, here.path(), mode);
    let folder = here.path().display().to_string();
    // The system's number of the process is in a panic's message.
    let number = format!("({pid})");
    let neutral = |text: &str| {
        text.replace(&folder, "<here>")
            .replace(&number, "(<number>)")
    };
    let without_memprofs = |text: String| {
        let lines = text.split_inclusive('\n');
        let kept = lines.filter(|line| !(records && is_memprofs(line.trim_end(), mode)));
        neutral(&kept.collect::<String>())
    };
    let mut files = files(here.path());
    for (_, _, _, content) in files.values_mut() {
        if let Ok(text) = String::from_utf8(content.clone()) {
            *content = without_memprofs(text).into_bytes();
        }
    }
    let stderr = text(output.stderr);
    let (stderr, said) = match records {
        true => split(&stderr, &name),
        false => (stderr, Vec::new()),
    };
    Seen {
        pid,
        code: output.status.code(),
        signal: output.status.signal(),
        stdout: without_memprofs(text(output.stdout)),
        stderr: neutral(&stderr),
        said,
        files,
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// Runs it to its end, and until no process of it is left.
fn run(command: &mut Command, here: &Path, mode: &str) -> (Output, u32) {
    let child = command.spawn().expect("started");
    let pid = child.id();
    let waiting = thread::spawn(move || child.wait_with_output().expect("waited for"));
    let began = Instant::now();
    while !(waiting.is_finished() && processes_of(here).is_empty()) {
        if began.elapsed() > LONGEST {
            end_all(here);
            panic!("{mode}: processes of {pid} are left");
        }
        thread::sleep(Duration::from_millis(5));
    }
    (waiting.join().expect("no panic"), pid)
}

fn end_all(here: &Path) {
    for process in processes_of(here) {
        // SAFETY: takes two numbers.
        unsafe { libc::kill(process, libc::SIGKILL) };
    }
}

/// The numbers of the processes that have the mark of this folder.
fn processes_of(here: &Path) -> Vec<i32> {
    let mark = format!("{MARK}={}", here.display());
    let has_mark = |number: &i32| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|variable| variable == mark.as_bytes())
    };
    let entries = fs::read_dir("/proc").expect("procfs");
    let number =
        |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(number).filter(has_mark).collect()
}

/// What is in `folder` and below.
fn files(folder: &Path) -> BTreeMap<String, File> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let about = path.symlink_metadata().expect("there");
        let content = if about.is_file() {
            fs::read(&path).expect("readable")
        } else if about.is_symlink() {
            fs::read_link(&path)
                .expect("a link")
                .into_os_string()
                .into_encoded_bytes()
        } else {
            Vec::new()
        };
        if about.is_dir() {
            for (below, file) in files(&path) {
                found.insert(format!("{name}/{below}"), file);
            }
        }
        found.insert(name, (about.mode(), about.uid(), about.nlink(), content));
    }
    found
}

/// The same with and without recording, and with recording a run.
fn check(folder: &Path, (program, mode, written): Case) {
    let runs = TempDir::new().expect("a folder");
    let program = folder.join(program);
    let without = see(&program, mode, runs.path(), false);
    let left = fs::read_dir(runs.path()).expect("the folder").count();
    assert_eq!(left, 0, "{mode}: something is written without recording");
    let with = see(&program, mode, runs.path(), true);
    assert_same(mode, &without, &with);
    assert_said(mode, written, &with.said);
    check_run(mode, runs.path(), with.pid, written);
}

/// memprof says what it has to say, and nothing else.
fn assert_said(mode: &str, written: Written, said: &[String]) {
    let special = SAID.iter().find(|(other, _)| *other == mode);
    let usual: &[&str] = match written {
        AtTheEnd => &[SUMMARY],
        FromTheJournal | Nothing => &[],
    };
    let expected = special.map_or(usual, |(_, expected)| *expected);
    let as_expected = said.len() == expected.len()
        && said
            .iter()
            .zip(expected)
            .all(|(said, expected)| said.starts_with(expected));
    assert!(as_expected, "{mode}: {said:#?}, expected {expected:#?}");
}

/// Names what differs.
fn assert_same(mode: &str, without: &Seen, with: &Seen) {
    assert_same_text(mode, "stdout", &without.stdout, &with.stdout);
    assert_same_text(mode, "stderr", &without.stderr, &with.stderr);
    let ends = |seen: &Seen| (seen.code, seen.signal);
    assert_eq!(ends(without), ends(with), "{mode}: exit code and signal");
    let names = |seen: &Seen| seen.files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(without), names(with), "{mode}: names of files");
    for (name, file) in &without.files {
        let other = &with.files[name];
        let about = |file: &File| (file.0, file.1, file.2);
        assert_eq!(
            about(file),
            about(other),
            "{mode}: kind and mode, owner, names of {name}"
        );
        let text = |file: &File| String::from_utf8_lossy(&file.3).into_owned();
        assert_same_text(mode, name, &text(file), &text(other));
        assert!(file.3 == other.3, "{mode}: {name}");
    }
}

fn assert_same_text(mode: &str, what: &str, without: &str, with: &str) {
    let differences = TextDiff::from_lines(without, with);
    let mut differences = differences.unified_diff();
    let differences = differences.header("without", "recording").to_string();
    assert!(differences.is_empty(), "{mode}: {what}\n{differences}");
}

/// The process has left its run.
fn check_run(mode: &str, root: &Path, pid: u32, written: Written) {
    memprof::recover(root).expect("recovered");
    let entries = fs::read_dir(root).expect("the folder");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let runs = folders
        .filter(|path| path.is_dir() && !path.is_symlink())
        .filter_map(|path| memprof::report::read_run(path).ok());
    let outcomes: Vec<_> = runs
        .filter(|run| run.pid == pid)
        .map(|run| run.outcome)
        .collect();
    match written {
        AtTheEnd => assert!(
            outcomes.contains(&RunOutcome::Exited),
            "{mode}: {outcomes:?}"
        ),
        FromTheJournal => assert_eq!(outcomes, [RunOutcome::Recovered], "{mode}"),
        Nothing => assert!(outcomes.is_empty(), "{mode}: {outcomes:?}"),
    }
}

/// The folder of the programs as these tests were built.
fn as_tested() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_same_world"))
        .parent()
        .expect("a folder")
}

/// Tries all of them, and then says which failed.
fn check_all(folder: &Path, cases: &[Case]) {
    let fails = |case: &&Case| std::panic::catch_unwind(|| check(folder, **case)).is_err();
    let failed: Vec<&Case> = cases.iter().filter(fails).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn descriptors() {
    check_all(as_tested(), &DESCRIPTORS);
}

#[test]
fn processes() {
    check_all(as_tested(), &PROCESSES);
}

#[test]
fn privileges() {
    check_all(as_tested(), &PRIVILEGES);
}

#[test]
#[ignore = "only root may give up what root may: .ci/run is root and runs this"]
fn privileges_of_root() {
    check_all(as_tested(), &PRIVILEGES_OF_ROOT);
}

#[test]
fn isolation() {
    check_all(as_tested(), &ISOLATION);
}

#[test]
#[ignore = "only root may make namespaces: .ci/run is root and runs this"]
fn isolation_of_root() {
    check_all(as_tested(), &ISOLATION_OF_ROOT);
}

#[test]
fn signals() {
    check_all(as_tested(), &SIGNALS);
}

#[test]
fn threads() {
    check_all(as_tested(), &THREADS);
}

#[test]
fn ends() {
    check_all(as_tested(), &ENDS);
}

#[test]
fn plugins() {
    check_all(as_tested(), &PLUGINS);
}

#[test]
fn files_and_folders() {
    check_all(as_tested(), &FILES);
}

/// No mode of the program is left out.
#[test]
fn every_mode_is_run() {
    let output = Command::new(env!("CARGO_BIN_EXE_same_world"))
        .output()
        .expect("started");
    let listed = text(output.stdout);
    let mut listed: Vec<&str> = listed.lines().collect();
    let cases = ALL
        .into_iter()
        .flatten()
        .filter(|case| case.0 == "same_world");
    let mut run: Vec<&str> = cases.map(|case| case.1).collect();
    listed.sort_unstable();
    run.sort_unstable();
    assert_eq!(listed, run);
    assert!(run.len() >= 40);
}

#[test]
#[ignore = "builds memprof once more, and some need root: .ci/run is root and runs this"]
fn the_same_as_programs_are_shipped() {
    let programs = ["same_world", "world"];
    let folder = shipped::built(Path::new(env!("CARGO_TARGET_TMPDIR")), &programs);
    // At the same time, for they wait more than they work.
    thread::scope(|scope| {
        for cases in ALL {
            let cases = cases.iter().filter(|case| programs.contains(&case.0));
            let cases: Vec<Case> = cases.copied().collect();
            let folder = &folder;
            scope.spawn(move || check_all(folder, &cases));
        }
    });
}
