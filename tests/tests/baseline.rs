//! A baseline in a user's crate outside of the workspace: saved by its ordinary tests, and checked by them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use memprof::Baseline;
use memprof::report::{Entry, Key};
use memprof_tests::user_crate::{Printed, UserCrate};

const SAVE: (&str, &str) = ("MEMPROF_BASELINE", "save");
const CHECK: (&str, &str) = ("MEMPROF_BASELINE", "check");
/// So that no other test touches memory meanwhile, and RSS is known.
const ONE_BY_ONE: [&str; 2] = ["--", "--test-threads=1"];

fn user() -> UserCrate {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("callers");
    let user = UserCrate::new("baseline", "2024", "", target);
    user.add("baseline_second", "tests/second.rs");
    user.add("baseline_counter", "src/bin/counter.rs");
    user
}

fn file(user: &UserCrate) -> PathBuf {
    user.path().join("memprof-baseline.json")
}

fn text(user: &UserCrate) -> String {
    std::fs::read_to_string(file(user)).expect("the baseline")
}

#[track_caller]
fn entry(user: &UserCrate, program: &str, function: &str) -> Entry {
    let baseline = Baseline::read(file(user)).expect("a baseline");
    let key = Key {
        program: program.to_owned(),
        function: function.to_owned(),
    };
    let entry = baseline.get(&key).cloned();
    entry.unwrap_or_else(|| panic!("no {function} in {program}: {baseline}"))
}

#[track_caller]
fn green(printed: Printed) -> String {
    assert!(printed.green, "{}", printed.text);
    printed.text
}

#[track_caller]
fn red(printed: Printed) -> String {
    assert!(!printed.green, "{}", printed.text);
    printed.text
}

fn with<'a>(feature: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--features", feature], more].concat()
}

#[test]
fn saved_kept_broken_and_accepted() {
    let user = user();
    // Nobody asked for one.
    green(user.test(&ONE_BY_ONE, &[]));
    assert!(!file(&user).exists());

    // To check against nothing is a mistake.
    let said = red(user.test(&ONE_BY_ONE, &[CHECK]));
    assert!(
        said.contains("memprof-baseline.json is missing") && said.contains("MEMPROF_BASELINE=save"),
        "{said}"
    );

    let said = green(user.test(&ONE_BY_ONE, &[SAVE]));
    assert!(said.contains("memprof: baseline saved, "), "{said}");
    let saved = text(&user);
    // To the byte: the larger one of two calls. The other program's is its own.
    let lengths = entry(&user, "baseline", "baseline::lengths");
    assert_eq!(
        (lengths.heap_peak, lengths.allocated, lengths.allocations),
        (Some(16_000), Some(16_000), Some(1)),
        "{saved}"
    );
    assert_eq!(
        entry(&user, "second", "baseline::lengths").heap_peak,
        Some(16_000),
        "{saved}"
    );
    let pages = entry(&user, "baseline", "baseline::pages")
        .peak_rss
        .expect("nobody else touched memory");
    assert!(pages.abs_diff(8 << 20) < 1 << 20, "{saved}");

    // Of three programs that a test has started, the one that took most; it is none of the tests.
    let counter = entry(&user, "counter (program)", "baseline::lengths");
    assert!(counter.heap_peak >= Some(5_001 * 8), "{saved}");

    // Again, and it is the same; it can be checked from anywhere that cargo runs it from.
    let said = green(user.test(&ONE_BY_ONE, &[SAVE]));
    assert!(said.contains("memprof: baseline as it was, "), "{said}");
    assert_eq!(text(&user), saved);
    let said = green(user.test(&ONE_BY_ONE, &[CHECK]));
    assert!(
        said.contains(
            "memprof: 2 functions kept to the baseline (5%, and 1 MiB of RSS, are allowed)"
        ),
        "{said}"
    );

    // The regression: the tests pass, and `cargo test` is red all the same.
    let said = red(user.test(&with("regression", &ONE_BY_ONE), &[CHECK]));
    assert!(
        said.contains("5 passed; 0 failed") || said.contains("4 passed; 0 failed"),
        "{said}"
    );
    assert!(
        said.contains("2 of 2 functions took more than the baseline"),
        "{said}"
    );
    let line = user.line_of("word.repeat");
    let named = format!(
        "`baseline::lengths` (src/lib.rs:{}) takes more than its baseline in `baseline`",
        user.line_of("pub fn lengths")
    );
    assert!(said.contains(&named), "{said}");
    assert!(
        said.contains("  heap peak: was 15.62 KiB (16000 bytes), is ")
            && said.contains("; allowed 16.41 KiB (16800 bytes)"),
        "{said}"
    );
    assert!(
        said.contains(&format!("    src/lib.rs:{line}  ")),
        "line {line}: {said}"
    );
    assert!(said.contains("  peak RSS: was 8"), "{said}");
    assert!(
        said.contains("accept it with `MEMPROF_BASELINE=save cargo test`"),
        "{said}"
    );
    assert_eq!(text(&user), saved, "to check changes nothing");

    // For a pull request.
    let package = user
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let markdown = std::fs::read_to_string(
        user.reports()
            .join(format!("baseline/{}.md", package.trim_start_matches('.'))),
    );
    let markdown = markdown.expect("a summary");
    assert!(
        markdown.contains("| `baseline::lengths` | heap peak | 15.62 KiB |"),
        "{markdown}"
    );
    assert!(
        markdown.contains(&format!("`src/lib.rs:{line}`")),
        "{markdown}"
    );

    // Accepted as it was said.
    green(user.test(&with("regression", &ONE_BY_ONE), &[SAVE]));
    assert_ne!(text(&user), saved);
    green(user.test(&with("regression", &ONE_BY_ONE), &[CHECK]));
    // And taken back.
    green(user.test(&ONE_BY_ONE, &[SAVE]));
    assert_eq!(entry(&user, "baseline", "baseline::lengths"), lengths);
}

