//! Files of mprof's: `list`, `peak`, `plot` and `export` on them. What the real mprof says of files that it
//! wrote itself is asked where `MEMPROF_TEST_MPROF` names it: `.ci/run` installs it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Bench, stdout};

/// As Python's memory_profiler 0.61 writes it: a process, two functions, a child.
const FILE: &str = "CMDLINE python a.py\nMEM 1.500000 1700000000.0000\nMEM 40.250000 1700000000.5000\n\
    FUNC a.work 2.0000 1700000000.2500 41.5000 1700000000.7500 0\nCHLD 0 9.500000 1700000000.5000\n\
    MEM 30.125000 1700000001.0000\n";

fn with_file() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path().join("mprofile_20231114221320.dat"), FILE).expect("written");
    bench
}

#[test]
fn peak_and_list_of_a_file() {
    let bench = with_file();
    let name = "mprofile_20231114221320.dat";
    for words in [&["peak"][..], &["peak", "0"], &["peak", name]] {
        assert_eq!(
            bench.prints(words),
            format!("{name}\t40.250 MiB\n{name}\tchild 0\t9.500 MiB\n")
        );
    }
    assert_eq!(
        bench.prints(&["peak", "--func", "a.work"]),
        format!("{name}\ta.work\t40.250 MiB\n")
    );
    assert!(bench.prints(&["list"]).contains("2023-11-14 22:13:20"));
    bench.prints(&["export", "--format", "csv,trace"]);
    assert!(
        bench.path().join("samples.csv").is_file() && bench.path().join("trace.json").is_file()
    );
    assert!(
        bench
            .complains(&["export", "--format", "xls"])
            .contains("xls")
    );
}

#[test]
fn plot_draws_alone_together_and_as_what_the_ending_says() {
    let bench = with_file();
    assert!(bench.words(&["20000"]).status.success());
    let read = |name: &str| fs::read(bench.path().join(name)).expect("written");
    assert_eq!(
        bench.prints(&["plot", "0", "--slope", "-o", "a.svg"]),
        "slope 38.70000 MiB/s\n"
    );
    let chart = String::from_utf8(read("a.svg")).expect("text");
    for text in [
        "<svg",
        "work",
        "child 0",
        "peak 41.50 MiB",
        "slope 38.70000 MiB/s",
    ] {
        assert!(chart.contains(text), "{text}");
    }
    bench.prints(&[
        "plot",
        "0",
        "-1",
        "--title",
        "both <of> them",
        "-o",
        "b.html",
    ]);
    let page = String::from_utf8(read("b.html")).expect("text");
    assert!(
        page.contains("both &lt;of&gt; them") || page.contains("both &#60;of&#62; them"),
        "{page}"
    );
    bench.prints(&["plot", "-n", "--window", "0,0.01", "-o", "c.png"]);
    assert!(read("c.png").starts_with(b"\x89PNG"));
    assert!(
        bench
            .complains(&["plot", "-o", "d.bmp"])
            .contains(".svg, .png or .html")
    );
    fs::write(bench.path().join("empty.dat"), "CMDLINE a\n").expect("written");
    assert!(
        bench
            .complains(&["plot", "empty.dat", "-o", "e.svg"])
            .contains("no memory")
    );
    assert!(
        bench
            .complains(&["peak", "empty.dat"])
            .contains("no memory")
    );
}

fn mprof() -> PathBuf {
    let program = std::env::var_os("MEMPROF_TEST_MPROF");
    program
        .expect("MEMPROF_TEST_MPROF names Python's mprof: .ci/run installs it")
        .into()
}

/// What a program prints in `folder`.
fn said(program: &Path, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        support::stderr(&output)
    );
    stdout(&output)
}

const SCRIPT: &str = "\
import subprocess, sys, time
@profile
def work():
    kept = bytearray(30 << 20)
    time.sleep(0.3)
    return kept
