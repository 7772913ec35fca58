//! `cargo memprof top` on real programs, in a real terminal that must be as it was afterwards.
#![cfg(unix)]

mod support;

use std::time::Duration;

use support::terminal::{Terminal, ours};
use support::{Bench, example};

/// Starts the annotated example in the background; it stays in `wait`.
fn start_words(terminal: &Terminal, seconds: u32) {
    let words = example("words");
    terminal.enter(&format!(
        "MEMPROF_QUIET=1 {} 20000 wait={seconds} & clear",
        words.display()
    ));
    terminal.wait_for("120000 words");
    let began = std::time::Instant::now();
    while memprof_at_work(&terminal.bench).is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "no journal");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The program's process number, once it is in `wait`.
fn memprof_at_work(bench: &Bench) -> Option<i32> {
    let run = memprof_report::live(bench.runs().first()?).ok()??;
    let call = run.stopped.first()?;
    (run.functions[call.function].label == "wait").then(|| run.pid.cast_signed())
}

/// What must be the same before and after: settings, whether there is a cursor, and which screen it is.
fn condition(terminal: &Terminal) -> String {
    terminal.enter("clear; echo settings $(stty -g)");
    let line = |screen: &str| {
        let mut lines = screen.lines().map(str::to_owned);
        lines.find(|line| line.starts_with("settings "))
    };
    let screen = terminal.wait_until("settings", |screen| line(screen).is_some());
    let settings = line(&screen);
    let flags = terminal.tmux(&[
        "display-message",
        "-p",
        "cursor #{cursor_flag} alternate #{alternate_on} keypad #{keypad_flag}",
    ]);
    format!("{} {flags}", settings.expect("settings"))
}

/// Starts `top`, whose process number is given back, and waits until it shows something.
fn start_top(terminal: &Terminal, arguments: &str) -> i32 {
    let file = terminal.bench.path().join("pid");
    let _ = std::fs::remove_file(&file);
    terminal.enter(&format!(
        "clear; echo before; sh -c 'echo $$ > pid; exec {} top {arguments}'",
        ours()
    ));
    terminal.wait_for("q quit");
    let pid = std::fs::read_to_string(file).expect("written before it began");
    pid.trim().parse().expect("a number")
}

