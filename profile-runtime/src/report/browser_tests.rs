//! The function page in a real browser: no errors, and everything on it does what it says.
//!
//! `MEMPROF_TEST_CHROMIUM` names the browser; run them with
//! `MEMPROF_TEST_CHROMIUM=chromium cargo test -p memprof --lib browser -- --ignored`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{RunFolder, fixture, write};
use crate::run::Run;

/// The longest time that a browser may take for one page.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is done on the page.
const DRIVER: &str = include_str!("browser_test.js");

/// Opens the page of the run's first function in a window of this many pixels, drives it, and
/// returns one line for each check.
fn drive(run: &Run, width: u32) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let folder = write(run, root.path(), &RunFolder::new()).unwrap();
    let name = super::file_names::assign(&run.functions).swap_remove(0);
    let page = folder.join("driven.html");
    let text = fs::read_to_string(folder.join(format!("{name}.html"))).unwrap();
    fs::write(
        &page,
        text.replacen("<head>", &format!("<head><script>{DRIVER}</script>"), 1),
    )
    .unwrap();
    let dom = dump(&page, root.path(), width);
    let (_, result) = dom
        .split_once("<pre id=\"result\">")
        .expect("the driver reports");
    result
        .split("</pre>")
        .next()
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The page's document after its scripts have run.
fn dump(page: &Path, scratch: &Path, width: u32) -> String {
    let browser =
        std::env::var_os("MEMPROF_TEST_CHROMIUM").expect("MEMPROF_TEST_CHROMIUM names a browser");
    let dumped = scratch.join("dumped.html");
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--virtual-time-budget=4000",
            "--dump-dom",
        ])
        .arg(format!("--window-size={width},1200"))
        .arg(format!(
            "--user-data-dir={}",
            scratch.join("browser").display()
        ))
        .arg(format!("file://{}", page.display()))
        .stdout(fs::File::create(&dumped).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    // A browser that cannot start properly (too little memory, say) may wait for ever.
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the browser did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(&dumped).unwrap()
}

#[track_caller]
fn assert_all_hold(checks: &[String]) {
    assert!(checks.len() > 15, "{checks:#?}");
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check.starts_with("FAIL"))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
#[ignore = "needs Chromium"]
fn browser_everything_on_the_page_works() {
    assert_all_hold(&drive(&fixture::inverse(), 1200));
}

#[test]
#[ignore = "needs Chromium"]
fn browser_on_a_narrow_screen_too() {
    assert_all_hold(&drive(&fixture::inverse(), 500));
}

#[test]
#[ignore = "needs Chromium"]
fn browser_with_heap_and_workers() {
    let mut run = fixture::heap();
    run.functions.swap(0, 1);
    assert_all_hold(&drive(&run, 1200));
}

#[test]
#[ignore = "needs Chromium"]
fn browser_hostile_text_runs_nothing() {
    assert_all_hold(&drive(&fixture::hostile(), 1200));
}

/// Opens the run's `index.html` and returns how long that took, the browser's start included.
fn open_index(run: &Run) -> Duration {
    let root = tempfile::tempdir().unwrap();
    let folder = write(run, root.path(), &RunFolder::new()).unwrap();
    let began = Instant::now();
    let dom = dump(&folder.join("index.html"), root.path(), 1200);
    assert!(dom.trim_end().ends_with("</html>"));
    began.elapsed()
}

#[test]
#[ignore = "needs Chromium"]
fn browser_opens_the_largest_run() {
    // The page must come up whole, which `open_index` asserts. How long it takes depends on the
    // machine and is said, not judged: 0.4 s more than an empty page when nothing else ran.
    let (start, opened) = (
        open_index(&fixture::nothing()),
        open_index(&fixture::large()),
    );
    println!("{opened:?}, of it {start:?} for an empty run's page");
}
