//! The example programs show what docs/reading-a-report.md says of them: which line, and which sign.
#![cfg(feature = "report")]

use std::path::PathBuf;
use std::process::Command;

use memprof::run::{FunctionProfile, HeapFigures, Line, Run};

const MIB: i64 = 1 << 20;

/// Runs an example to its end and returns its one function, which is called `function`.
fn profile_of(example: &str, function: &str) -> FunctionProfile {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program(example));
    // Variables of whoever runs the tests would change what is measured.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("MEMPROF") || name.starts_with("MALLOC_") {
            command.env_remove(name);
        }
    }
    command
        .env("MEMPROF_DIR", folder.path())
        .env("MEMPROF_QUIET", "1");
    assert!(command.status().unwrap().success());
    let run: Run = memprof::report::read_run(folder.path().join("latest")).unwrap();
    let mut functions = run.functions;
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0].label, function);
    functions.remove(0)
}

/// `cargo test` builds examples into the folder beside that of the tests.
fn program(example: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: `cargo test --test examples` alone does not build it, `cargo test --examples` does",
        path.display()
    );
    path
}

/// The line whose text begins like this.
fn line<'run>(profile: &'run FunctionProfile, source: &str) -> &'run Line {
    let mut lines = profile.lines.iter();
    let found = lines.find(|line| line.source.trim().starts_with(source));
    found.unwrap_or_else(|| panic!("no line {source}"))
}

fn heap(line: &Line) -> HeapFigures {
    line.heap.expect("the example counts its heap")
}

#[test]
fn the_leak_allocates_on_one_line_what_nobody_frees() {
    let serve = profile_of("leak", "serve");
    let push = line(&serve, "history.push");
    assert_eq!(heap(push).net / MIB, 50);
    // The page itself comes and goes.
    let page = heap(line(&serve, "let page"));
    assert_eq!(page.net, 50 * MIB);
    assert_eq!(heap(line(&serve, "}")).freed, page.allocated);
    // RSS is known of the calls that were read. Of the others, which nobody annotated called, it is nobody's.
    let known = MIB..=51 * MIB;
    assert!(known.contains(&serve.net_rss), "{}", serve.net_rss);
}

#[test]
fn the_spike_is_a_peak_without_a_net() {
    let variance = profile_of("spike", "variance");
    let squares = line(&variance, "let squares");
    assert_eq!(heap(squares).peak, 32 << 20);
    assert_eq!(heap(squares).net, 0);
    assert!(squares.peak_rss > 31 << 20, "{}", squares.peak_rss);
    assert!(squares.net_rss.abs() < MIB, "{}", squares.net_rss);
    assert_eq!(variance.peak_at.and_then(|at| at.line), Some(squares.line));
}

/// What an allocator keeps is its own affair: these figures are glibc's.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn what_is_kept_was_freed_and_is_still_resident() {
    let last_word = profile_of("kept", "last_word");
    let dropped = line(&last_word, "drop(words)");
    assert!(heap(dropped).freed > 60 << 20);
    assert!(dropped.net_rss > -20 * MIB, "{}", dropped.net_rss);
    let total = last_word.heap.unwrap();
    assert!(total.net < MIB, "{total:?}");
    // Three calls, and RSS rose once: the second and the third got what the first had freed.
    assert!(
        (20 * MIB..45 * MIB).contains(&last_word.net_rss),
        "{}",
        last_word.net_rss
    );
}

#[test]
fn growth_is_a_small_peak_and_a_large_net() {
    let count_lines = profile_of("growth", "count_lines");
    let chunk = line(&count_lines, "let chunk");
    assert_eq!(chunk.hits, 100);
    assert_eq!(heap(chunk).net, 50 * MIB);
    assert!(chunk.net_rss > 40 * MIB, "{}", chunk.net_rss);
    assert!(chunk.peak_rss < 2 << 20, "{}", chunk.peak_rss);
    let last = count_lines.lines.last().unwrap();
    assert_eq!(heap(last).freed as i64 / MIB, 50);
}