#[test]
fn a_little_more_is_allowed_as_much_as_one_says() {
    let user = user();
    // One by one, so that RSS is known each time.
    let few = ["--lib", "--", "--test-threads=1"];
    green(user.test(&few, &[SAVE]));
    // 2% more.
    let little = with("little", &few);
    green(user.test(&little, &[CHECK]));
    let said = red(user.test(&little, &[CHECK, ("MEMPROF_BASELINE_TOLERANCE", "1%")]));
    assert!(
        said.contains("is 15.94 KiB (16320 bytes) (+2.0%); allowed 15.78 KiB (16160 bytes)"),
        "{said}"
    );
    // In the file it holds for everybody, and stays there.
    let edited = text(&user).replace("\"tolerance\": \"5%\"", "\"tolerance\": \"1%\"");
    std::fs::write(file(&user), &edited).expect("edited");
    red(user.test(&little, &[CHECK]));
    green(user.test(&little, &[CHECK, ("MEMPROF_BASELINE_TOLERANCE", "3%")]));
    green(user.test(&few, &[SAVE, ("MEMPROF_BASELINE_TOLERANCE", "3%")]));
    assert_eq!(text(&user), edited);
    // What cannot be understood changes nothing, and is said.
    let said = red(user.test(&little, &[CHECK, ("MEMPROF_BASELINE_TOLERANCE", "3")]));
    assert!(
        said.contains("MEMPROF_BASELINE_TOLERANCE=3 is ignored: expected a percentage"),
        "{said}"
    );
    // Only some functions.
    let only = edited.replace("\"format\": 2,", "\"format\": 2, \"only\": [\"pages\"],");
    std::fs::write(file(&user), only).expect("edited");
    green(user.test(&little, &[CHECK]));
}

