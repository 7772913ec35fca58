//! Commands about saved runs, on runs that a real program wrote.

mod support;

use std::fs;

use support::{Bench, stderr, stdout};

/// Two runs of `words`, the second one twice as large.
fn two_runs() -> Bench {
    let bench = Bench::new();
    for lines in ["100000", "200000"] {
        let output = bench.words(&[lines]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(bench.runs().len(), 2);
    bench
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn list_numbers_runs_from_the_oldest() {
    let bench = two_runs();
    let listed = json(&bench.prints(&["list", "--json"]));
    let runs = listed.as_array().expect("a list");
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["number"], 0);
    assert_eq!(runs[1]["program"], "words");
    assert!(runs[0]["peak_rss"].as_u64() < runs[1]["peak_rss"].as_u64());
    let table = bench.prints(&["list"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(!table.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn runs_are_named_by_folder_number_program_and_latest() {
    let bench = two_runs();
    let listed = json(&bench.prints(&["list", "--json"]));
    let path = listed[1]["path"].as_str().expect("a path");
    let name = path.rsplit('/').next().expect("a name");
    let file = format!("{path}/run.json");
    let latest = bench.root().join("latest");
    let peak = bench.prints(&["peak"]);
    for word in [
        "1",
        "-1",
        "latest",
        "words",
        name,
        path,
        &file,
        latest.to_str().expect("UTF-8"),
    ] {
        assert_eq!(bench.prints(&["peak", word]), peak, "{word}");
    }
    assert_ne!(bench.prints(&["peak", "-2"]), peak);
    assert_eq!(bench.prints(&["peak", "0", "1"]).lines().count(), 2);
}

#[test]
fn show_prints_the_line_table_of_the_highest_or_of_what_is_asked_for() {
    let bench = two_runs();
    let shown = bench.prints(&["show"]);
    assert!(
        shown.contains("let words: Vec<String>") && !shown.contains(".repeat(lines)"),
        "{shown}"
    );
    for arguments in [
        &["show", "text"][..],
        &["show", "-2", "words::text"],
        &["show", "latest", "ext"],
    ] {
        let shown = bench.prints(arguments);
        assert!(
            shown.contains(".repeat(lines)") && !shown.contains("let words:"),
            "{shown}"
        );
    }
    assert!(bench.prints(&["show", "--all"]).contains(".repeat(lines)"));
    let functions = json(&bench.prints(&["show", "0", "lengths", "--json"]));
    assert_eq!(functions[0]["calls"], 1);
    assert_eq!(
        json(&bench.prints(&["show", "--json"]))["schema"],
        "memprof/1"
    );
}

#[test]
fn peak_of_a_function_is_what_its_calls_reached() {
    let bench = two_runs();
    let figures = json(&bench.prints(&["peak", "--func", "lengths", "--json"]));
    let run = json(&bench.prints(&["show", "lengths", "--json"]));
    assert_eq!(figures[0]["peak_rss"], run[0]["max_rss"]);
    assert_eq!(figures[0]["rise"], run[0]["peak_rss"]);
    let line = bench.prints(&["peak", "--func", "lengths"]);
    assert!(
        line.contains("words::lengths\t") && line.contains(" MiB\t(+"),
        "{line}"
    );
}

#[test]
fn open_prints_the_page() {
    let bench = two_runs();
    let page = bench.prints(&["open", "--print"]);
    assert!(page.trim_end().ends_with("/index.html") && fs::metadata(page.trim_end()).is_ok());
    let page = bench.prints(&["open", "0", "text", "--print"]);
    assert!(page.trim_end().ends_with("/words-text.html"), "{page}");
}

#[test]
fn rm_removes_just_that_and_the_list_of_runs_knows() {
    let bench = two_runs();
    let [first, second] = &bench.runs()[..] else {
        panic!("two runs")
    };
    assert!(
        bench
            .prints(&["rm", "--dry-run", "0"])
            .contains("would remove")
    );
    assert_eq!(bench.runs().len(), 2);
    bench.complains(&["rm", "0", "7"]);
    assert_eq!(bench.runs().len(), 2, "all or nothing");
    bench.prints(&["rm", "-1"]);
    assert_eq!(bench.runs(), std::slice::from_ref(first));
    let index = fs::read_to_string(bench.root().join("index.html")).expect("the index");
    let named = |path: &std::path::Path| {
        index.contains(&*path.file_name().expect("a name").to_string_lossy())
    };
    assert!(named(first) && !named(second));
    let latest = fs::canonicalize(bench.root().join("latest")).expect("a link");
    assert_eq!(latest, first.canonicalize().expect("there"));
}

#[test]
fn clean_removes_runs_and_nothing_else() {
    let bench = two_runs();
    let others = ["notes.txt", "kept/run.json", "mine/file"];
    for other in others {
        let path = bench.root().join(other);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, "{}").expect("written");
    }
    fs::write(
        bench.path().join("mprofile_20260301140509.dat"),
        "MEM 1.0 1.0\n",
    )
    .expect("written");
    assert_eq!(
        bench
            .prints(&["clean", "--dry-run"])
            .matches("would remove")
            .count(),
        2
    );
    assert_eq!(bench.runs().len(), 4);
    assert_eq!(bench.prints(&["clean"]).matches("removed").count(), 2);
    for other in others {
        assert!(bench.root().join(other).is_file(), "{other}");
    }
    assert!(bench.path().join("mprofile_20260301140509.dat").is_file());
    assert_eq!(bench.prints(&["clean"]), "");
}

#[test]
fn clean_and_rm_leave_a_run_to_which_something_was_added_and_latest_leads_somewhere() {
    let bench = two_runs();
    let [old, new] = &bench.runs()[..] else {
        panic!("two runs")
    };
    fs::write(old.join("notes.txt"), "mine").expect("written");
    let name = old.file_name().expect("a name").to_string_lossy();
    let said = bench.complains(&["rm", &name]);
    assert!(
        said.contains("notes.txt, which memprof has not written"),
        "{said}"
    );
    let said = bench.prints(&["clean"]);
    assert!(
        said.contains("left ") && said.matches("removed ").count() == 1,
        "{said}"
    );
    assert!(old.join("run.json").is_file() && !new.exists());
    assert!(bench.root().join("latest/run.json").is_file());
    fs::remove_file(old.join("notes.txt")).expect("removed");
    bench.prints(&["clean"]);
    assert!(bench.runs().is_empty());
    assert!(bench.root().join("latest").symlink_metadata().is_err());
}

#[test]
fn what_arguments_hide_is_spelled_out() {
    let bench = two_runs();
    let said = bench.complains(&["show", "\u{1b}[31m\u{202e}x"]);
    assert!(
        said.contains("u{1b}[31m") && said.contains("u{202e}x"),
        "{said}"
    );
    assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said}");
}

#[test]
fn errors_name_what_was_tried_and_what_to_do() {
    let bench = two_runs();
    let root = bench.root().display().to_string();
    for (arguments, expected) in [
        (
            &["show", "9"][..],
            ["find run 9", "there are runs 0 to 1", "cargo memprof list"],
        ),
        (&["peak", "nobody"], ["find run \"nobody\"", &root, "--dir"]),
        (
            &["show", "latest", "nothing"],
            ["\"nothing\"", "words::lengths", "name a part of a path"],
        ),
        (
            &["show", "."],
            ["read a run from .", "no run.json", "cargo memprof list"],
        ),
    ] {
        let said = bench.complains(arguments);
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in expected {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    assert!(
        Bench::new()
            .complains(&["show"])
            .contains("there are no runs")
    );
    let output = Bench::new().memprof(&["list"]);
    assert!(output.status.success() && stderr(&output).contains("cargo memprof run"));
}

#[test]
fn a_damaged_run_is_listed_as_such_and_hides_no_other() {
    let bench = two_runs();
    fs::write(bench.runs()[0].join("run.json"), "{").expect("written");
    let listed = json(&bench.prints(&["list", "--json"]));
    let problems = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter(|run| !run["problem"].is_null());
    assert_eq!(problems.count(), 1);
    assert!(bench.prints(&["show"]).contains("let words"));
}

#[test]
fn every_help_has_examples_and_a_closed_pipe_is_no_failure() {
    let bench = two_runs();
    assert!(bench.prints(&["help", "show"]).contains("Examples:"));
    let script = format!(
        "{} list | true; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_cargo-memprof")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .env("MEMPROF_DIR", bench.root())
        .output()
        .expect("bash");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn completions_and_manual() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            bench
                .prints(&["completions", shell])
                .contains("completions"),
            "{shell}"
        );
    }
    assert!(bench.prints(&["man"]).contains(".TH cargo-memprof 1"));
    fs::create_dir(bench.path().join("man1")).expect("made");
    bench.prints(&["man", "man1"]);
    let page = fs::read_to_string(bench.path().join("man1/cargo-memprof-peak.1")).expect("a page");
    assert!(page.contains("Examples"), "{page}");
    let direct = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-memprof"))
        .arg("--version")
        .output()
        .expect("starts");
    assert!(stdout(&direct).starts_with("cargo-memprof "));
}
