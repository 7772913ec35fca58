//! `exec` and `attach` on real processes.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memprof_model::run::{Measure, Run, RunOutcome, Watched};
use memprof_report::read_run;
use support::{Bench, example, stderr, stdout};

const MIB: u64 = 1 << 20;

/// `cargo memprof exec <options> -- process <arguments>`.
fn exec(bench: &Bench, options: &[&str], arguments: &[&str]) -> Command {
    let mut command = bench.command(&["exec"]);
    command
        .args(options)
        .arg("--")
        .arg(example("process"))
        .args(arguments);
    command
}

/// The one run there is.
fn recorded(bench: &Bench) -> Run {
    let runs = bench.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    for file in ["index.html", "mprofile.dat"] {
        assert!(runs[0].join(file).is_file(), "{file}");
    }
    read_run(&runs[0]).expect("a run")
}

fn watched(run: &Run) -> &Watched {
    run.watched.as_ref().expect("it was watched")
}

fn signal(child: &Child, signal: i32) {
    let pid = i32::try_from(child.id()).expect("a number");
    // SAFETY: kill only reads its arguments; the child has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// Starts a command and waits for its first line, which says that it is ready.
fn start(command: &mut Command) -> Child {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "ready\n");
    child
}

#[test]
fn a_run_like_any_other_and_the_exit_code_of_the_program() {
    let bench = Bench::new();
    let output = exec(&bench, &[], &["hold=40,300", "7"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("exit code 7"),
        "{}",
        stderr(&output)
    );
    let run = recorded(&bench);
    assert_eq!((run.program.as_str(), run.functions.len()), ("process", 0));
    assert!(
        (40 * MIB..60 * MIB).contains(&run.process.peak_rss),
        "{}",
        run.process.peak_rss
    );
    assert!(
        run.duration_ns > 300_000_000 && run.sampler.ticks_due >= 30,
        "{:?}",
        run.sampler
    );
    assert!(run.series.len() as u64 == run.sampler.ticks_taken && run.series.len() > 3);
    assert_eq!(watched(&run).ended, "exit code 7");
    assert_eq!(run.outcome, RunOutcome::Exited);
    let peak = bench.prints(&["peak"]);
    assert!(
        peak.contains(&format!(
            "{:.3} MiB",
            run.process.peak_rss as f64 / MIB as f64
        )),
        "{peak}"
    );
    assert!(bench.prints(&["show"]).contains("every 10 ms"));
}

#[test]
fn what_the_program_prints_and_reads_is_its_own() {
    let bench = Bench::new();
    let mut child = bench
        .command(&["exec", "--quiet", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    use std::io::Write as _;
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"through")
        .expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (stdout(&output).as_str(), stderr(&output).as_str()),
        ("through", "")
    );
}

#[test]
fn a_short_peak_is_the_kernels() {
    let bench = Bench::new();
    // 60 MiB for 80 ms, between two readings that are 500 ms apart; the mark is looked at later.
    let arguments = ["hold=60,80", "hold=1,1200"];
    let output = exec(&bench, &["-T", "0.5"], &arguments)
        .output()
        .expect("it starts");
    assert!(output.status.success());
    let run = recorded(&bench);
    assert!(run.process.peak_rss > 60 * MIB, "{}", run.process.peak_rss);
}

#[test]
fn a_program_that_dies_of_a_signal_takes_us_with_it() {
    for number in [libc::SIGKILL, libc::SIGABRT, libc::SIGTERM, libc::SIGINT] {
        let bench = Bench::new();
        let arguments = ["hold=5,50".to_owned(), format!("kill={number}")];
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = exec(&bench, &[], &arguments).output().expect("it starts");
        assert_eq!(output.status.signal(), Some(number), "{}", stderr(&output));
        assert_eq!(watched(&recorded(&bench)).ended, format!("signal {number}"));
    }
}

#[test]
fn a_signal_to_us_reaches_the_program_once_and_ends_neither() {
    for number in [libc::SIGINT, libc::SIGTERM] {
        let bench = Bench::new();
        let child = start(&mut exec(&bench, &[], &["interrupts=800"]));
        signal(&child, number);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1), "one signal");
        assert_eq!(watched(&recorded(&bench)).ended, "exit code 1");
    }
}

