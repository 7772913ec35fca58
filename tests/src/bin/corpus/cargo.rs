//! Fetches a published crate and runs its tests, with cargo.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::list::Entry;

const TIME_LIMIT: Duration = Duration::from_secs(30 * 60);

/// For crates whose tests make so many calls that memprof compiled for debugging takes minutes.
pub(crate) const OPTIMIZED: &str = "--config=profile.dev.package.memprof.opt-level=3";

/// A crate as it is in the registry.
pub(crate) struct Published {
    pub(crate) version: String,
    pub(crate) dir: PathBuf,
    /// The file of its library or program, where that has to name its dependencies.
    pub(crate) root_2015: Option<PathBuf>,
}

/// What compiling and running a test suite gave.
pub(crate) struct Outcome {
    /// The outcome of each test (`ok`, `FAILED`, `ignored`), by target and name.
    pub(crate) tests: BTreeMap<String, String>,
    /// The compiler's warnings and errors, each with its place.
    pub(crate) messages: Vec<String>,
    pub(crate) compiles: bool,
    /// Whether every test program ended well: one can fail after its last test.
    pub(crate) ends_well: bool,
}

/// Which of a package's tests to run: of some crates not everything is published that their tests
/// need.
#[derive(Clone, Copy)]
pub(crate) enum Suite {
    /// All but those in the documentation.
    All,
    /// Those inside of the library.
    Library,
    /// None; the package is only compiled.
    Nothing,
}

impl Suite {
    fn compiling(self) -> &'static [&'static str] {
        match self {
            Suite::All => &["test", "--tests", "--no-run", "--message-format=json"],
            Suite::Library => &["test", "--lib", "--no-run", "--message-format=json"],
            Suite::Nothing => &["build", "--message-format=json"],
        }
    }

    fn running(self) -> Option<&'static [&'static str]> {
        match self {
            Suite::All => Some(&["test", "--tests", "--no-fail-fast", "--color=never"]),
            Suite::Library => Some(&["test", "--lib", "--no-fail-fast", "--color=never"]),
            Suite::Nothing => None,
        }
    }
}

/// Has cargo download a crate, through a package that depends on it.
pub(crate) fn fetch(entry: &Entry, dir: &Path) -> Result<Published, String> {
    let Entry { name, version, .. } = entry;
    let requirement = if version == "*" {
        "*".to_owned()
    } else {
        format!("={version}")
    };
    let manifest = format!(
        "[package]\nname = \"fetch\"\nedition = \"2021\"\n[dependencies]\n{name} = \"{requirement}\"\n\
         [workspace]\n"
    );
    let fetch = dir.join("fetch").join(name);
    write(&fetch.join("src/lib.rs"), "")?;
    write(&fetch.join("Cargo.toml"), &manifest)?;
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .current_dir(&fetch)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("{name} {version} is not to be had from the registry"))?;
    published(&metadata, name)
        .or_else(|| program(name, version))
        .ok_or_else(|| format!("cargo did not download {name}"))
}

/// A package without a library: cargo downloads it, and leaves it out of what it tells.
fn program(name: &str, version: &str) -> Option<Published> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = entries(&home.join("registry/src")).ok()?;
    let package = |registry: PathBuf| registry.join(format!("{name}-{version}"));
    let dir = registries
        .into_iter()
        .map(package)
        .find(|dir| dir.is_dir())?;
    Some(Published {
        version: version.to_owned(),
        dir,
        root_2015: None,
    })
}

fn published(metadata: &Value, name: &str) -> Option<Published> {
    let packages = metadata["packages"].as_array()?;
    let package = packages
        .iter()
        .find(|package| package["name"] == name && package["source"].is_string())?;
    let dir = Path::new(package["manifest_path"].as_str()?).parent()?;
    let root = Path::new(package["targets"][0]["src_path"].as_str()?);
    let is_2015 = package["edition"] == "2015";
    let root_2015 = root.strip_prefix(dir).ok().filter(|_| is_2015);
    Some(Published {
        version: package["version"].as_str()?.to_owned(),
        dir: dir.to_owned(),
        root_2015: root_2015.map(Path::to_owned),
    })
}

