//! Python's own mprof accepts what we write.
//!
//! `MEMPROF_TEST_MPROF` names the program: `.ci/run` installs it and sets the variable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use memprof_tests::killed::Killed;
#[cfg(target_os = "linux")]
use memprof_tests::memory_limit::{Group, limit_address_space};
use memprof_tests::program::run;

fn mprof(arguments: &[&str], data: &Path) -> Output {
    let program = std::env::var_os("MEMPROF_TEST_MPROF")
        .expect("MEMPROF_TEST_MPROF names Python's mprof: .ci/run installs it");
    let output = Command::new(program)
        .args(arguments)
        .arg(data)
        .env("MPLBACKEND", "Agg")
        .current_dir(data.parent().expect("a folder"))
        .output()
        .expect("mprof starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Both plots and both ways to ask for the peak.
fn assert_accepted(data: &Path) {
    let folder = data.parent().expect("a folder");
    for (arguments, picture) in [
        (&["plot", "-o", "plain.png"][..], "plain.png"),
        (&["plot", "--flame", "-o", "flame.png"][..], "flame.png"),
    ] {
        mprof(arguments, data);
        let size = std::fs::metadata(folder.join(picture))
            .expect("a picture")
            .len();
        assert!(size > 1_000, "{picture}: {size} bytes");
    }
    mprof(&["peak"], data);
}

/// `mprof peak --func` for every function that the file names.
fn assert_peaks_of_functions(data: &Path) {
    let text = std::fs::read_to_string(data).expect("written");
    let mut functions: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("FUNC "))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    functions.sort_unstable();
    functions.dedup();
    assert!(!functions.is_empty());
    for function in functions {
        let output = mprof(&["peak", "--func", function], data);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("MiB"), "{function}: {said}");
    }
}

#[test]
#[ignore = "needs Python's mprof: .ci/run installs it and runs this"]
fn accepts_runs_of_every_kind() {
    for (program, argument) in [
        (env!("CARGO_BIN_EXE_truth"), ""),
        (env!("CARGO_BIN_EXE_ends"), "return"),
        (env!("CARGO_BIN_EXE_ends"), "panic"),
        (env!("CARGO_BIN_EXE_names"), ""),
        (env!("CARGO_BIN_EXE_hot"), "100000"),
    ] {
        let finished = run(program, &[argument]);
        let data = finished.folder().join("mprofile.dat");
        assert_accepted(&data);
        assert_peaks_of_functions(&data);
    }
}

#[test]
#[ignore = "needs Python's mprof and a demo that has run: .ci/run does both"]
fn accepts_the_demo() {
    let folder = std::env::var_os("MEMPROF_TEST_DEMO_RUN").expect(".ci/run sets it");
    let folder = tempfile_copy(Path::new(&folder));
    let data = folder.path().join("mprofile.dat");
    assert_accepted(&data);
    assert_peaks_of_functions(&data);
}

#[test]
#[ignore = "needs Python's mprof: .ci/run installs it and runs this"]
fn accepts_journals_of_programs_killed_at_any_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let threads = (0_u64..5).map(|part| {
        let folder = folder.path().to_owned();
        std::thread::spawn(move || {
            (0..10)
                .filter(|n| leave_journal(part * 10 + n, &folder))
                .count()
        })
    });
    let threads: Vec<_> = threads.collect();
    let left: usize = threads
        .into_iter()
        .map(|thread| thread.join().expect("killed"))
        .sum();
    // On a busy machine some have not come as far as a journal.
    assert!(left > 25, "{left} journals");
    let journals: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    // All at once: it takes mprof a second to start.
    let [first, others @ ..] = &journals[..] else {
        panic!("no journals");
    };
    let others: Vec<&str> = others
        .iter()
        .map(|path| path.to_str().expect("a name"))
        .collect();
    let plot = [&["plot", "-o", "all.png"], &others[..]].concat();
    mprof(&plot, first);
    let said = mprof(&[&["peak"], &others[..]].concat(), first).stdout;
    let said = String::from_utf8_lossy(&said);
    assert_eq!(said.matches(" MiB").count(), left, "{said}");
    mprof(&["plot", "--flame", "-o", "flame.png"], first);
    assert_peaks_of_functions(first);
}

/// By the kernel, for what its control group may use, and by itself, when an allocation fails.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs Python's mprof, and root for a control group: .ci/run has both and runs this"]
fn accepts_journals_of_programs_out_of_memory() {
    const MIB: u64 = 1 << 20;
    let group = Group::with_limit(160 * MIB).expect("root may make a control group");
    for limited in ["control group", "address space"] {
        let arguments = ["grow", "4000"];
        let killed =
            Killed::by_itself(
                env!("CARGO_BIN_EXE_busy"),
                &arguments,
                |command| match limited {
                    "control group" => group.confine(command),
                    _ => limit_address_space(command, 600 * MIB),
                },
            );
        assert_eq!(killed.status.code(), None, "{limited}: ended by a signal");
        let journal = killed.journal().expect("it ran long enough");
        assert_accepted(&journal);
        assert_eq!(memprof::recover(killed.root()).expect("recovered").len(), 1);
        assert_accepted(&journal);
        assert_peaks_of_functions(&journal);
    }
}

/// Kills a busy program at a random moment, and copies its journal into `folder`. A program that was
/// killed before it had begun one leaves none.
fn leave_journal(seed: u64, folder: &Path) -> bool {
    let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let time = Duration::from_millis(400 + random % 1_000);
    let killed = Killed::after(env!("CARGO_BIN_EXE_busy"), &["steps"], time);
    let journal = killed.journal();
    journal
        .is_some_and(|journal| std::fs::copy(journal, folder.join(format!("{seed}.dat"))).is_ok())
}

/// mprof writes its pictures beside the data: not into a report.
fn tempfile_copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    std::fs::copy(
        folder.join("mprofile.dat"),
        copy.path().join("mprofile.dat"),
    )
    .expect("copied");
    copy
}
