//! The pages in a real browser: no errors, and everything on them does what it says.
//!
//! `MEMPROF_TEST_CHROMIUM` names the browser; run them with
//! `MEMPROF_TEST_CHROMIUM=chromium cargo test -p memprof-report --lib browser -- --ignored`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use memprof_model::run::Run;

use crate::fixture;
use crate::store::RunFolder;
use crate::store::write;

/// The longest time that a browser may take for one page.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the drivers share.
const HARNESS: &str = include_str!("harness.js");

/// A page to be driven.
#[derive(Debug, Clone, Copy)]
enum Page {
    /// That of the run's first function.
    Function,
    /// The run's own.
    Run,
    /// The index of all runs.
    Index,
    /// What changed since the run before: one of its lines grew, another shrank.
    Changes,
}

/// Writes the reports of `run`, opens one of its pages in a window of this many pixels, drives it, and
/// returns one line for each check.
fn drive(run: &Run, page: Page, width: u32) -> Vec<String> {
    drive_with(run, page, width, None, Scheme::Light)
}

/// The reader's preference; its number is Chromium's.
#[derive(Debug, Clone, Copy)]
enum Scheme {
    Dark = 0,
    Light = 1,
}

/// The same with another driver than the page's own, where one is given.
fn drive_with(
    run: &Run,
    page: Page,
    width: u32,
    driver: Option<&str>,
    scheme: Scheme,
) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let folder = write(run, root.path(), &RunFolder::new()).unwrap();
    let folder = match page {
        Page::Changes => write(&changed(run), root.path(), &RunFolder::new()).unwrap(),
        _ => folder,
    };
    let (page, own) = match page {
        Page::Function => {
            let name = crate::store::file_names::assign(&run.functions).swap_remove(0);
            let page = folder.join(format!("{name}.html"));
            (page, include_str!("function_page.js"))
        }
        Page::Run if run.watched.is_some() => {
            (folder.join("index.html"), include_str!("watched_page.js"))
        }
        Page::Run => (folder.join("index.html"), include_str!("run_page.js")),
        Page::Index => (root.path().join("index.html"), include_str!("index.js")),
        Page::Changes => (folder.join("changes.html"), include_str!("changes_page.js")),
    };
    let driver = driver.unwrap_or(own);
    let text = fs::read_to_string(page).unwrap();
    let page = folder.join("driven.html");
    let scripts = format!("<head><script>{HARNESS}</script><script>{driver}</script>");
    fs::write(&page, text.replacen("<head>", &scripts, 1)).unwrap();
    let budget = Some("--virtual-time-budget=4000");
    checks(&dump(&page, root.path(), width, budget, scheme))
}

/// A later run of the same command, of which one line needs more and another keeps less.
fn changed(run: &Run) -> Run {
    let mut run = run.clone();
    run.started = "2026-03-02T14:05:09Z".to_owned();
    let lines = &mut run.functions[0].lines;
    lines[0].peak_rss += 8 << 20;
    lines[1].net_rss -= 8 << 20;
    run
}

