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
        !screen.contains(" now ") && screen.contains("line to look at"),
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
fn a_watched_program_that_ignores_ctrl_c_is_watched_to_its_end() {
    let terminal = Terminal::new("ignores");
    terminal.enter(&format!(
        "clear; {} exec -C sh -c 'trap \"\" INT; echo ready; (sleep 1; :); exit 7'; echo code $?",
        ours()
    ));
    terminal.wait_until("ready", |screen| screen.lines().any(|line| line == "ready"));
    terminal.tmux(&["send-keys", "C-c"]);
    let screen = terminal.wait_for("code 7");
    assert!(screen.contains("ended: exit code 7"), "{screen}");
}

/// Two runs of the annotated example, and a shell in which `memprof` is `cargo memprof`.
fn with_two_runs(name: &str, columns: u16) -> Terminal {
    let terminal = Terminal::of_size(name, columns, 30);
    for lines in ["20000", "100000"] {
        assert!(terminal.bench.words(&[lines]).status.success());
    }
    terminal.enter(&format!("memprof() {{ {} \"$@\"; }}; clear", ours()));
    terminal
}

/// What `cargo memprof <command>` shows; it must end with `code`.
fn shown(terminal: &Terminal, command: &str, code: i32) -> String {
    // The shell's own echo of the line is cleared away, and must not be taken for its answer.
    terminal.enter(&format!(
        "clear; memprof {command}; echo 'do'ne $?; echo \"$((1+1)) rows\""
    ));
    let screen = terminal.wait_for("2 rows");
    assert!(
        screen.contains(&format!("done {code}")),
        "{command}\n{screen}"
    );
    terminal.enter("clear; echo 'emp'ty");
    terminal.wait_for("empty");
    screen
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn tables_fit_the_terminal_and_have_colours_there() {
    for columns in [100, 80, 50] {
        let terminal = with_two_runs(&format!("tables-{columns}"), columns);
        for (command, expected, is_table) in [
            ("list", "words-", true),
            ("show", "let words", true),
            ("show lengths", "words::lengths", true),
            ("diff 0 1", "grew most", true),
            ("help", "memprof open", false),
            ("help plot", "Examples:", false),
            ("top --help", "top 4711", false),
        ] {
            let screen = shown(&terminal, command, 0);
            assert!(
                screen.contains(expected),
                "{command} at {columns}\n{screen}"
            );
            terminal.enter(&format!("clear; memprof {command}; echo 'do'ne $?"));
            terminal.wait_for("done 0");
            let rows = |options: &[&str]| {
                let text = terminal.tmux(&[&["capture-pane", "-p"], options].concat());
                text.trim_end().lines().count()
            };
            // The path of a run is never cut.
            let may_be_wider = command == "show" && columns < 80;
            assert!(
                may_be_wider || rows(&[]) == rows(&["-J"]),
                "{command} is wider than {columns}\n{screen}"
            );
            let coloured = terminal
                .tmux(&["capture-pane", "-p", "-e"])
                .contains("\u{1b}[");
            // What is coloured in a long help may have scrolled away.
            assert!(coloured || !is_table, "{command}");
            terminal.enter("clear; echo 'emp'ty");
            terminal.wait_for("empty");
        }
    }
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn no_color_and_never_take_the_colours_out() {
    let terminal = with_two_runs("no-color", 100);
    for command in ["NO_COLOR=1 memprof show", "memprof show --color never"] {
        terminal.enter(&format!("clear; {command}; echo 'do'ne $?"));
        let screen = terminal.wait_for("done 0");
        assert!(screen.contains("let words"), "{screen}");
        let plain = terminal.tmux(&["capture-pane", "-p", "-e"]);
        assert!(!plain.contains("\u{1b}["), "{command}: {plain:?}");
    }
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn every_command_is_seen_once() {
    let terminal = with_two_runs("every", 80);
    let file = |name: &str| terminal.bench.path().join(name);
    let browser = file("browser");
    std::fs::write(&browser, "#!/bin/sh\necho \"$1\" > opened\n").expect("written");
    terminal.enter("chmod +x browser; export BROWSER=$PWD/browser; clear");
    for (command, expected) in [
        ("peak --func lengths", "words::lengths"),
        ("plot 0 1 -o both.svg --slope", "slope"),
        ("export --format csv -o out", "samples.csv"),
        ("open --print", "index.html"),
        ("recover", "There is nothing to recover."),
        ("rm --dry-run 0", "would remove"),
        ("rm 0", "removed"),
        ("exec -- sh -c 'exit 0'", "ended: exit code 0"),
        ("completions bash", "complete -F"),
        ("man man1", ""),
        ("clean --dry-run", "would remove"),
        ("clean", "removed"),
        ("list", "There are no runs"),
    ] {
        // `man` wants a folder that is there.
        std::fs::create_dir_all(file("man1")).expect("made");
        let screen = shown(&terminal, command, 0);
        assert!(screen.contains(expected), "{command}\n{screen}");
    }
    for made in ["both.svg", "out/samples.csv", "man1/cargo-memprof-top.1"] {
        assert!(file(made).is_file(), "{made}");
    }
    assert!(terminal.bench.words(&["20000"]).status.success());
    shown(&terminal, "open", 0);
    let opened = std::fs::read_to_string(file("opened")).expect("the browser was started");
    assert!(opened.trim_end().ends_with("index.html"), "{opened}");
    let screen = shown(&terminal, "show nothing-like-that", 1);
    assert!(screen.contains("cannot find a function"), "{screen}");
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn sources_are_annotated_and_stripped() {
    let terminal = with_two_runs("sources", 80);
    let write = |name: &str, text: &str| {
        let path = terminal.bench.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write("src/main.rs", "fn main() {}\n");
    for (command, expected) in [
        ("annotate main --dry-run", "+#[memprof::profile_memory]"),
        ("annotate main --memprof .", "1 functions annotated"),
        ("strip --dry-run", "-#[memprof::profile_memory]"),
        ("strip", "2 files changed"),
    ] {
        let screen = shown(&terminal, command, 0);
        assert!(screen.contains(expected), "{command}\n{screen}");
    }
}
