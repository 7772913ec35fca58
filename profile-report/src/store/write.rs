//! Writes all files of a run, and brings the root's index up to date.

use std::path::{Path, PathBuf};

use memprof_model::run::Run;

use super::run_before;
use super::run_folder::RunFolder;
use super::{file_names, index};
use crate::allowance::{Clock, standing_clock};
use crate::atomic_file;
use crate::chart::chart_called;
use crate::diff::before::Before;
use crate::error::ReportError;
use crate::facts::names::Names;
use crate::format::{json, mprof};
use crate::pages::{function_page, page_in_folder, run_page};
use crate::plain::text_page;

/// Writes every file of `run` into its folder under `root`, then the root's `index.html` and
/// `latest`. Returns the run's folder.
///
/// Repeated calls with the same `folder` replace the same files. Several processes may write into
/// one root at the same time. Every file appears whole or not at all; `run.json` comes first, so
/// that the data is safe when a later file fails.
/// Where the root holds an earlier run of the same program with the same arguments, the run's page says
/// what changed since.
///
/// `latest` is a symbolic link; where the platform or the file system has none, it is left out.
///
/// # Errors
/// When a file cannot be written or drawn. The error's `Display` is one line for the user.
pub fn write(run: &Run, root: &Path, folder: &RunFolder) -> Result<PathBuf, ReportError> {
    let folder = write_files(run, root, folder, standing_clock)?;
    index::refresh_index(root)?;
    Ok(folder)
}

/// Writes every file of `run` into its folder under `root`. `clock`: by which others' runs are given time.
pub(super) fn write_files(
    run: &Run,
    root: &Path,
    folder: &RunFolder,
    clock: Clock,
) -> Result<PathBuf, ReportError> {
    let folder = folder.in_root(root, run)?;
    let before = run_before::compare(root, &folder, run, clock);
    write_run(run, &folder, before.as_ref())?;
    Ok(folder)
}