/// What the driver wrote into the page.
fn checks(dom: &str) -> Vec<String> {
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

/// The page's document when `budget` is used up; without one when it is loaded, by the clock.
fn dump(page: &Path, scratch: &Path, width: u32, budget: Option<&str>, scheme: Scheme) -> String {
    let window = format!("--window-size={width},1200");
    let scheme = format!("--blink-settings=preferredColorScheme={}", scheme as u8);
    let mut options = vec!["--dump-dom", &window, &scheme];
    options.extend(budget);
    browse(page, scratch, &options)
}

/// Has the browser open a page, and returns what it printed.
fn browse(page: &Path, scratch: &Path, options: &[&str]) -> String {
    let browser =
        std::env::var_os("MEMPROF_TEST_CHROMIUM").expect("MEMPROF_TEST_CHROMIUM names a browser");
    let printed = scratch.join("printed.txt");
    let profile = scratch.join("browser");
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .arg("--disable-background-networking")
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(options)
        .arg(format!("file://{}", page.display()))
        .stdout(fs::File::create(&printed).unwrap())
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
    fs::read_to_string(&printed).unwrap()
}

#[track_caller]
fn assert_all_hold(checks: &[String]) {
    assert!(checks.len() > 5, "{checks:#?}");
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check.starts_with("FAIL"))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_everything_on_the_function_page_works() {
    assert_all_hold(&drive(&fixture::inverse(), Page::Function, 1200));
}

/// No call of many is picked out where none rose.
#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_the_chart_of_calls_that_did_nothing_shows_them_all() {
    let driver = "drive(() => {\
        checkChart();\
        check('at rest', readout().startsWith('first entry 6.000 → last exit 6.000 MiB'), readout());\
        press(one('svg.live'), '0');\
        fire(one('svg.live'), 'pointermove', at(0.5));\
        check('since the first entry', readout().includes('0 since the first entry'), readout());\
        check('no call is marked', all('.live .bracket.own').length === 0);\
        check('all calls can be shown', one('[data-zoom=call]').textContent === 'calls');\
    })";
    let run = fixture::early_calls();
    assert_all_hold(&drive_with(
        &run,
        Page::Function,
        1200,
        Some(driver),
        Scheme::Light,
    ));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_everything_on_the_run_page_works() {
    assert_all_hold(&drive(&fixture::nested(), Page::Run, 1200));
    assert_all_hold(&drive(&fixture::crowd(40, 500), Page::Run, 1200));
    assert_all_hold(&drive(&fixture::early_calls(), Page::Run, 1200));
    assert_all_hold(&drive(&fixture::many_short_calls(), Page::Run, 1200));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_the_page_of_a_watched_process_works() {
    assert_all_hold(&drive(&fixture::watched(), Page::Run, 1200));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_the_index_can_be_sorted() {
    assert_all_hold(&drive(&fixture::inverse(), Page::Index, 1200));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_text_can_be_read_in_both_schemes() {
    let driver = Some(include_str!("contrast.js"));
    for scheme in [Scheme::Light, Scheme::Dark] {
        for page in [Page::Function, Page::Run, Page::Index, Page::Changes] {
            assert_all_hold(&drive_with(&fixture::inverse(), page, 1200, driver, scheme));
        }
        assert_all_hold(&drive_with(
            &fixture::growing(),
            Page::Function,
            1200,
            driver,
            scheme,
        ));
        assert_all_hold(&drive_with(
            &fixture::heap(),
            Page::Function,
            500,
            driver,
            scheme,
        ));
        assert_all_hold(&drive_with(
            &fixture::leaking(),
            Page::Run,
            1200,
            driver,
            scheme,
        ));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_on_a_narrow_screen_too() {
    for page in [Page::Function, Page::Run, Page::Index] {
        assert_all_hold(&drive(&fixture::inverse(), page, 500));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_changes_are_named_and_lead_back() {
    for width in [500, 1200] {
        assert_all_hold(&drive(&fixture::heap(), Page::Changes, width));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_growth_is_in_sight() {
    let driver = Some(include_str!("growth.js"));
    for width in [500, 1200] {
        assert_all_hold(&drive_with(
            &fixture::growing(),
            Page::Function,
            width,
            driver,
            Scheme::Light,
        ));
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_with_heap_and_workers() {
    let mut run = fixture::heap();
    run.functions.swap(0, 1);
    assert_all_hold(&drive(&run, Page::Function, 1200));
    assert_all_hold(&drive(&run, Page::Run, 1200));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_heap_first_and_lines_that_were_read_together() {
    for width in [500, 1200] {
        assert_all_hold(&drive(&fixture::leaking(), Page::Run, width));
        assert_all_hold(&drive(&fixture::grouped(), Page::Function, width));
    }
    assert_all_hold(&drive(&fixture::leaking(), Page::Index, 1200));
    let first = Some(include_str!("first_screen.js"));
    assert_all_hold(&drive_with(
        &fixture::leaking(),
        Page::Run,
        1200,
        first,
        Scheme::Light,
    ));
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_hostile_text_runs_nothing() {
    for page in [Page::Function, Page::Run, Page::Index] {
        for width in [500, 1200] {
            assert_all_hold(&drive(&fixture::hostile(), page, width));
        }
    }
}

#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_a_long_function_with_thousands_of_samples() {
    assert_all_hold(&drive(&fixture::long(), Page::Function, 1200));
}

/// Charts that stand alone are well-formed and hold no script, whatever the names in them.
#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_charts_are_well_formed() {
    let run = fixture::hostile();
    let functions = run.functions.iter();
    let charts = functions.map(|function| crate::chart::function_chart(&run, function).unwrap());
    let charts: Vec<_> = charts
        .chain([crate::chart::run_chart(&run).unwrap()])
        .collect();
    // Every `<` is escaped, so that the page's own parser sees text.
    let json = serde_json::to_string(&charts)
        .unwrap()
        .replace('<', "\\u003c");
    let driver = format!(
        "drive(() => {json}.forEach((chart, i) => {{\
            const root = new DOMParser().parseFromString(chart, 'image/svg+xml').documentElement;\
            check(`chart ${{i}} is one`, root.nodeName === 'svg', root.textContent.slice(0, 200));\
            check('without a script', !root.querySelector('script, [onerror], [onload], parsererror'));\
        }}))"
    );
    let checks = drive_with(&run, Page::Index, 1200, Some(&driver), Scheme::Light);
    assert_all_hold(&checks);
}

/// On paper a page is light, has few sheets, and every line's source in full.
#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_prints() {
    for (run, sheets) in [
        (fixture::inverse(), 1..=3),
        (fixture::heap(), 1..=3),
        (fixture::hostile(), 2..=8),
    ] {
        let root = tempfile::tempdir().unwrap();
        let folder = write(&run, root.path(), &RunFolder::new()).unwrap();
        let name = crate::store::file_names::assign(&run.functions).swap_remove(0);
        let printed = root.path().join("printed.pdf");
        let printing = format!("--print-to-pdf={}", printed.display());
        let page = folder.join(format!("{name}.html"));
        browse(
            &page,
            root.path(),
            &["--virtual-time-budget=4000", &printing],
        );
        let pdf = fs::read(printed).unwrap();
        let count = pdf
            .windows(11)
            .filter(|w| w.starts_with(b"/Type /Page") && w != b"/Type /Pages")
            .count();
        assert!(sheets.contains(&count), "{name}: {count} sheets");
    }
}

/// What is on paper is not cut off, and source keeps its room.
#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_nothing_is_cut_off_on_paper() {
    let driver = Some(include_str!("print.js"));
    let function = [fixture::inverse(), fixture::heap(), fixture::growing()];
    let pages = function.map(|run| (run, Page::Function)).into_iter();
    let pages = pages.chain([
        (fixture::crowd(14, 60), Page::Run),
        (fixture::heap(), Page::Index),
        (fixture::heap(), Page::Changes),
    ]);
    // The width of A4 between its margins.
    for (run, page) in pages {
        assert_all_hold(&drive_with(&run, page, 718, driver, Scheme::Light));
    }
}

/// The largest run's page, 500 functions and 100,000 calls, is parsed, run and laid out in 0.3 s where
/// nothing else is running. The bound leaves room for a machine on which a lot is.
#[test]
#[ignore = "needs Chromium: .ci/run installs it and runs this"]
fn browser_opens_the_largest_run() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(&fixture::large(), root.path(), &RunFolder::new()).unwrap();
    let text = fs::read_to_string(folder.join("index.html")).unwrap();
    let page = folder.join("driven.html");
    let script = "<head><script>addEventListener('load', () => {\
        const height = document.body.getBoundingClientRect().height;\
        const result = document.createElement('pre');\
        result.id = 'result';\
        result.textContent = `${Math.round(performance.now())} ${Math.round(height)}`;\
        document.body.append(result);\
    });</script>";
    fs::write(&page, text.replacen("<head>", script, 1)).unwrap();
    let opened = (0..3).map(|_| {
        let result = checks(&dump(&page, root.path(), 1200, None, Scheme::Light)).remove(0);
        let (ms, height) = result.split_once(' ').unwrap();
        // 500 rows of some lines each: it is all there.
        assert!(height.parse::<u32>().unwrap() > 20_000, "{height}");
        ms.parse::<u32>().unwrap()
    });
    let opened: Vec<_> = opened.collect();
    println!("milliseconds: {opened:?}");
    assert!(opened.iter().min() < Some(&5_000), "{opened:?}");
}
