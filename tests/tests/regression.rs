//! What changed between two runs is found in two real ones.

use memprof::report::diff;
use memprof::run::Run;
use memprof_tests::program::run;

fn recorded(version: &str) -> Run {
    let finished = run(env!("CARGO_BIN_EXE_regression"), &[version]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    finished.recorded()
}

#[test]
fn a_mebibyte_in_one_line_of_thirty_is_named_though_the_function_moved() {
    let (before, after) = (recorded("before"), recorded("after"));
    let diff = diff::compare(&before, &after);
    let shown = diff::text(&diff, 160);
    let (function, line) = diff.worst().expect("something grew");
    let line = line.expect("a line of it");
    assert_eq!(function.label, "parse");
    assert_eq!(
        line.source.trim(),
        "let links = Mapping::new(64 * KIB + MIB);"
    );
    assert_eq!(
        line.source_before.as_deref().map(str::trim),
        Some("let links = Mapping::new(64 * KIB);")
    );
    let (old, new) = (
        line.before.expect("its number"),
        line.after.expect("its number"),
    );
    assert!(new >= old + 12, "{shown}");
    // To the page, where the kernel counts page by page.
    let off = (line.changes.peak_rss.change - (1 << 20)).abs();
    assert!(off <= 256 << 10, "{shown}");
    assert!(
        shown.contains("grew most") && shown.contains("let links"),
        "{shown}"
    );
}