/// Writes the run's own files into `folder`, which must exist; what changed since the run before, if
/// there is one, into `changes.html`.
fn write_run(run: &Run, folder: &Path, before: Option<&Before>) -> Result<(), ReportError> {
    let put =
        |name: &str, contents: String| atomic_file::write(&folder.join(name), contents.as_bytes());
    put("run.json", json::to_json(run)?)?;
    let names = file_names::assign(&run.functions);
    let called = Names::of_run(run);
    for (function, name) in run.functions.iter().zip(&names) {
        let title = called.of(function);
        let chart = chart_called(run, function, title)?;
        put(
            &format!("{name}.txt"),
            text_page::render(run, function, title),
        )?;
        put(
            &format!("{name}.html"),
            function_page(run, function, title, name, &chart)?,
        )?;
        put(&format!("{name}.svg"), chart)?;
    }
    if let Some(before) = before {
        put("changes.html", page_in_folder(&before.diff)?)?;
    }
    put("index.html", run_page(run, &names, before)?)?;
    // In place of the journal, which is there until everything else is.
    put("mprofile.dat", mprof::render(run)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::collections::BTreeSet;
    use std::fs;
    use std::time::{Duration, SystemTime};

    /// Processor time of this thread; where that cannot be told, time.
    fn cpu_ns() -> u64 {
        let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
        spent.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap_or_default().as_nanos() as u64
        })
    }

    fn files(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn every_file_of_the_design_is_there() {
        let root = tempfile::tempdir().unwrap();
        let folder = write(&fixture::inverse(), root.path(), &RunFolder::new()).unwrap();
        let expected = [
            "demo-inverse.html",
            "demo-inverse.svg",
            "demo-inverse.txt",
            "index.html",
            "mprofile.dat",
            "run.json",
        ];
        assert_eq!(files(&folder), expected.map(str::to_owned).into());
    }

    #[test]
    fn every_fixture_can_be_written_twice_into_the_same_files() {
        for (name, run) in fixture::all() {
            let root = tempfile::tempdir().unwrap();
            let mine = RunFolder::new();
            let folder = write(&run, root.path(), &mine).unwrap_or_else(|e| panic!("{name}: {e}"));
            let first = files(&folder);
            assert_eq!(write(&run, root.path(), &mine).unwrap(), folder);
            assert_eq!(files(&folder), first, "{name}");
            assert_eq!(first.len(), 3 + 3 * run.functions.len(), "{name}");
        }
    }

    #[test]
    fn a_root_that_is_a_file_is_one_clear_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write(&fixture::nothing(), file.path(), &RunFolder::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&file.path().display().to_string()) && error.contains("MEMPROF_DIR"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
    }

    #[test]
    fn processes_that_write_at_once_all_end_up_in_the_index() {
        let root = tempfile::tempdir().unwrap();
        let run = fixture::no_samples();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| write(&run, root.path(), &RunFolder::new()).unwrap());
            }
        });
        let index = fs::read_to_string(root.path().join("index.html")).unwrap();
        for entry in files(root.path())
            .iter()
            .filter(|name| name.starts_with("quick-"))
        {
            assert!(
                index.contains(&format!("href=\"{entry}/index.html\"")),
                "{entry}"
            );
        }
        assert!(!files(root.path()).iter().any(|name| name.ends_with(".tmp")));
    }

    /// A number from the edges of what its field can hold.
    fn edge(key: &str, pick: u64) -> serde_json::Value {
        let narrow = ["line", "pid", "depth", "source_line"].contains(&key);
        let signed = key.starts_with("net")
            || [
                "suspended_rss",
                "suspended_heap",
                "others_rss",
                "self_net_rss",
            ]
            .contains(&key);
        match pick % 4 {
            0 => 0.into(),
            1 => 1.into(),
            2 if narrow => u32::MAX.into(),
            2 if signed => i64::MIN.into(),
            2 => u64::MAX.into(),
            _ if narrow => 77.into(),
            _ => i64::MAX.into(),
        }
    }

    /// Replaces one number in eight by one from the edges.
    fn damage(value: &mut serde_json::Value, key: &str, random: &mut u64) {
        use serde_json::Value;
        match value {
            Value::Object(fields) => fields
                .iter_mut()
                .for_each(|(key, value)| damage(value, key, random)),
            Value::Array(items) => items.iter_mut().for_each(|item| damage(item, key, random)),
            Value::Number(_) if key != "series_call" => {
                *random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                if random.is_multiple_of(8) || (*random >> 40).is_multiple_of(8) {
                    *value = edge(key, *random >> 50);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn figures_that_make_no_sense_are_shown_without_a_panic() {
        let root = tempfile::tempdir().unwrap();
        for (name, run) in fixture::all()
            .into_iter()
            .filter(|(name, _)| *name != "crowd")
        {
            for seed in 0..12 {
                let mut damaged = serde_json::to_value(&run).unwrap();
                damage(&mut damaged, "", &mut (seed * 77 + 1));
                let run: Run = serde_json::from_value(damaged).unwrap();
                write_run(&run, root.path(), None).unwrap_or_else(|e| panic!("{name} {seed}: {e}"));
                let _ = crate::plain::summary(&run, None, 80);
            }
        }
    }

    /// How long a browser takes to open it is measured in `browser_tests.rs`.
    #[test]
    fn a_large_run_stays_small_enough_to_open_at_once() {
        let root = tempfile::tempdir().unwrap();
        let run = fixture::large();
        let began = cpu_ns();
        let folder = write(&run, root.path(), &RunFolder::new()).unwrap();
        let took = Duration::from_nanos(cpu_ns() - began);
        let size = |name: &str| fs::metadata(folder.join(name)).unwrap().len();
        assert!(size("index.html") < 1_500_000, "{}", size("index.html"));
        let pages = files(&folder)
            .into_iter()
            .filter(|name| name.ends_with(".html") && name != "index.html");
        assert!(pages.map(|name| size(&name)).max().unwrap() < 300_000);
        // 2.3 s of processor time without optimisation; what others do on the machine costs some more.
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn a_long_function_with_thousands_of_samples_has_a_small_page() {
        let root = tempfile::tempdir().unwrap();
        let folder = write(&fixture::long(), root.path(), &RunFolder::new()).unwrap();
        let size = |name: &str| fs::metadata(folder.join(name)).unwrap().len();
        for (file, most) in [("long-parse.html", 500_000), ("long-parse.svg", 100_000)] {
            assert!(size(file) < most, "{file}: {}", size(file));
        }
    }

    /// Any page of the demo: `.ci/run` names the folder of a run of it.
    #[test]
    #[ignore = "needs a demo that has run: .ci/run runs it"]
    fn the_demos_pages_are_small() {
        let folder = std::env::var_os("MEMPROF_TEST_DEMO_RUN").expect("names a run of the demo");
        let folder = Path::new(&folder);
        let pages = files(folder).into_iter().filter(|n| n.ends_with(".html"));
        let sizes: Vec<_> = pages
            .map(|n| (fs::metadata(folder.join(&n)).unwrap().len(), n))
            .collect();
        assert!(sizes.len() >= 2, "{sizes:?}");
        assert!(sizes.iter().all(|(size, _)| *size <= 300_000), "{sizes:?}");
    }

    /// Writes every fixture for people to look at: `cargo test -p memprof-report --lib gallery -- --ignored`.
    #[test]
    #[ignore = "writes target/gallery for people to look at"]
    fn gallery() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/gallery");
        let _ = fs::remove_dir_all(&root);
        let large = ("large", fixture::large());
        let long = ("long", fixture::long());
        for (_, run) in fixture::all().into_iter().chain([large, long]) {
            write(&run, &root, &RunFolder::new()).unwrap();
        }
    }
}
