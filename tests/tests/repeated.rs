//! Two runs of one program are alike, whatever seeds and the scheduler do, and a MiB more in one line of thirty is
//! found. See `src/bin/repeated/program.rs`.

use memprof::report::diff::{self, Diff, compare, compare_repeated};
use memprof::run::Run;
use memprof_tests::program::run_with;

const WITHOUT: &str = env!("CARGO_BIN_EXE_repeated");
const COUNTING: &str = env!("CARGO_BIN_EXE_repeated_counting");

/// The source of the line that takes more if it is planted.
const PLANTED: &str = "let links = filled(16 * KIB + planted());";

fn recorded(program: &str, way: &str, planted: bool) -> Run {
    let finished = run_with(program, &[way], |command| {
        if planted {
            command.env("PLANTED", "1");
        }
    });
    assert!(finished.output.status.success(), "{}", finished.stderr());
    finished.recorded()
}

fn shown(diff: &Diff) -> String {
    diff::text(diff, 160)
}

/// The line that grew most, and by how much its peak on the heap did.
fn worst(diff: &Diff) -> (String, i64) {
    let line = diff.worst().and_then(|(_, line)| line);
    let line = line.unwrap_or_else(|| panic!("no line grew: {}", shown(diff)));
    (
        line.source.trim().to_owned(),
        line.changes.heap_peak.certain(),
    )
}

#[track_caller]
fn pairs_are_alike(program: &str, way: &str, pairs: usize) -> Run {
    let mut before = recorded(program, way, false);
    for _ in 0..pairs {
        let after = recorded(program, way, false);
        let diff = compare(&before, &after);
        let shown = shown(&diff);
        assert!(!diff.is_beyond_noise(), "{way}: {shown}");
        assert!(shown.contains("no change beyond noise"), "{way}: {shown}");
        before = after;
    }
    before
}

/// With the counting allocator: to the byte, and in the line.
#[track_caller]
fn a_mebibyte_is_found_on_the_heap(way: &str, pairs: usize) {
    let before = pairs_are_alike(COUNTING, way, pairs);
    for _ in 0..pairs {
        let diff = compare(&before, &recorded(COUNTING, way, true));
        assert_eq!(
            worst(&diff),
            (PLANTED.to_owned(), 1 << 20),
            "{}",
            shown(&diff)
        );
    }
}

/// Without it: in the line where one thread was at work; where several were, a MiB of each of them is seen in the
/// process at least, or is said to be less than what can be seen.
#[track_caller]
fn a_mebibyte_is_found_in_rss_or_said_to_be_too_little(way: &str, pairs: usize) {
    let before = pairs_are_alike(WITHOUT, way, pairs);
    for _ in 0..pairs {
        let diff = compare(&before, &recorded(WITHOUT, way, true));
        let shown = shown(&diff);
        if way == "single" {
            assert!(diff.rss_noise.alone < 1 << 20, "{shown}");
            assert_eq!(worst(&diff).0, PLANTED, "{shown}");
        } else if !diff.is_beyond_noise() {
            let least = diff.rss_noise.shared.expect("several threads");
            assert!(least > 1 << 20 && diff.peak_rss.noise > 1 << 20, "{shown}");
            assert!(
                shown.contains("where several threads were at work"),
                "{shown}"
            );
        }
    }
}

#[test]
fn one_thread() {
    a_mebibyte_is_found_on_the_heap("single", 2);
    a_mebibyte_is_found_in_rss_or_said_to_be_too_little("single", 2);
}

#[test]
fn threads() {
    a_mebibyte_is_found_on_the_heap("threads", 1);
    a_mebibyte_is_found_in_rss_or_said_to_be_too_little("threads", 1);
}

#[test]
fn tasks() {
    a_mebibyte_is_found_on_the_heap("async", 1);
    a_mebibyte_is_found_in_rss_or_said_to_be_too_little("async", 1);
}

#[test]
fn rayon() {
    a_mebibyte_is_found_on_the_heap("rayon", 1);
    a_mebibyte_is_found_in_rss_or_said_to_be_too_little("rayon", 1);
}

/// Repeats show how little RSS moves: of three runs of each side, less than a pair would have to.
#[test]
fn repeats_lower_the_bound() {
    let runs = |planted| [(); 3].map(|()| recorded(WITHOUT, "single", planted));
    let (before, same, after) = (runs(false), runs(false), runs(true));
    let compared = |after: &[Run; 3]| {
        let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
        compare_repeated(&before, &after).expect("runs of both sides")
    };
    let (alike, planted) = (compared(&same), compared(&after));
    assert_eq!(
        alike.rss_noise.alone,
        compare(&before[0], &same[0]).rss_noise.alone / 5
    );
    assert!(!alike.peak_rss.counts, "{}", shown(&alike));
    assert_eq!(worst(&planted).0, PLANTED, "{}", shown(&planted));
}

#[test]
#[ignore = "ten pairs of each kind, for a minute and a half: .ci/run has it"]
fn ten_pairs_of_each_kind() {
    for way in ["single", "threads", "async", "rayon"] {
        a_mebibyte_is_found_on_the_heap(way, 10);
        a_mebibyte_is_found_in_rss_or_said_to_be_too_little(way, 10);
    }
}