/// Waits until the shell is back, and asks it for the exit code of `top`.
fn ends_with(terminal: &Terminal, code: i32) -> String {
    terminal.wait_until("shell", |screen| !screen.contains("q quit"));
    terminal.enter("echo code $?");
    let screen = terminal.wait_for(&format!("code {code}"));
    assert!(
        screen.contains("before"),
        "the screen from before\n{screen}"
    );
    screen
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn it_waits_for_a_program_that_has_not_started() {
    let terminal = Terminal::of_size("top-wait", 80, 24);
    terminal.enter(&format!("clear; echo before; {} top --wait words", ours()));
    terminal.wait_for("waiting for words to be at work in ");
    let mut words = terminal.bench.words_at_work();
    terminal.wait_for("q quit");
    terminal.wait_for(" words · pid ");
    terminal.keys(&["q"]);
    ends_with(&terminal, 0);
    words.kill().expect("it is at work");
    words.wait().expect("it has ended");
    // Nothing has come: Ctrl-C ends the waiting as it ends any program.
    terminal.enter(&format!("clear; echo before; {} top --wait nobody", ours()));
    terminal.wait_for("waiting for nobody");
    terminal.keys(&["C-c"]);
    ends_with(&terminal, 130);
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn it_shows_a_program_at_work_and_leaves_the_terminal_as_it_was() {
    let terminal = Terminal::of_size("top", 80, 24);
    start_words(&terminal, 60);
    let before = condition(&terminal);
    start_top(&terminal, "--interval 0.2");
    let screen = terminal.wait_for("● wait");
    assert_eq!(screen.lines().count(), 24, "{screen}");
    for part in [
        " words · pid ",
        "now ",
        "peak MiB",
        "words::",
        "lengths",
        "text",
    ] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    println!("{screen}");
    // By name, `wait` is the last of three.
    terminal.keys(&["S", "End"]);
    let screen = terminal.wait_for("words::wait");
    assert!(
        screen.contains("order: name") && screen.contains("function▲"),
        "{screen}"
    );
    assert!(screen.contains("▶"), "the line that runs\n{screen}");
    let hits = hits_of_push(&screen);
    terminal.wait_until("more hits", |screen| hits_of_push(screen) > hits);
    terminal.keys(&["Enter", "Home", "?"]);
    terminal.wait_for("follow the line that runs");
    terminal.keys(&["x", "p"]);
    let screen = terminal.wait_for("Holding still");
    assert!(screen.contains("Esc functions"), "{screen}");
    let coloured = terminal.tmux(&["capture-pane", "-p", "-e"]);
    assert!(coloured.contains("\u{1b}[38;5;6m"), "the curve is cyan");
    terminal.tmux(&["resize-window", "-x", "50", "-y", "10"]);
    terminal.wait_for(" ↑↓  Esc functions  ? help  q quit");
    terminal.tmux(&["resize-window", "-x", "80", "-y", "24"]);
    terminal.keys(&["q"]);
    ends_with(&terminal, 0);
    assert_eq!(condition(&terminal), before);
}

/// The hits of the line that runs most often.
fn hits_of_push(screen: &str) -> u64 {
    let line = screen.lines().find(|line| line.contains("kept.push"));
    let mut words = line.expect("the line").split_whitespace();
    let hits = words.by_ref().skip_while(|word| *word == "▶").nth(1);
    hits.expect("hits").parse().expect("a number")
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn signals_end_it_and_the_terminal_is_as_it_was() {
    let terminal = Terminal::of_size("top-signals", 80, 24);
    start_words(&terminal, 120);
    let before = condition(&terminal);
    for (signal, code) in [
        (libc::SIGTERM, 143),
        (libc::SIGHUP, 129),
        (libc::SIGINT, 130),
    ] {
        let top = start_top(&terminal, "words");
        // SAFETY: kill only reads its arguments; the process is at work.
        assert_eq!(unsafe { libc::kill(top, signal) }, 0);
        ends_with(&terminal, code);
        assert_eq!(condition(&terminal), before, "after signal {signal}");
    }
    for key in ["C-c", "q"] {
        start_top(&terminal, "words");
        terminal.keys(&[key]);
        ends_with(&terminal, 0);
        assert_eq!(condition(&terminal), before, "after {key}");
    }
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn it_ends_with_its_terminal() {
    let terminal = Terminal::of_size("top-closed", 80, 24);
    start_words(&terminal, 120);
    let top = start_top(&terminal, "words");
    terminal.tmux(&["kill-server"]);
    let began = std::time::Instant::now();
    // SAFETY: kill only reads its arguments; signal 0 asks whether there is such a process.
    while unsafe { libc::kill(top, 0) } == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "it goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn a_suspended_view_comes_back() {
    let terminal = Terminal::of_size("top-suspended", 80, 24);
    start_words(&terminal, 60);
    let before = condition(&terminal);
    terminal.enter(&format!("clear; {} top", ours()));
    terminal.wait_for("q quit");
    terminal.keys(&["C-z"]);
    terminal.wait_for("Stopped");
    assert_eq!(condition(&terminal), before);
    terminal.enter("fg %2");
    terminal.wait_for("q quit");
    terminal.keys(&["q"]);
    terminal.wait_until("the shell", |screen| !screen.contains("q quit"));
    assert_eq!(condition(&terminal), before);
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn a_panic_gives_the_terminal_back_first() {
    let terminal = Terminal::of_size("top-panic", 80, 24);
    let before = condition(&terminal);
    terminal.enter(&format!(
        "clear; {}; echo code $?",
        example("panics").display()
    ));
    terminal.wait_for("the screen is taken");
    let screen = terminal.wait_for("code 101");
    assert!(screen.contains("the message of the panic"), "{screen}");
    assert!(!screen.contains("the screen is taken"), "{screen}");
    assert_eq!(condition(&terminal), before);
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn when_the_program_ends_its_final_figures_stay() {
    let terminal = Terminal::of_size("top-end", 80, 24);
    start_words(&terminal, 4);
    start_top(&terminal, "");
    let screen = terminal.wait_for("The program has ended. These are the final figures");
    for part in ["lengths", "wait", "text"] {
        assert!(screen.contains(part), "{screen}");
    }
    assert!(!screen.contains(['●', '▶']), "{screen}");
    terminal.keys(&["End"]);
    terminal.keys(&["q"]);
    ends_with(&terminal, 0);
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn when_the_program_is_killed_what_was_last_known_stays() {
    let terminal = Terminal::of_size("top-killed", 80, 24);
    start_words(&terminal, 60);
    let program = memprof_at_work(&terminal.bench).expect("it waits");
    start_top(&terminal, &program.to_string());
    // SAFETY: kill only reads its arguments; the process is at work.
    assert_eq!(unsafe { libc::kill(program, libc::SIGKILL) }, 0);
    let screen = terminal.wait_for("ended without reports");
    assert!(screen.contains("● wait"), "{screen}");
    terminal.keys(&["q"]);
    ends_with(&terminal, 0);
    terminal.enter(&format!("clear; {} recover", ours()));
    terminal.wait_for("/words-");
}

#[test]
fn what_cannot_be_shown_is_told_with_what_to_do() {
    let bench = Bench::new();
    let said = bench.complains(&["top"]);
    assert!(
        said.contains("stdout is no terminal") && said.contains("cargo memprof show"),
        "{said}"
    );
    let said = bench.complains(&["top", "--interval", "1ms"]);
    assert!(said.contains("from 100ms to an hour"), "{said}");
}

#[test]
#[ignore = "needs tmux: .ci/run installs it and runs this"]
fn without_a_program_at_work_it_says_what_to_do() {
    let terminal = Terminal::of_size("top-nothing", 100, 24);
    terminal.enter(&format!("clear; {} top; echo said1 $?", ours()));
    let screen = terminal.wait_for("said1 1");
    for part in [
        "cannot find a program at work",
        "there is none",
        "cargo memprof run",
    ] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    start_words(&terminal, 60);
    terminal.enter(&format!("clear; {} top something; echo said2 $?", ours()));
    let screen = terminal.wait_for("said2 1");
    assert!(
        screen.contains("\"something\"") && screen.contains(" words"),
        "{screen}"
    );
    assert!(terminal.bench.words(&["100"]).status.success());
    let complete = terminal.bench.runs();
    let complete = complete.iter().find(|run| run.join("run.json").is_file());
    terminal.enter(&format!(
        "clear; {} top {}; echo said3 $?",
        ours(),
        complete.expect("a run").display()
    ));
    terminal.wait_for("said3 1");
    // It is longer than a row.
    let screen = terminal.tmux(&["capture-pane", "-p", "-J"]);
    assert!(screen.contains("no program is at work"), "{screen}");
}
