//! What is exported is read by tools that nobody here wrote.
//!
//! `.ci/run` installs them: Python's csv is there, `MEMPROF_TEST_NODE_MODULES` names a folder with the npm
//! packages pprof-format and speedscope, and `MEMPROF_TEST_CHROMIUM` a browser for the latter.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use memprof::run::{FunctionProfile, Line, Run};
use memprof_tests::program::{Finished, run_with};
use serde_json::Value;

const FILES: [&str; 5] = [
    "lines.csv",
    "profile.pb.gz",
    "samples.csv",
    "summary.md",
    "trace.json",
];

/// Programs that count heap bytes, have many threads, and have futures.
fn finished() -> [Finished; 3] {
    [
        (env!("CARGO_BIN_EXE_heap"), &[][..]),
        (env!("CARGO_BIN_EXE_crowd"), &["threads", "20"]),
        (env!("CARGO_BIN_EXE_crowd"), &["suspended", "50"]),
    ]
    .map(|(program, arguments)| {
        let finished = run_with(program, arguments, |command| {
            command.env("MEMPROF_EXPORT", "csv,trace,pprof,markdown");
        });
        assert!(finished.output.status.success(), "{}", finished.stderr());
        finished
    })
}

fn exported(folder: &Path) -> usize {
    FILES
        .iter()
        .filter(|name| folder.join(name).is_file())
        .count()
}

fn asked_for(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    PathBuf::from(
        value.unwrap_or_else(|| panic!("{name} is not set: .ci/run installs what it names")),
    )
}

/// What `command` prints, each line of which is JSON.
fn printed(command: &mut Command) -> Vec<Value> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exports")
        .join(name)
}

fn lines(run: &Run) -> impl Iterator<Item = (&FunctionProfile, &Line)> {
    run.functions
        .iter()
        .flat_map(|function| function.lines.iter().map(move |line| (function, line)))
}

#[test]
fn files_are_written_only_when_asked_for() {
    let [heap, ..] = finished();
    assert_eq!(exported(&heap.folder()), FILES.len());
    let plain = run_with(env!("CARGO_BIN_EXE_truth"), &[], |_| {});
    assert_eq!(exported(&plain.folder()), 0);
}

#[test]
fn a_format_that_is_none_is_named_and_harms_nothing() {
    let finished = run_with(env!("CARGO_BIN_EXE_truth"), &[], |command| {
        command.env("MEMPROF_EXPORT", "xml");
    });
    assert!(finished.output.status.success());
    assert!(
        finished.stderr().contains("MEMPROF_EXPORT=xml is ignored"),
        "{}",
        finished.stderr()
    );
}

#[test]
#[ignore = "needs Python: .ci/run has it and runs this"]
fn python_reads_the_csv() {
    for finished in finished() {
        let (run, folder) = (finished.recorded(), finished.folder());
        let read = |name: &str| {
            printed(
                Command::new("python3")
                    .arg(script("read_csv.py"))
                    .arg(folder.join(name)),
            )
        };
        let rows = read("lines.csv");
        assert_eq!(rows.len(), lines(&run).count());
        for (row, (function, line)) in rows.iter().zip(lines(&run)) {
            assert_eq!(row["function"], function.name);
            assert_eq!(row["source"], line.source);
            assert_eq!(row["hits"], line.hits.to_string());
            assert_eq!(row["net_rss"], line.net_rss.to_string());
            let allocated = line
                .heap
                .map_or_else(String::new, |heap| heap.allocated.to_string());
            assert_eq!(row["heap_allocated"], allocated);
        }
        let samples = read("samples.csv");
        let of_functions: usize = run.functions.iter().map(|f| f.series.len()).sum();
        assert_eq!(samples.len(), run.series.len() + of_functions);
        assert_eq!(samples[0]["rss"], run.series[0].rss.to_string());
    }
}

#[test]
#[ignore = "needs the npm package pprof-format: .ci/run installs it and runs this"]
fn a_pprof_parser_reads_the_lines() {
    let modules = asked_for("MEMPROF_TEST_NODE_MODULES");
    for finished in finished() {
        let (run, file) = (finished.recorded(), finished.folder().join("profile.pb.gz"));
        let samples = printed(
            Command::new("node")
                .arg(script("pprof.mjs"))
                .arg(&modules)
                .arg(file),
        );
        let mut samples = samples.iter();
        for function in &run.functions {
            let hit = function.lines.iter().filter(|line| line.hits > 0);
            for line in hit {
                let sample = samples.next().expect("a sample of each line");
                assert_eq!(sample["function"], function.name);
                assert_eq!(sample["file"], function.file);
                assert_eq!(sample["line"], line.line);
                assert_eq!(sample["peak"], line.peak_rss);
                assert_eq!(sample["net"], line.self_net_rss);
                let heap = line.self_heap;
                let (allocated, allocations) = (&sample["allocated"], &sample["allocations"]);
                assert_eq!(allocated.as_u64(), heap.map(|heap| heap.allocated));
                assert_eq!(allocations.as_u64(), heap.map(|heap| heap.allocations));
            }
            for group in &function.groups {
                let sample = samples.next().expect("a sample of each group of lines");
                assert_eq!(sample["function"], function.name);
                assert_eq!(sample["peak"], group.peak_rss);
                assert_eq!(sample["net"], group.self_net_rss);
            }
        }
        assert_eq!(samples.next(), None);
    }
}

