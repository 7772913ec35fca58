//! Leaks by origin: what became of the blocks of each line, to the byte.

use memprof::run::{Origins, Run};
use memprof_model::data;
use memprof_tests::program::{function, run};

/// Of the line of `function` that has `source`.
fn of(run: &Run, label: &str, source: &str) -> Origins {
    let lines = &function(run, label).lines;
    let line = lines.iter().find(|line| line.source.contains(source));
    let line = line.unwrap_or_else(|| panic!("{label} has no {source}"));
    line.origins.expect("asked for")
}

fn alive(bytes: u64, blocks: u64) -> Origins {
    data!(Origins {
        alive_bytes: bytes,
        alive_blocks: blocks,
        ..after_call(bytes, blocks)
    })
}

fn after_call(bytes: u64, blocks: u64) -> Origins {
    data!(Origins {
        alive_after_call_bytes: bytes,
        alive_after_call_blocks: blocks,
        ..Origins::default()
    })
}

#[test]
fn every_block_is_told_of_to_the_byte() {
    let run = run(env!("CARGO_BIN_EXE_origins"), &[]).recorded();
    let followed = run.origins.expect("asked for");
    assert_eq!((followed.one_in, followed.lost), (1, 0));
    let nothing = Origins::default();
    for (label, source, expected) in [
        ("call", "let returned", after_call(10 * 1_000, 10)),
        ("call", "let leaked", alive(10 * 200, 10)),
        ("call", "let first", nothing),
        (
            "call",
            "let passing",
            data!(Origins {
                passing_bytes: 10 * 32,
                passing_blocks: 10,
                ..nothing
            }),
        ),
        (
            "call",
            "with_capacity(10)",
            data!(Origins {
                resized: 10,
                ..nothing
            }),
        ),
        (
            "call",
            "reserve_exact(100)",
            data!(Origins {
                resized: 10,
                ..nothing
            }),
        ),
        // Freed on another thread.
        ("hand_over", "black_box", after_call(5 * 300, 5)),
        // Outlived the call that allocated it, not the one around that.
        ("nested", "let inner", nothing),
        ("kept", "with_capacity", alive(100 * 8, 1)),
        ("kept", "all.push", alive(100 * 8, 100)),
        ("waits", "let block", nothing),
    ] {
        let mut found = of(&run, label, source);
        if (label, source) != ("call", "let passing") {
            // What else went at once is not what these lines are about.
            (found.passing_bytes, found.passing_blocks) = (0, 0);
        }
        assert_eq!(found, expected, "{label}: {source}");
    }
    let inner = of(&run, "hand_in", "black_box");
    assert_eq!(inner.alive_after_call_bytes, 700);
    assert_eq!(inner.alive_bytes, 0);
    // A closure's blocks are its call's: this one was freed before that ended.
    let closure = of(&run, "with_closure", "Box::new");
    assert_eq!(closure.alive_after_call_blocks, 0);
}

/// More blocks than there is room for: the figures are estimates, near the truth, and the run says so.
#[test]
fn of_a_million_blocks_some_stand_for_all() {
    let many = 1_000_000;
    let run = run(env!("CARGO_BIN_EXE_origins"), &[&many.to_string()]).recorded();
    let followed = run.origins.expect("asked for");
    assert!(followed.one_in > 1 && followed.lost == 0, "{followed:?}");
    let boxes = of(&run, "kept", "all.push");
    let off = boxes.alive_blocks as f64 / f64::from(many) - 1.0;
    assert!(off.abs() < 0.05, "{boxes:?}");
    assert_eq!(boxes.alive_bytes, 8 * boxes.alive_blocks);
    // Large blocks are all followed.
    let list = of(&run, "kept", "with_capacity");
    assert_eq!(list, alive(8 * many as u64, 1));
    let bytes = run.overhead.profiler_bytes;
    assert!(bytes < 8 << 20, "{bytes}");
}

#[test]
fn without_being_asked_for_there_is_nothing() {
    let run = run(env!("CARGO_BIN_EXE_hot"), &["10"]).recorded();
    assert_eq!(run.origins, None);
    assert_eq!(function(&run, "lines").lines[0].origins, None);
}