#[test]
fn children_are_summed_or_have_curves_of_their_own_or_do_not_count() {
    let arguments = ["children=3,20,700"];
    let peak = |options: &[&str]| {
        let bench = Bench::new();
        let output = exec(&bench, options, &arguments)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let run = recorded(&bench);
        (run.process.peak_rss, watched(&run).clone(), bench)
    };
    let (alone, ..) = peak(&[]);
    assert!(alone < 20 * MIB, "{alone}");
    let (summed, watched, _) = peak(&["-C"]);
    assert!((60 * MIB..100 * MIB).contains(&summed), "{summed}");
    assert!(watched.summed && watched.children.is_empty());
    let (alone, watched, bench) = peak(&["--multiprocess"]);
    assert!(alone < 20 * MIB, "{alone}");
    assert_eq!(watched.children.len(), 3);
    for child in &watched.children {
        assert_eq!(child.program, "process");
        assert!(
            (20 * MIB..40 * MIB).contains(&child.peak_rss),
            "{}",
            child.peak_rss
        );
    }
    let dat = std::fs::read_to_string(bench.runs()[0].join("mprofile.dat")).expect("read");
    assert!(
        ["CHLD 0 ", "CHLD 1 ", "CHLD 2 "]
            .iter()
            .all(|child| dat.contains(child))
    );
    assert_eq!(bench.prints(&["peak"]).lines().count(), 4);
    let (both, watched, _) = peak(&["-C", "-M"]);
    assert!(both > 60 * MIB && watched.children.len() == 3);
}

/// It runs in its parent's memory, which a sum must not have twice.
#[test]
fn a_child_between_vfork_and_exec_counts_once() {
    for backend in ["rss", "pss", "uss"] {
        let bench = Bench::new();
        let options = ["-C", "-M", "--backend", backend];
        let output = exec(&bench, &options, &["vfork=100,400", "0"])
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let run = recorded(&bench);
        let peak = run.process.peak_rss;
        assert!((100 * MIB..130 * MIB).contains(&peak), "{backend}: {peak}");
        assert!(watched(&run).children.is_empty(), "{backend}");
    }
}

#[test]
fn the_main_thread_may_end_before_the_others() {
    for backend in ["rss", "pss", "uss"] {
        let bench = Bench::new();
        let output = exec(
            &bench,
            &["-C", "--backend", backend],
            &["main-ends=50,1000"],
        )
        .output()
        .expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let run = recorded(&bench);
        let peak = run.process.peak_rss;
        assert!((50 * MIB..80 * MIB).contains(&peak), "{backend}: {peak}");
        assert!(run.duration_ns > 300_000_000, "{backend}");
        let last = run.series.last().expect("samples");
        assert!(last.rss > 40 * MIB && last.t_ns > 300_000_000, "{last:?}");
    }
}

#[test]
fn what_has_no_memory_is_told_and_not_watched() {
    let bench = Bench::new();
    let mut zombie = Command::new("true").spawn().expect("it starts");
    let stat = format!("/proc/{}/stat", zombie.id());
    while !std::fs::read_to_string(&stat)
        .expect("it is listed")
        .contains(") Z ")
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = bench.memprof(&["attach", &zombie.id().to_string()]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("a zombie"), "{}", stderr(&output));
    zombie.wait().expect("it has ended");
    // The first thread of the kernel; a container has a process of its own there, or none.
    if std::fs::read_to_string("/proc/2/comm").is_ok_and(|name| name == "kthreadd\n") {
        let output = bench.memprof(&["attach", "2"]);
        assert!(
            stderr(&output).contains("thread of the kernel"),
            "{}",
            stderr(&output)
        );
    } else {
        println!("left out: no thread of the kernel is to be seen here");
    }
    assert!(bench.runs().is_empty());
}

