//! Two copies of memprof in one process, that of the program and that of a plugin: the kernel has one
//! high-water mark, so one copy takes its peaks from there, and the other says that it samples.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memprof::run::{PeakMethod, Run};
use memprof_tests::plugin;
use memprof_tests::program::{self, function};

const MIB: u64 = 1 << 20;

/// The program, and its plugin.
fn built() -> &'static [PathBuf; 2] {
    static BUILT: OnceLock<[PathBuf; 2]> = OnceLock::new();
    BUILT.get_or_init(|| plugin::built(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// The runs of the program and of the plugin.
fn runs(order: &str) -> [Run; 2] {
    let [program, plugin] = built()
        .each_ref()
        .map(|path| path.to_str().expect("a path"));
    // Blocks of that size are mapped and unmapped, not kept by the allocator.
    let finished = program::run_with(program, &[plugin, order], |command| {
        command.env("MALLOC_MMAP_THRESHOLD_", "131072");
    });
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let mut runs = finished.runs();
    runs.sort_by_key(|run| run.functions.iter().any(|one| one.label == "inside"));
    runs.try_into().expect("one for each copy")
}

/// The peak is `mebibytes`, and at most half of one is what a new thread or new code took besides.
#[track_caller]
fn assert_peak(run: &Run, name: &str, mebibytes: u64) {
    let peak = function(run, name).peak_rss;
    let right = mebibytes * MIB;
    assert!(
        (right..right + MIB / 2).contains(&peak),
        "{name}: {peak} of {right}"
    );
}

#[test]
fn the_copy_that_began_first_has_the_mark() {
    let [program, plugin] = runs("");
    assert_eq!(program.peak_method, PeakMethod::Kernel);
    // While it worked, the plugin's copy began.
    let around = function(&program, "around").peak_rss;
    assert!((50 * MIB..58 * MIB).contains(&around), "{around}");
    assert_peak(&program, "after", 50);
    assert_eq!(plugin.peak_method, PeakMethod::Sampled);
    assert_eq!(function(&plugin, "inside").calls, 1);
}

#[test]
fn a_plugin_that_began_first_keeps_the_mark() {
    let [program, plugin] = runs("plugin-first");
    assert_eq!(plugin.peak_method, PeakMethod::Kernel);
    assert_peak(&plugin, "inside", 40);
    assert_eq!(function(&plugin, "inside").calls, 2);
    assert_eq!(program.peak_method, PeakMethod::Sampled);
    assert_eq!(function(&program, "around").calls, 1);
}