#[test]
#[ignore = "needs a browser and the npm package speedscope: .ci/run installs them and runs this"]
fn speedscope_opens_the_trace() {
    let [heap, threads, futures] = finished();
    // speedscope leaves out asynchronous slices, and so the calls that were suspended: all of them here.
    let trace = fs::read_to_string(futures.folder().join("trace.json")).expect("a trace");
    assert!(trace.contains("\"ph\":\"b\""));
    for finished in [heap, threads] {
        let run = finished.recorded();
        let understood = speedscope(&finished.folder().join("trace.json"));
        let events = understood["profiles"].as_array().expect("profiles").iter();
        let opened = events.flat_map(|profile| profile["events"].as_array().expect("events"));
        let opened = opened.filter(|event| event["type"] == "O").count();
        let calls = run.functions.iter().flat_map(|f| &f.call_records);
        // When a call ran that was only counted is not known.
        let drawn = calls.filter(|call| call.suspended_ns == 0 && !call.only_counted);
        assert_eq!(opened, drawn.count());
    }
}

#[test]
#[ignore = "needs a browser and the npm package speedscope: .ci/run installs them and runs this"]
fn speedscope_opens_the_pprof_profile() {
    for finished in finished() {
        let run = finished.recorded();
        let understood = speedscope(&finished.folder().join("profile.pb.gz"));
        let profile = &understood["profiles"][0];
        let sum = profile["endValue"].as_u64().expect("a sum");
        let value = |line: &Line| match line.self_heap {
            Some(heap) => heap.allocated,
            None => line.peak_rss,
        };
        let lines = run.functions.iter().flat_map(|function| &function.lines);
        let groups = run.functions.iter().flat_map(|function| &function.groups);
        let groups = groups.filter(|_| !run.heap).map(|group| group.peak_rss);
        assert_eq!(sum, lines.map(value).chain(groups).sum::<u64>());
        let frames = understood["shared"]["frames"].as_array().expect("frames");
        let names: Vec<_> = frames
            .iter()
            .filter_map(|frame| frame["name"].as_str())
            .collect();
        let higher = run
            .functions
            .iter()
            .filter(|f| f.lines.iter().any(|line| value(line) > 0));
        for function in higher {
            assert!(
                names.contains(&&function.name[..]),
                "{} is not in {names:?}",
                function.name
            );
        }
    }
}

/// What speedscope understands of `file`, in its own format.
fn speedscope(file: &Path) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let page = asked_for("MEMPROF_TEST_NODE_MODULES").join("speedscope/dist/release/index.html");
    let load = folder.path().join("load.js");
    fs::write(&load, loader(file)).expect("written");
    let output = Command::new(asked_for("MEMPROF_TEST_CHROMIUM"))
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--use-angle=swiftshader",
        ])
        .args([
            "--enable-unsafe-swiftshader",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--allow-file-access-from-files",
        ])
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!(
            "file://{}#localProfilePath={}",
            page.display(),
            load.display()
        ))
        .output()
        .expect("the browser starts");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    let left = |id: &str| {
        let (_, behind) = page.split_once(&format!("<pre id=\"{id}\">"))?;
        Some(behind.split_once("</pre>")?.0.to_owned())
    };
    assert_eq!(left("refused"), None, "{}", file.display());
    let understood =
        left("understood").unwrap_or_else(|| panic!("{}: nothing understood", file.display()));
    let entities = HashMap::from([("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}")]);
    let text = entities
        .iter()
        .fold(understood, |text, (entity, c)| text.replace(entity, c));
    serde_json::from_str(&text.replace("&amp;", "&")).expect("JSON")
}

/// The script that makes speedscope load `file`.
fn loader(file: &Path) -> String {
    let bytes = fs::read(file).expect("the file");
    let name = file.file_name().expect("a name").to_string_lossy();
    fs::read_to_string(script("speedscope.js"))
        .expect("the script")
        .replace("FILE_NAME", &format!("{name:?}"))
        .replace("FILE_BYTES", &format!("{bytes:?}"))
}
