//! What a program leaves behind while it runs, whenever it is killed.
//!
//! Here it is read with our own reader; `mprof.rs` shows it to Python's mprof.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use memprof::report::{DatRecord, DatRecords};
use memprof_tests::program::{command, run};
use tempfile::TempDir;

/// A program at work, whose stdout is read.
struct Working {
    child: Child,
    root: TempDir,
}

impl Working {
    fn begin(arguments: &[&str]) -> Working {
        let root = TempDir::new().expect("a folder");
        let mut command = command(env!("CARGO_BIN_EXE_busy"), root.path());
        let child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        Working { child, root }
    }

    /// The journal, once it is there.
    fn journal(&self) -> std::path::PathBuf {
        let began = Instant::now();
        loop {
            let mut folders = std::fs::read_dir(self.root.path()).expect("the folder");
            if let Some(folder) = folders.next() {
                let journal = folder.expect("an entry").path().join("mprofile.dat");
                if journal.is_file() {
                    return journal;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no journal");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

/// Every line is one that mprof takes; the last one is whole.
fn assert_readable(text: &[u8]) {
    let mut records = DatRecords::new(text);
    let mut memory = 0;
    for record in records.by_ref() {
        let record = record.unwrap_or_else(|error| panic!("{error}"));
        memory += usize::from(matches!(record, DatRecord::Memory(_)));
    }
    assert_eq!(records.torn(), None);
    assert!(memory >= 2, "mprof draws through two readings at least");
    assert!(text.is_ascii());
}

#[test]
fn it_is_readable_at_every_moment() {
    let mut working = Working::begin(&["steps"]);
    let journal = working.journal();
    let began = Instant::now();
    let mut lengths = Vec::new();
    while began.elapsed() < Duration::from_secs(2) {
        let text = std::fs::read(&journal).expect("there");
        assert_readable(&text);
        lengths.push(text.len());
    }
    working.kill();
    assert!(lengths.is_sorted(), "it only grows");
    lengths.dedup();
    assert!(lengths.len() >= 2, "it grows while the program runs");
}

#[test]
fn a_program_that_ends_by_itself_leaves_no_journal() {
    let finished = run(env!("CARGO_BIN_EXE_busy"), &["grow", "150"]);
    let folder = finished.folder();
    let text = std::fs::read_to_string(folder.join("mprofile.dat")).expect("written");
    for line in text.lines() {
        let kind = line.split(' ').next();
        assert!(matches!(kind, Some("CMDLINE" | "MEM" | "FUNC")), "{line}");
    }
    let left: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
