//! What happens to files and descriptors does not change what the program does, and what memprof can
//! no longer write, it says in one line at most. Each test names the fault.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use memprof::report::{DatRecords, read_run};
use memprof::run::{Run, RunOutcome};
use memprof_tests::killed::Killed;
use memprof_tests::memory_limit::{Group, limit_address_space, limit_file_size};
use memprof_tests::program::{command, function};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
/// Steps that may be lost of a program that runs out of memory, on a machine with much other work.
const LOST: u64 = 50;

fn faults(root: &Path, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = command(env!("CARGO_BIN_EXE_faults"), root);
    command.args(arguments).env("MEMPROF_QUIET", "1");
    prepare(&mut command);
    command.output().expect("started")
}

/// Checks a fault with memprof's threads, and without them.
fn both(check: impl Fn(fn(&mut Command))) {
    check(|_| {});
    check(|command| {
        command.env("MEMPROF_THREADS", "0");
    });
}

/// The program did what it does, and there is nothing on stderr.
#[track_caller]
fn assert_undisturbed(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n");
    assert_eq!(stderr, "");
}

/// The program did what it does, and one line on stderr says what could not be written.
#[track_caller]
fn assert_one_complaint(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n");
    assert!(stderr.starts_with("memprof: cannot write"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.is_dir() && !path.is_symlink())
        .collect()
}

#[track_caller]
fn only_run(root: &Path) -> Run {
    let folders = folders(root);
    assert_eq!(folders.len(), 1, "{folders:?}");
    read_run(&folders[0]).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_whole(root: &Path, calls: u64) {
    let run = only_run(root);
    assert_eq!(run.outcome, RunOutcome::Exited);
    assert_eq!(function(&run, "work").calls, calls);
}

#[test]
fn all_descriptors_closed_and_used_again() {
    both(|prepare| {
        let (root, own) = (
            TempDir::new().expect("a folder"),
            TempDir::new().expect("a folder"),
        );
        let file = own.path().join("mine");
        let output = faults(
            root.path(),
            &["close", &file.display().to_string()],
            prepare,
        );
        assert_undisturbed(&output);
        assert_whole(root.path(), 2);
        assert_eq!(std::fs::read(&file).expect("written"), b"mine");
    });
}

#[test]
fn working_directory_changed() {
    both(|prepare| {
        let parent = TempDir::new().expect("a folder");
        let output = faults(Path::new("reports"), &["chdir"], |command| {
            prepare(command);
            command.current_dir(parent.path());
        });
        assert_undisturbed(&output);
        assert_whole(&parent.path().join("reports"), 2);
    });
}

#[test]
#[ignore = "only root may change the root: .ci/run is root and runs this"]
fn root_changed() {
    let (root, jail) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let output = faults(
        root.path(),
        &["chroot", &jail.path().display().to_string()],
        |_| {},
    );
    assert_undisturbed(&output);
    assert_whole(root.path(), 2);
    assert_eq!(std::fs::read_dir(jail.path()).expect("there").count(), 0);
}

#[test]
fn folder_removed_while_it_is_written() {
    both(|prepare| {
        let parent = TempDir::new().expect("a folder");
        let root = parent.path().join("runs");
        let output = faults(&root, &["remove", &root.display().to_string()], prepare);
        assert_undisturbed(&output);
        assert_whole(&root, 2);
    });
}

#[test]
fn fork_without_exec() {
    both(|prepare| {
        let root = TempDir::new().expect("a folder");
        assert_undisturbed(&faults(root.path(), &["fork"], prepare));
        assert_whole(root.path(), 2);
    });
}

#[test]
fn daemon_forked_twice() {
    both(|prepare| {
        let root = TempDir::new().expect("a folder");
        let output = faults(root.path(), &["daemon"], prepare);
        assert_eq!(output.status.code(), Some(7));
        // stdout is read until the last process has ended, too.
        assert_eq!(String::from_utf8_lossy(&output.stdout), "daemon\ndone\n");
        assert_eq!(memprof::recover(root.path()).expect("recovered").len(), 1);
        let run = only_run(root.path());
        assert_eq!(
            (run.outcome, function(&run, "work").calls),
            (RunOutcome::Recovered, 1)
        );
    });
}

#[test]
fn exec_of_another_program() {
    both(|prepare| {
        let root = TempDir::new().expect("a folder");
        let output = faults(root.path(), &["exec"], prepare);
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(memprof::recover(root.path()).expect("recovered").len(), 1);
        assert_eq!(function(&only_run(root.path()), "work").calls, 1);
    });
}

#[test]
fn abort_and_stack_overflow() {
    for fault in ["abort", "overflow"] {
        let root = TempDir::new().expect("a folder");
        let output = faults(root.path(), &[fault], |_| {});
        assert_eq!(output.status.code(), None, "{fault}: ended by a signal");
        assert_eq!(memprof::recover(root.path()).expect("recovered").len(), 1);
        assert_eq!(function(&only_run(root.path()), "work").calls, 1, "{fault}");
    }
}

/// SIGXFSZ would end the program.
#[test]
fn limit_on_the_size_of_files() {
    both(|prepare| {
        let root = TempDir::new().expect("a folder");
        let output = faults(root.path(), &["none"], |command| {
            prepare(command);
            limit_file_size(command, 6_000);
        });
        assert_one_complaint(&output);
    });
}

#[test]
#[ignore = "only root may mount a small disk: .ci/run is root and runs this"]
fn full_disk() {
    let disk = TempDir::new().expect("a folder");
    let mount = |arguments: &[&str]| {
        let status = Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(disk.path())
            .status();
        status.is_ok_and(|status| status.success())
    };
    assert!(mount(&["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs"]));
    let output = faults(disk.path(), &["none"], |_| {});
    let left: Vec<PathBuf> = folders(disk.path());
    for folder in left {
        if let Ok(text) = std::fs::read(folder.join("mprofile.dat")) {
            let mut records = DatRecords::new(&text);
            assert!(records.by_ref().all(|record| record.is_ok()));
            assert_eq!(records.torn(), None);
        }
    }
    assert!(mount(&["umount"]));
    assert_one_complaint(&output);
}

/// Hundreds of processes of one program into one folder, which keeps thirty of them.
#[test]
fn hundreds_of_processes_at_once() {
    let root = TempDir::new().expect("a folder");
    let threads: Vec<_> = (0..10)
        .map(|_| {
            let root = root.path().to_owned();
            std::thread::spawn(move || {
                for _ in 0..20 {
                    let output = command(env!("CARGO_BIN_EXE_ends"), &root)
                        .args(["exit"])
                        .env("MEMPROF_QUIET", "1")
                        .output()
                        .expect("started");
                    assert_eq!(output.status.code(), Some(7));
                    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("each undisturbed");
    }
    let folders = folders(root.path());
    assert_eq!(folders.len(), 30);
    for folder in folders {
        let run = read_run(&folder).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(run.outcome, RunOutcome::Exited);
    }
}

/// Two hundred processes of one program at once into one folder, and twenty that are killed meanwhile:
/// all write, recover and prune side by side.
#[test]
fn hundreds_of_processes_at_once_some_of_them_killed() {
    const ENDING: usize = 200;
    const KILLED: usize = 20;
    let root = TempDir::new().expect("a folder");
    let start = |program: &str, argument: &str| {
        let mut command = command(program, root.path());
        command
            .arg(argument)
            .env("MEMPROF_QUIET", "1")
            .env("MEMPROF_KEEP", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().expect("started")
    };
    let mut waiting: Vec<Child> = (0..KILLED)
        .map(|_| start(env!("CARGO_BIN_EXE_busy"), "wait"))
        .collect();
    let journals = || {
        let folders = folders(root.path()).into_iter();
        folders
            .filter(|folder| folder.join("mprofile.dat").is_file())
            .count()
    };
    let began = Instant::now();
    while journals() < KILLED {
        assert!(began.elapsed() < Duration::from_secs(120), "no journals");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut ending = Vec::new();
    for number in 0..ENDING {
        ending.push(start(env!("CARGO_BIN_EXE_ends"), "exit"));
        if number % (ENDING / KILLED) == 0
            && let Some(mut child) = waiting.pop()
        {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }
    for child in ending {
        let output = child.wait_with_output().expect("ended");
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
    // Those that nobody recovered in passing.
    memprof::recover(root.path()).expect("recovered");
    let runs: Vec<Run> = folders(root.path())
        .iter()
        .map(|folder| read_run(folder).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let count = |outcome| runs.iter().filter(|run| run.outcome == outcome).count();
    assert_eq!(count(RunOutcome::Exited), ENDING);
    assert_eq!(count(RunOutcome::Recovered), KILLED);
    let index = std::fs::read_to_string(root.path().join("index.html")).expect("written");
    for folder in folders(root.path()) {
        let name = folder.file_name().expect("a name").to_string_lossy();
        assert!(index.contains(&*name), "{name} is in the index");
    }
}

/// SIGSTOP: a process that was stopped while it held the folder's lock holds nobody up for ever.
#[test]
fn a_process_stopped_with_the_lock_of_the_folder() {
    let root = TempDir::new().expect("a folder");
    let lock = File::create(root.path().join(".lock")).expect("created");
    lock.lock().expect("ours, and not given back");
    assert_undisturbed(&faults(root.path(), &["none"], |_| {}));
    assert_whole(root.path(), 2);
}

/// RLIMIT_AS: an allocation fails, and the program aborts.
#[test]
fn address_space_used_up() {
    check_out_of_memory(|command| limit_address_space(command, 600 * MIB));
}

/// The kernel's out-of-memory killer ends it.
#[test]
#[ignore = "only root may make a control group: .ci/run is root and runs this"]
fn control_group_out_of_memory() {
    let group = Group::with_limit(160 * MIB).expect("root may make a control group");
    check_out_of_memory(|command| group.confine(command));
}

/// A limit in sight, and a program that does nothing more: the moment is in its journal all the same, and
/// the entries are in no line's figures.
#[test]
#[ignore = "only root may make a control group: .ci/run is root and runs this"]
fn control_group_nearly_used_up_by_a_program_that_waits() {
    let near = 145_usize;
    let group = Group::with_limit(160 * MIB).expect("root may make a control group");
    let root = TempDir::new().expect("a folder");
    let mut command = command(env!("CARGO_BIN_EXE_busy"), root.path());
    command
        .args(["wait", &near.to_string()])
        .stdout(Stdio::null());
    group.confine(&mut command);
    let mut child = command.spawn().expect("started");
    let began = Instant::now();
    let journal = || {
        let folder = folders(root.path()).into_iter().next()?;
        memprof::live(folder).expect("readable")
    };
    let source = include_str!("../src/bin/busy.rs");
    let sleeps = source
        .lines()
        .position(|line| line.contains("from_secs(600)"))
        .expect("there");
    let sleeps_with_low_memory =
        |run: Run| run.low_memory_ns.is_some() && run.stopped[0].line == Some(sleeps as u32 + 1);
    while !journal().is_some_and(sleeps_with_low_memory) {
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("never low");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!folders(root.path())[0].join("run.json").exists());
    assert_eq!(memprof::recover(root.path()).expect("recovered").len(), 1);
    let run = only_run(root.path());
    assert_says_when_memory_was_short(root.path(), &run);
    let lines = &function(&run, "wait").lines;
    let net = |source: &str| {
        let line = lines.iter().find(|line| line.source.contains(source));
        line.expect("a line").net_rss
    };
    let (mapped, slept) = (net("Mapping::new"), net("from_secs(600)"));
    let (mib, expected) = (MIB as i64, near as i64 * MIB as i64);
    assert!(
        (expected - mib..expected + mib).contains(&mapped),
        "{mapped}"
    );
    assert!((-mib..mib).contains(&slept), "{slept}");
}

/// A program under a limit holds no more of memprof's than another one.
#[test]
#[ignore = "only root may make a control group: .ci/run is root and runs this"]
fn nothing_is_set_aside_for_reports() {
    let held = |limit: Option<u64>| {
        let group = limit.map(|limit| Group::with_limit(limit).expect("root may make one"));
        let mut working = Command::new(env!("CARGO_BIN_EXE_busy"));
        let root = TempDir::new().expect("a folder");
        working
            .arg("wait")
            .env("MEMPROF_DIR", root.path())
            .stdout(Stdio::null());
        if let Some(group) = &group {
            group.confine(&mut working);
        }
        let mut child = working.spawn().expect("started");
        let began = Instant::now();
        let bytes = loop {
            let folder = folders(root.path()).into_iter().next();
            let run = folder.and_then(|folder| memprof::live(folder).expect("readable"));
            if let Some(run) = run {
                break run.overhead.profiler_bytes;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no journal");
            std::thread::sleep(Duration::from_millis(20));
        };
        child.kill().expect("killed");
        child.wait().expect("ended");
        bytes
    };
    let (without, with) = (held(None), held(Some(1 << 30)));
    assert!(without < 3 * MIB && with < 3 * MIB, "{without} and {with}");
}

/// A program that comes close to a limit and gets by has its ordinary reports, with the moment.
#[test]
#[ignore = "only root may make a control group: .ci/run is root and runs this"]
fn control_group_nearly_used_up_by_a_program_that_ends() {
    let group = Group::with_limit(160 * MIB).expect("root may make a control group");
    let ended = Killed::by_itself(env!("CARGO_BIN_EXE_busy"), &["grow", "145"], |command| {
        group.confine(command);
    });
    assert!(ended.status.success(), "{}", ended.status);
    let run = only_run(ended.root());
    assert_eq!(run.outcome, RunOutcome::Exited);
    assert_says_when_memory_was_short(ended.root(), &run);
    let text = memprof::report::summary(&run, None, 100);
    assert!(text.contains(" run out for the first time at "), "{text}");
}

/// RLIMIT_AS: a program that can do without what it is refused is not ended by what memprof asks for.
#[test]
fn address_space_used_up_by_a_program_that_goes_on() {
    let root = TempDir::new().expect("a folder");
    let mut command = command(env!("CARGO_BIN_EXE_busy"), root.path());
    command.arg("brim").env("MEMPROF_QUIET", "1");
    limit_address_space(&mut command, 400 * MIB);
    let output = command.output().expect("started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("refused"));
    // Written at the end, if there was room for it, or made from the journal.
    memprof::recover(root.path()).expect("recovered");
    let run = only_run(root.path());
    assert!(function(&run, "touch").calls > 10, "{:?}", run.outcome);
    assert_says_when_memory_was_short(root.path(), &run);
}

/// The run has the moment at which memory was about to run out, and its page says so.
#[track_caller]
fn assert_says_when_memory_was_short(root: &Path, run: &Run) {
    let low_ns = run.low_memory_ns.expect("memory was short");
    assert!(low_ns <= run.duration_ns, "{low_ns}");
    let page = folders(root)[0].join("index.html");
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains("Memory was about to run out for the first time"));
}

/// A program that grows until something ends it: what it had is told, with the moment from which memory was
/// short, and since then little is lost.
fn check_out_of_memory(limit: impl FnOnce(&mut Command)) {
    let killed = Killed::by_itself(env!("CARGO_BIN_EXE_busy"), &["grow", "4000"], limit);
    assert_eq!(killed.status.code(), None, "ended by a signal");
    let journal = killed.journal().expect("it ran long enough");
    let folder = journal.parent().expect("a folder");
    assert!(!folder.join("run.json").exists(), "not before it is dead");
    assert_eq!(memprof::recover(killed.root()).expect("recovered").len(), 1);
    let run = only_run(killed.root());
    assert_eq!(run.outcome, RunOutcome::Recovered);
    assert_says_when_memory_was_short(killed.root(), &run);
    let grow = function(&run, "grow");
    let kept = grow
        .lines
        .iter()
        .map(|line| line.net_rss)
        .max()
        .expect("lines");
    let said = killed.steps.last().expect("it said so").0;
    // Steps of a mebibyte each, a hundred in a second.
    assert!(kept as u64 / MIB + LOST > said, "{kept} of {said} MiB");
    let stopped = &run.stopped[0];
    assert_eq!(run.functions[stopped.function].label, "grow");
    assert!(stopped.line.is_some(), "{stopped:?}");
    assert!(stopped.net_rss as u64 / MIB + LOST > said, "{stopped:?}");
}
