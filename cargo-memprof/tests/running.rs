//! `run`, `test` and `bench`: cargo builds and runs a real annotated program.
#![cfg(unix)]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use memprof_report::read_run;
use support::{Bench, example, stderr, stdout};

/// `cargo memprof run --manifest-path … <cargo's arguments>`, for examples that are built already.
fn cargo(bench: &Bench, arguments: &[&str]) -> Command {
    example("words");
    let mut command = bench.command(&["run"]);
    command.env("CARGO_TARGET_DIR", target());
    command.args(with_the_package(arguments));
    command
}

/// Where the tests were built, so that nothing is built twice.
fn target() -> &'static Path {
    let ours = Path::new(env!("CARGO_BIN_EXE_cargo-memprof"));
    ours.ancestors().nth(2).expect("the target directory")
}

/// `arguments` of cargo that are about this package.
fn with_the_package<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut all = vec!["--quiet", "--manifest-path", manifest];
    all.extend(arguments);
    all
}

fn words(bench: &Bench, arguments: &[&str]) -> Output {
    let mut all = vec!["--example", "words", "--"];
    all.extend(arguments);
    cargo(bench, &all).output().expect("it starts")
}

#[test]
fn runs_prints_the_summary_last_and_keeps_the_run() {
    let bench = Bench::new();
    let output = words(&bench, &["1000"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "6000 words\n");
    let said = stderr(&output);
    assert_eq!(said.matches("memprof  words").count(), 1, "{said}");
    assert!(
        said.contains("lengths") && said.contains("index.html"),
        "{said}"
    );
    assert_eq!(bench.runs().len(), 1);
    assert_eq!(
        read_run(&bench.runs()[0]).expect("a run").functions.len(),
        2
    );
}

#[test]
fn the_exit_code_is_the_programs() {
    let bench = Bench::new();
    let output = words(&bench, &["1000", "exit=5"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(bench.runs().len(), 1);
}

#[test]
fn a_signal_to_us_ends_the_program_and_us() {
    let bench = Bench::new();
    let mut command = cargo(&bench, &["--example", "words", "--", "1000", "wait=60"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let printed = child.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(printed), &mut line).expect("a line");
    assert_eq!(line, "6000 words\n");
    let pid = i32::try_from(child.id()).expect("a number");
    // SAFETY: kill only reads its arguments; the child has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(libc::SIGTERM));
}

#[test]
fn what_does_not_compile_or_records_nothing_is_told() {
    let bench = Bench::new();
    let output = cargo(&bench, &["--example", "nothing"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(101));
    // Cargo has said what is wrong.
    let said = stderr(&output);
    assert!(
        said.contains("nothing") && !said.contains("memprof  "),
        "{said}"
    );
    let output = cargo(&bench, &["--example", "process", "--", "0"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).contains("nothing was recorded"),
        "{}",
        stderr(&output)
    );
    let output = cargo(&bench, &["--example", "process", "--no-summary", "--", "4"])
        .output()
        .expect("it starts");
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(4), "")
    );
}

#[test]
fn tests_and_benchmarks_show_what_they_recorded() {
    for (command, arguments, function) in [
        ("test", &["--example", "words"][..], "lengths"),
        // What it is about is the program that cargo starts, not how fast that is.
        ("bench", &["--bench", "sort", "--profile", "dev"], "sort"),
    ] {
        let bench = Bench::new();
        let mut call = bench.command(&[command]);
        call.args(with_the_package(arguments))
            .env("CARGO_TARGET_DIR", target());
        let output = call.output().expect("it starts");
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("index.html"), "{said}");
        assert_eq!(bench.runs().len(), 1, "{said}");
        let run = read_run(&bench.runs()[0]).expect("a run");
        let functions: Vec<_> = run.functions.iter().map(|f| f.label.as_str()).collect();
        assert_eq!(functions, [function]);
    }
}

#[test]
fn diff_names_what_grew_and_fails_where_it_is_to() {
    let bench = Bench::new();
    for lines in ["20000", "400000"] {
        assert!(bench.words(&[lines]).status.success());
    }
    let text = bench.prints(&["diff", "-2", "-1"]);
    assert!(
        text.contains("grew most") && text.contains("let words: Vec<String>"),
        "{text}"
    );
    assert!(
        bench
            .prints(&["diff", "0", "1", "--format", "markdown"])
            .contains("|")
    );
    bench.prints(&["diff", "0", "1", "-o", "diff.html"]);
    let page = std::fs::read_to_string(bench.path().join("diff.html")).expect("written");
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"));
    let json: serde_json::Value =
        serde_json::from_str(&bench.prints(&["diff", "0", "1", "--json"])).expect("JSON");
    assert!(json["peak_rss"]["change"].as_i64() > Some(0));

    let judged = bench.memprof(&["diff", "0", "1", "--fail-above", "5%"]);
    assert_eq!(judged.status.code(), Some(1));
    assert!(
        stderr(&judged).contains("the peak of lengths grew by more than 5%"),
        "{}",
        stderr(&judged)
    );
    for (before, after) in [("0", "0"), ("1", "0")] {
        bench.prints(&["diff", before, after, "--fail-above", "5%"]);
    }
    // Of several runs of a side, in all ways to name them.
    for lines in ["20000", "20000", "400000"] {
        assert!(bench.words(&[lines]).status.success());
    }
    for (before, after) in [
        ("0,2", "3"),
        ("0", "2..3"),
        ("-3..-2", "0"),
        ("-2,-3", "0,0"),
    ] {
        let alike = bench.prints(&["diff", before, after, "--fail-above", "0%"]);
        assert!(alike.contains("no change beyond noise"), "{alike}");
    }
    let judged = bench.memprof(&["diff", "-3..-2", "1,-1", "--fail-above", "5%"]);
    assert_eq!(judged.status.code(), Some(1));
    assert!(
        stdout(&judged).contains("2 runs, one of"),
        "{}",
        stdout(&judged)
    );
    let missing = bench.complains(&["diff", "0..9", "1"]);
    assert!(missing.contains("there are runs 0 to 4"), "{missing}");
    // Time is nobody's fault, unless asked for.
    let slower = bench.memprof(&["diff", "0", "1", "--fail-slower", "5%"]);
    assert!(
        stderr(&slower).contains("the time of lengths grew by more than 5%"),
        "{}",
        stderr(&slower)
    );
    bench.prints(&["diff", "0", "2", "--fail-slower", "5%"]);
    assert!(
        bench
            .complains(&["diff", "0", "1", "--fail-above", "much"])
            .contains("percents")
    );
}

#[test]
fn a_program_that_aborts_is_recovered_and_its_signal_passed_on() {
    let bench = Bench::new();
    let output = words(&bench, &["400000", "abort"]);
    assert_eq!(
        output.status.signal(),
        Some(libc::SIGABRT),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("lengths"), "{}", stderr(&output));
}

#[test]
fn recover_writes_the_reports_of_a_program_that_was_killed() {
    let bench = Bench::new();
    let mut program = Command::new(example("words"));
    program
        .env("MEMPROF_DIR", bench.root())
        .args(["1000", "wait=60"]);
    let mut child = program
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let began = std::time::Instant::now();
    let seen = || {
        bench
            .runs()
            .first()
            .and_then(|run| memprof_report::live(run).ok()?)
    };
    while seen().is_none_or(|run| run.stopped.is_empty()) {
        assert!(
            began.elapsed().as_secs() < 60,
            "the journal of a program that runs"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let live = seen().expect("it runs");
    let folder = bench.runs().remove(0);
    for words in [
        &["show"][..],
        &["show", "words"],
        &["show", folder.to_str().expect("UTF-8")],
    ] {
        let shown = bench.prints(words);
        assert!(
            shown.contains("The program was at work: "),
            "{words:?}: {shown}"
        );
    }
    assert!(
        bench
            .prints(&["show", "words", "wait"])
            .contains("kept.push")
    );
    assert_eq!(live.functions[live.stopped[0].function].label, "wait");
    assert!(
        bench.memprof(&["recover"]).stdout.is_empty(),
        "it is at work"
    );
    child.kill().expect("killed");
    child.wait().expect("reaped");
    let recovered = bench.prints(&["recover"]);
    assert_eq!(
        std::path::Path::new(recovered.trim_end()),
        bench.runs()[0].canonicalize().expect("there")
    );
    assert!(bench.prints(&["show", "wait"]).contains("kept.push"));
    assert!(
        bench
            .complains(&["recover", "nowhere"])
            .contains("no such folder")
    );
}
