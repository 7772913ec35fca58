//! Sessions in a real terminal: what a person sees, and that the terminal is as before afterwards.
#![cfg(unix)]

mod support;

use std::time::Duration;

use support::example;
use support::terminal::{Terminal, ours};

/// `cargo memprof run` of the example, which stays in `wait` for some seconds.
fn run_words(seconds: u32) -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let target = std::path::Path::new(ours())
        .ancestors()
        .nth(2)
        .expect("the target directory");
    format!(
        "CARGO_TARGET_DIR={} {} run -q --manifest-path {manifest} --example words -- 100000 wait={seconds}",
        target.display(),
        ours()
    )
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn the_live_line_stands_at_the_bottom_and_goes_away() {
    example("words");
    let terminal = Terminal::new("live");
    terminal.enter(&run_words(6));
    terminal.wait_for("· wait 3");
    let screen = terminal.screen();
    let last = screen.trim_end().lines().last().expect("a line");
    for part in ["words ·", " now ", " peak ", "· wait 3"] {
        assert!(last.contains(part), "{part}\n{screen}");
    }
    assert!(screen.contains("600000 words"), "{screen}");
    let screen = terminal.wait_for("index.html");
    assert!(
        !screen.contains(" now ") && screen.contains("highest line"),
        "{screen}"
    );
    terminal.enter("clear; seq 40; echo rows $((40+2))");
    let screen = terminal.wait_for("rows 42");
    assert_eq!(
        screen
            .lines()
            .filter(|line| line.parse::<u32>().is_ok())
            .count(),
        28,
        "all of it scrolls\n{screen}"
    );
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn ctrl_c_ends_the_program_and_leaves_the_terminal_as_it_was() {
    example("words");
    let terminal = Terminal::new("interrupt");
    terminal.enter(&run_words(60));
    terminal.wait_for("· wait 3");
    terminal.tmux(&["send-keys", "C-c"]);
    terminal.enter("echo code $?");
    let screen = terminal.wait_for("code 130");
    assert!(!screen.contains(" now "), "{screen}");
    terminal.enter(&format!("clear; {} show wait", ours()));
    terminal.wait_for("kept.push");
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn ctrl_c_reaches_a_watched_program_once() {
    let terminal = Terminal::new("watched");
    terminal.enter(&format!(
        "{} exec {} interrupts=1500; echo code $?",
        ours(),
        example("process").display()
    ));
    terminal.wait_for("\nready\n");
    terminal.tmux(&["send-keys", "C-c"]);
    let screen = terminal.wait_for("code 1\n");
    assert!(screen.contains("ended: exit code 1"), "{screen}");
    terminal.enter(&format!("clear; {} attach $$; echo code $?", ours()));
    std::thread::sleep(Duration::from_millis(500));
    terminal.tmux(&["send-keys", "C-c"]);
    let screen = terminal.wait_for("code 0");
    assert!(screen.contains("ended: still running"), "{screen}");
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn tables_fit_the_terminal_and_have_colours_there() {
    let terminal = Terminal::new("tables");
    for lines in ["20000", "100000"] {
        assert!(terminal.bench.words(&[lines]).status.success());
    }
    for (number, (command, expected)) in [
        ("list", "peak MiB"),
        ("show", "let words: Vec<String>"),
        ("peak --func lengths", "words::lengths"),
        ("diff 0 1", "grew most"),
        ("help plot", "--window"),
    ]
    .into_iter()
    .enumerate()
    {
        terminal.enter(&format!(
            "clear; {} {command}; echo done {number} $?",
            ours()
        ));
        let screen = terminal.wait_for(&format!("done {number} 0"));
        assert!(screen.contains(expected), "{command}\n{screen}");
        println!("{screen}");
    }
    let coloured = terminal.tmux(&["capture-pane", "-p", "-e"]);
    assert!(coloured.contains("\u{1b}["), "colours");
}