#[test]
fn functions_come_and_go() {
    let user = user();
    let some = ["--lib", "--", "--test-threads=1", "many_words"];
    // Some of the tests.
    green(user.test(&some, &[SAVE]));
    assert!(!text(&user).contains("baseline::pages"), "{}", text(&user));
    // All of them: one is new, which is no failure.
    let said = green(user.test(&["--lib"], &[CHECK]));
    assert!(
        said.contains("1 function kept to the baseline")
            && said.contains("; 1 more is not in it yet"),
        "{said}"
    );
    green(user.test(&["--lib"], &[SAVE]));
    assert!(text(&user).contains("baseline::pages"));
    // Some again: that others were not called is no reason to forget them.
    green(user.test(&some, &[SAVE]));
    green(user.test(&some, &[CHECK]));
    assert!(text(&user).contains("baseline::pages"));
    // A failed test may have kept others from being called.
    let failing = with("without,failing", &["--lib"]);
    let said = red(user.test(&failing, &[SAVE]));
    assert!(
        said.contains("the baseline was not saved, because the tests failed"),
        "{said}"
    );
    assert!(text(&user).contains("baseline::pages"));
    // It is gone: no failure, and forgotten at the next save.
    let without = with("without", &["--lib"]);
    green(user.test(&without, &[CHECK]));
    green(user.test(&without, &[SAVE]));
    assert!(!text(&user).contains("baseline::pages"), "{}", text(&user));
}

#[test]
fn without_the_counting_allocator_rss_is_compared() {
    let user = user();
    let pages = |features: &'static str| {
        let all = if features.is_empty() {
            "uncounted"
        } else {
            "uncounted,regression"
        };
        with(all, &["--lib", "--", "--test-threads=1", "some_pages"])
    };
    green(user.test(&pages(""), &[SAVE]));
    let saved = entry(&user, "baseline", "baseline::pages");
    assert_eq!((saved.heap_peak, saved.allocations), (None, None));
    green(user.test(&pages(""), &[CHECK]));
    let said = red(user.test(&pages("regression"), &[CHECK]));
    assert!(said.contains("  peak RSS: was 8"), "{said}");
    let line = user.line_of("vec![1_u8; mebibytes << 20]");
    assert!(
        said.contains(&format!("    src/lib.rs:{line}  24")),
        "{said}"
    );
}

/// The test program itself, as nextest starts it.
fn program(user: &UserCrate, feature: &str) -> PathBuf {
    let mut arguments = vec![
        "test",
        "--offline",
        "--lib",
        "--no-run",
        "--message-format=json",
    ];
    arguments.extend(["--features", feature]);
    let output = user.cargo(&arguments).output().expect("cargo");
    let messages = String::from_utf8(output.stdout).expect("text");
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executables.next_back().expect("a test program")
}

/// Starts one process for each of twenty tests, all at once, and waits for them.
fn one_process_for_each_test(
    user: &UserCrate,
    program: &Path,
    run: &str,
    mode: &str,
) -> Vec<Output> {
    let start = |number: u32| {
        let mut command = Command::new(program);
        command
            .args([
                "--exact",
                &format!("n{number}::one_of_many"),
                "--ignored",
                "--nocapture",
            ])
            .current_dir(user.path())
            .env("CARGO_MANIFEST_DIR", user.path())
            .env("MEMPROF_DIR", user.reports())
            .env("MEMPROF_BASELINE", mode)
            .env("NEXTEST_RUN_ID", run)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().expect("started")
    };
    let children: Vec<_> = (10..30).map(start).collect();
    let outputs = children
        .into_iter()
        .map(|child| child.wait_with_output().expect("ended"));
    outputs.collect()
}