#[test]
fn a_child_that_outlives_its_parent_still_counts() {
    let bench = Bench::new();
    let script = format!(
        "({p} orphan=30,1500; {p} hold=1,900)",
        p = example("process").display()
    );
    let output = bench.memprof(&["exec", "-C", "--", "sh", "-c", &script]);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = recorded(&bench);
    let last = run.series.iter().rev().nth(20).expect("many samples");
    assert!(last.rss > 30 * MIB, "{last:?}");
}

#[test]
fn a_process_that_becomes_another_program_is_followed() {
    for backend in ["rss", "pss", "uss"] {
        let bench = Bench::new();
        let options = ["--backend", backend, "--interval", "5ms"];
        let output = exec(&bench, &options, &["become=40,300"])
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let run = recorded(&bench);
        assert!(
            (40 * MIB..60 * MIB).contains(&run.process.peak_rss),
            "{}",
            run.process.peak_rss
        );
        let expected = [
            ("rss", Measure::Rss),
            ("pss", Measure::Pss),
            ("uss", Measure::Uss),
        ];
        assert!(expected.contains(&(backend, watched(&run).measure)));
        assert_eq!(watched(&run).interval_ns, 5_000_000);
    }
}

#[test]
fn after_the_timeout_the_program_runs_on_unwatched() {
    let bench = Bench::new();
    let output = exec(&bench, &["--timeout", "0.2"], &["hold=5,800", "3"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(3));
    let run = recorded(&bench);
    assert!(run.duration_ns < 700_000_000, "{}", run.duration_ns);
    assert_eq!(
        (watched(&run).ended.as_str(), run.outcome),
        ("still running", RunOutcome::Running)
    );
}

#[test]
fn what_cannot_be_started_is_told_as_a_shell_does() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("text"), "no program").expect("written");
    for (program, code) in [
        ("./nothing", 127),
        ("nothing-of-that-name", 127),
        ("./text", 126),
    ] {
        let output = bench.memprof(&["exec", "--", program]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains(program) && stderr(&output).lines().count() == 1);
    }
    assert!(bench.runs().is_empty());
}

#[test]
fn an_exit_code_survives_a_folder_that_cannot_be_written() {
    let bench = Bench::new();
    std::fs::write(bench.root(), "a file").expect("written");
    let output = exec(&bench, &[], &["hold=1,20", "9"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(9));
    assert!(
        stderr(&output).contains("cannot write"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn attach_by_number_until_the_process_ends() {
    let bench = Bench::new();
    let mut child = Command::new(example("process"))
        .arg("hold=30,600")
        .spawn()
        .expect("it starts");
    // Somebody has to reap it: until then it is there, without memory.
    let output = bench.memprof(&["attach", &child.id().to_string()]);
    child.wait().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    let run = recorded(&bench);
    assert_eq!((run.pid, run.outcome), (child.id(), RunOutcome::Exited));
    assert!(run.process.peak_rss > 30 * MIB);
    assert!(run.command[1] == "hold=30,600");
}

#[test]
fn attach_by_name_until_it_is_interrupted_and_the_process_lives() {
    let bench = Bench::new();
    // A name of its own: other tests run the same program.
    let program = bench.path().join("memprof-attached");
    std::fs::copy(example("process"), &program).expect("copied");
    let mut target = Command::new(&program)
        .arg("hold=10,20000")
        .spawn()
        .expect("it starts");
    let attached = bench
        .command(&["attach", "memprof-attach", "-T", "1ms"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&attached, libc::SIGINT);
    let output = attached.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(target.try_wait().expect("asked"), None, "it lives");
    let run = recorded(&bench);
    assert_eq!(
        (run.outcome, watched(&run).ended.as_str()),
        (RunOutcome::Running, "still running")
    );
    let mut second = Command::new(&program)
        .arg("hold=1,20000")
        .spawn()
        .expect("it starts");
    let said = bench.complains(&["attach", "memprof-attach"]);
    assert!(
        said.contains(&target.id().to_string()) && said.contains("by its number"),
        "{said}"
    );
    for child in [&mut target, &mut second] {
        child.kill().expect("killed");
        child.wait().expect("reaped");
    }
    assert!(
        bench
            .complains(&["attach", "memprof-attach"])
            .contains("there is none")
    );
}