@profile
def rest(kept):
    time.sleep(0.2)
subprocess.Popen([sys.executable, '-c', 'import time; a = bytearray(20 << 20); time.sleep(0.4)'])
rest(work())
rest(None)
";

#[test]
#[ignore = "needs Python's mprof: .ci/run installs it and runs this"]
fn the_numbers_are_those_of_mprof() {
    let bench = Bench::new();
    fs::write(bench.path().join("a.py"), SCRIPT).expect("written");
    let plain = SCRIPT.replace("@profile\n", "");
    fs::write(bench.path().join("plain.py"), plain).expect("written");
    let python = mprof().parent().expect("a folder").join("python");
    let python = python.to_str().expect("UTF-8");
    for (n, run) in [
        &["a.py"][..],
        &["--nopython", python, "plain.py"],
        &["--include-children", "--nopython", python, "plain.py"],
        &["--multiprocess", "--nopython", python, "plain.py"],
        &[
            "--include-children",
            "--multiprocess",
            "--nopython",
            python,
            "plain.py",
        ],
    ]
    .iter()
    .enumerate()
    {
        let file = format!("mprofile_2026030114050{n}.dat");
        let mut arguments = vec!["run", "--interval", "0.02", "--output", file.as_str()];
        arguments.extend(run.iter());
        said(&mprof(), &arguments, bench.path());
    }
    for n in 0..5 {
        let theirs = said(&mprof(), &["peak", &n.to_string()], bench.path());
        assert_eq!(
            figures(&bench.prints(&["peak", &n.to_string()])),
            figures(&theirs),
            "file {n}"
        );
    }
    for function in ["__main__.work", "__main__.rest"] {
        let theirs = said(&mprof(), &["peak", "--func", function, "0"], bench.path());
        assert_eq!(
            figures(&bench.prints(&["peak", "--func", function, "0"])),
            figures(&theirs),
            "{function}"
        );
    }
    assert_same_list(&bench);
    for n in 0..5 {
        let file = format!("mprofile_2026030114050{n}.dat");
        let ours = bench.prints(&["plot", &file, "--slope", "-o", "a.svg"]);
        assert_eq!(
            ours.split(' ').nth(1).expect("a number"),
            slope(Path::new(python), &bench, &file),
            "{file}"
        );
    }
}

/// The numbers before `MiB`.
fn figures(text: &str) -> Vec<String> {
    let words: Vec<_> = text.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| pair[1] == "MiB");
    pairs.map(|pair| pair[0].to_owned()).collect()
}

/// Number, file and time of day.
fn assert_same_list(bench: &Bench) {
    let theirs = said(&mprof(), &["list"], bench.path());
    let ours = bench.prints(&["list"]);
    assert_eq!(theirs.lines().count(), 5);
    for (theirs, ours) in theirs.lines().zip(ours.lines().skip(1)) {
        let theirs: Vec<_> = theirs.split(' ').collect();
        let ours: Vec<_> = ours.split_whitespace().collect();
        assert_eq!(ours.first(), theirs.first());
        assert_eq!(ours.last(), theirs.get(1));
        assert_eq!(ours.get(2), theirs.get(2), "the time");
    }
}

/// What mprof's plot writes beside the curve: the same call on the same numbers.
fn slope(python: &Path, bench: &Bench, file: &str) -> String {
    let script = format!(
        "import numpy, mprof\nf = mprof.read_mprofile_file({file:?})\nt, m = f['timestamp'], f['mem_usage']\n\
         for c in f['func_timestamp'].values():\n    for v in c:\n        t.extend(v[:2]); m.extend(v[2:4])\n\
         t, m = numpy.asarray(t), numpy.asarray(m)\ni = t.argsort()\n\
         print('{{0:.5f}}'.format(numpy.polyfit(t[i] - t[i][0], m[i], 1)[0]))"
    );
    said(python, &["-c", &script], bench.path())
        .trim()
        .to_owned()
}
