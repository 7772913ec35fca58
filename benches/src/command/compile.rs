//! What the attribute costs the compiler: a crate of many functions, plain, annotated, compiled out, and
//! with `#[tracing::instrument]`, everything that it depends on built before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::workspace;
use crate::rounds::median;
use crate::run::Ground;
use crate::table::{ratio, time};

/// The crates of one profile.
#[derive(Debug)]
pub(crate) struct Compile {
    functions: usize,
    pub(crate) cells: Vec<Compiled>,
}

/// One crate, in dev and in release: processor time of `cargo build`, and the size of the program.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) name: &'static str,
    pub(crate) dev_ns: f64,
    pub(crate) release_ns: f64,
    /// Of the stripped release program.
    pub(crate) bytes: u64,
}

/// Name, what it depends on, the attribute on every function.
const CRATES: [(&str, &str, &str); 4] = [
    ("plain", "", ""),
    (
        "memprof, compiled out",
        "memprof = { path = MEMPROF, default-features = false }",
        "#[memprof::profile_memory]",
    ),
    (
        "memprof",
        "memprof = { path = MEMPROF }",
        "#[memprof::profile_memory]",
    ),
    (
        "tracing::instrument",
        "tracing = { version = \"0.1\", default-features = false, features = [\"attributes\"] }",
        "#[tracing::instrument(skip_all)]",
    ),
];

pub(crate) const MEMPROF: &str = CRATES[2].0;
pub(crate) const TRACING: &str = CRATES[3].0;

pub(crate) fn measure(ground: &Ground, functions: usize, rounds: usize) -> Option<Compile> {
    let crates: Vec<Crate> = CRATES
        .into_iter()
        .enumerate()
        .map(|(number, (name, dependency, attribute))| {
            let folder = ground.folder.join(format!("crate{number}"));
            write(&folder, dependency, &source(functions, attribute));
            let made = Crate { name, folder };
            eprintln!("compile: what {name} depends on");
            made.build("dev");
            made.build("release");
            made
        })
        .collect();
    let mut times: Vec<[Vec<f64>; 2]> = crates.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    for round in 1..=rounds {
        eprintln!("compile: round {round} of {rounds}");
        for (made, times) in crates.iter().zip(&mut times) {
            times[0].push(made.build("dev"));
            times[1].push(made.build("release"));
        }
    }
    let cells = crates
        .iter()
        .zip(times)
        .map(|(made, [dev, release])| Compiled {
            name: made.name,
            dev_ns: median(dev),
            release_ns: median(release),
            bytes: made.bytes(),
        });
    Some(Compile {
        functions,
        cells: cells.collect(),
    })
}

struct Crate {
    name: &'static str,
    folder: PathBuf,
}

impl Crate {
    /// Processor time of `cargo build` after the source was touched, children included, in nanoseconds.
    fn build(&self, profile: &str) -> f64 {
        let source = self.folder.join("src/main.rs");
        let text = fs::read(&source).expect("the source");
        fs::write(&source, text).expect("touched");
        let before = children_ns();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--quiet", "--offline", "--profile", profile])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // Otherwise the second build of the same source would be no build.
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS");
        let status = cargo.status().expect("cargo can be run");
        assert!(status.success(), "{cargo:?}: {status}");
        children_ns() - before
    }

    fn bytes(&self) -> u64 {
        let program = self.folder.join("target/release/many");
        let metadata =
            fs::metadata(&program).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        metadata.len()
    }
}

fn write(folder: &Path, dependency: &str, source: &str) {
    let memprof = format!("{:?}", workspace().join("profile-runtime"));
    let manifest = format!(
        "[package]\nname = \"many\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{}\n\n[profile.release]\nstrip = true\n\n[workspace]\n",
        dependency.replace("MEMPROF", &memprof)
    );
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    fs::write(folder.join("src/main.rs"), source).expect("written");
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
}

/// Functions of the usual kind: a loop, a branch, a match, an early return.
fn source(functions: usize, attribute: &str) -> String {
    let mut source = String::from("//! Many functions.\n");
    for number in 0..functions {
        source += &format!(
            r#"
{attribute}
fn function_{number}(words: &[String], limit: usize) -> Option<usize> {{
    let mut longest = String::new();
    let mut seen = {number};
    for word in words {{
        if word.len() > longest.len() {{
            longest = word.clone();
        }}
        seen += word.len();
        if seen > limit {{
            return None;
        }}
    }}
    let digits = format!("{{seen}}-{{longest}}");
    match digits.len() {{
        0..=3 => Some(seen),
        4 => Some(longest.len()),
        length => Some(length * 2),
    }}
}}
"#
        );
    }
    source += "\nfn main() {\n    let words: Vec<String> = std::env::args().collect();\n    let mut sum = 0;\n";
    for number in 0..functions {
        source += &format!("    sum += function_{number}(&words, 10_000_000).unwrap_or(0);\n");
    }
    source + "    println!(\"{sum}\");\n}\n"
}

/// Processor time of all children that have ended, in nanoseconds.
fn children_ns() -> f64 {
    // SAFETY: all zeros is a value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid for a write of one `rusage`.
    let answer = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(answer, 0, "getrusage");
    let ns = |time: libc::timeval| time.tv_sec as f64 * 1e9 + time.tv_usec as f64 * 1e3;
    ns(usage.ru_utime) + ns(usage.ru_stime)
}

pub(crate) fn table(compile: Option<&Compile>) -> String {
    let Some(compile) = compile else {
        return String::new();
    };
    let plain = &compile.cells[0];
    let mut text = format!(
        "\n## compile\n\nProcessor time of `cargo build` of a crate with {} functions, with all that it depends on built \
         before and without incremental compilation, and the size of the stripped release program.\n\n\
         | attribute | dev | release | size |\n|---|---|---|---|\n",
        compile.functions
    );
    for cell in &compile.cells {
        text += &format!(
            "| {} | {}, {} | {}, {} | {:.2} MiB |\n",
            cell.name,
            time(cell.dev_ns),
            ratio(cell.dev_ns, plain.dev_ns),
            time(cell.release_ns),
            ratio(cell.release_ns, plain.release_ns),
            cell.bytes as f64 / f64::from(1 << 20)
        );
    }
    text
}