/// Compiles and runs the tests of the package in `dir`.
pub(crate) fn test(entry: &Entry, suite: Suite, dir: &Path) -> Result<Outcome, String> {
    let log = dir.join("compile.json");
    let compiles = cargo(entry, dir, &log, suite.compiling())?;
    let messages = messages(&read(&log)?);
    let mut tests = BTreeMap::new();
    let mut ends_well = compiles;
    if let Some(running) = suite.running().filter(|_| compiles) {
        let log = dir.join("test.log");
        ends_well = cargo(entry, dir, &log, running)?;
        tests = outcomes(&read(&log)?);
    }
    Ok(Outcome {
        tests,
        messages,
        compiles,
        ends_well,
    })
}

fn cargo(entry: &Entry, dir: &Path, log: &Path, args: &[&str]) -> Result<bool, String> {
    let failed = |error| format!("{}: {error}", log.display());
    let output = File::create(log).map_err(failed)?;
    let copy = output.try_clone().map_err(failed)?;
    let target = dir.parent().unwrap_or(dir).with_file_name("build");
    let child = Command::new("cargo")
        .args(args)
        .arg(format!("--features={}", entry.features.join(",")))
        .args(entry.hot.then_some(OPTIMIZED))
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        // Everything is compiled once, and nobody debugs it.
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        // Some tests compare what an error prints, and expect none.
        .env_remove("RUST_BACKTRACE")
        .env("MEMPROF_QUIET", "1")
        .env("MEMPROF_DIR", dir.join("memprof"))
        .stdout(output)
        .stderr(copy)
        .spawn();
    let child = child.map_err(|error| format!("cargo {}: {error}", args[0]))?;
    wait(child).map_err(|error| format!("cargo {} in {}: {error}", args.join(" "), dir.display()))
}

fn wait(mut child: Child) -> Result<bool, String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if start.elapsed() > TIME_LIMIT => {
                stop(&mut child);
                return Err(format!("not done after {} s", TIME_LIMIT.as_secs()));
            }
            Ok(None) => thread::sleep(Duration::from_millis(100)),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Ends cargo and what it has started: a test that hangs would go on for ever otherwise.
fn stop(cargo: &mut Child) {
    let parent = cargo.id().to_string();
    let _ = Command::new("pkill")
        .args(["-KILL", "-P", &parent])
        .status();
    let _ = cargo.kill();
    let _ = cargo.wait();
}

/// The lines `test name ... outcome`, each with the target that cargo announced before.
fn outcomes(log: &str) -> BTreeMap<String, String> {
    let mut target = "";
    let mut tests = BTreeMap::new();
    for line in log.lines() {
        if let Some(running) = line.trim_start().strip_prefix("Running ") {
            target = running
                .rsplit_once(" (")
                .map_or(running, |(target, _)| target);
        } else if let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|line| line.rsplit_once(" ... "))
        {
            tests.insert(format!("{target}: {name}"), outcome.to_owned());
        }
    }
    tests
}

/// The compiler's warnings and errors, without what depends on where the package lies.
fn messages(log: &str) -> Vec<String> {
    let mut messages: Vec<_> = log.lines().filter_map(message).collect();
    messages.sort();
    messages.dedup();
    messages
}

fn message(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let message = line.get("message")?;
    let spans = message["spans"].as_array()?;
    let place = spans.iter().find(|span| span["is_primary"] == true)?;
    Some(format!(
        "{}:{}: {}: {}",
        place["file_name"].as_str()?,
        place["line_start"],
        message["level"].as_str()?,
        message["message"].as_str()?
    ))
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    // Tests may print anything.
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// What is in a folder.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", dir.display());
    let entries = fs::read_dir(dir).map_err(failed)?;
    entries
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect()
}

/// Copies a tree, so that no file of cargo's own cache is changed. A lock file stays behind: it may
/// be too old for the compiler.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for path in entries(from)? {
        let Some(name) = path.file_name().filter(|name| *name != "Cargo.lock") else {
            continue;
        };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}