/// As nextest does it: none loses what another one has found.
#[test]
fn many_processes_at_once_share_one_file() {
    let user = user();
    let plain = program(&user, "");
    for output in one_process_for_each_test(&user, &plain, "first", "save") {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for number in 10..30_u64 {
        let each = entry(&user, "baseline", &format!("baseline::n{number}::each"));
        assert_eq!(each.heap_peak, Some(1_000 + number), "{}", text(&user));
    }
    // Of what several of them call, the most. (The vector has room for more words than there are.)
    assert_eq!(
        entry(&user, "baseline", "baseline::lengths").heap_peak,
        Some(16_000)
    );
    for output in one_process_for_each_test(&user, &plain, "second", "check") {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    let regression = program(&user, "regression");
    let codes = one_process_for_each_test(&user, &regression, "third", "check");
    let codes: Vec<_> = codes.iter().map(|output| output.status.code()).collect();
    assert_eq!(codes, vec![Some(101); 20]);
    // The largest part of a later run is smaller: what the earlier one saw is forgotten.
    one_process_for_each_test(&user, &regression, "fourth", "save");
    let more = entry(&user, "baseline", "baseline::lengths").allocations;
    assert!(more > Some(25), "{}", text(&user));
    one_process_for_each_test(&user, &plain, "fifth", "save");
    assert_eq!(
        entry(&user, "baseline", "baseline::lengths").allocations,
        Some(1)
    );
}

#[test]
fn a_file_that_is_no_baseline_is_named_with_its_line() {
    let user = user();
    green(user.test(&["--lib"], &[SAVE]));
    let saved = text(&user);
    let conflict = saved.replace("\"baseline\": {\n", "\"baseline\": {\n<<<<<<< HEAD\n");
    let line = conflict
        .lines()
        .position(|line| line.starts_with('<'))
        .expect("the mark")
        + 1;
    std::fs::write(file(&user), &conflict).expect("written");
    let expected =
        format!("memprof-baseline.json: line {line}: a merge that was not resolved is left here");
    let said = red(user.test(&["--lib"], &[CHECK]));
    assert!(said.contains(&expected), "{said}");
    // It may be somebody's work: it is not overwritten, and the tests are as they were.
    let said = green(user.test(&["--lib"], &[SAVE]));
    assert!(
        said.contains(&expected) && said.contains("MEMPROF_BASELINE=save cargo test"),
        "{said}"
    );
    assert_eq!(text(&user), conflict);
}

#[test]
fn where_it_cannot_be_written_it_is_said_and_can_be_checked() {
    let user = user();
    green(user.test(&["--lib"], &[SAVE]));
    // No file can be made in /proc, whoever one is.
    let elsewhere = ("MEMPROF_BASELINE_FILE", "/proc/memprof-baseline.json");
    let said = green(user.test(&["--lib"], &[SAVE, elsewhere]));
    assert!(
        said.contains("memprof: cannot save the baseline /proc/memprof-baseline.json: "),
        "{said}"
    );
    assert!(said.contains("MEMPROF_BASELINE_FILE"), "{said}");

    let mut permissions = std::fs::metadata(user.path())
        .expect("the folder")
        .permissions();
    let writable = permissions.clone();
    permissions.set_readonly(true);
    std::fs::set_permissions(user.path(), permissions).expect("read-only");
    let reports = tempfile::tempdir().expect("a folder");
    let reports = reports.path().to_str().expect("a name");
    let checked = user.test(&["--lib"], &[CHECK, ("MEMPROF_DIR", reports)]);
    std::fs::set_permissions(user.path(), writable).expect("writable");
    green(checked);
}

/// When recording is off nothing is saved, and nothing is checked.
#[test]
fn off_is_off() {
    let user = user();
    let off = ("MEMPROF", "0");
    green(user.test(&["--lib"], &[SAVE, off]));
    assert!(!file(&user).exists());
    green(user.test(&["--lib"], &[SAVE]));
    green(user.test(&with("regression", &["--lib"]), &[CHECK, off]));
    // And a word that is none of ours.
    let said = green(user.test(
        &with("regression", &["--lib"]),
        &[("MEMPROF_BASELINE", "keep")],
    ));
    assert!(
        said.contains("MEMPROF_BASELINE=keep is ignored: expected save or check"),
        "{said}"
    );
}
