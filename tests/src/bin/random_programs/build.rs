//! Compiles programs into one binary, and runs them one by one.

use std::path::{Path, PathBuf};
use std::process::Command;

use memprof::run::Run;

use crate::program::Program;
use crate::source;
use crate::truth::{Heap, Unknown};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Writes a crate with all `programs` into `dir` and compiles it. Gives the binary, which takes a seed.
pub(crate) fn all(
    programs: &[(u64, Program)],
    dir: &Path,
    release: bool,
) -> Result<PathBuf, String> {
    let folder = dir.join("crate");
    write(&folder.join("Cargo.toml"), &manifest())?;
    let lock = Path::new(WORKSPACE).join("Cargo.lock");
    std::fs::copy(&lock, folder.join("Cargo.lock"))
        .map_err(|error| format!("{}: {error}", lock.display()))?;
    let mut main = memprof_tests::user_crate::source("random_programs");
    let (mut starts, mut sizes) = (String::new(), String::new());
    for (seed, program) in programs {
        let path = folder.join(format!("src/p{seed}.rs"));
        write(&path, &source::of(program).0)?;
        main.push_str(&format!("\nmod p{seed};"));
        starts.push_str(&format!("        Some(\"{seed}\") => p{seed}::start(),\n"));
        sizes.push_str(&format!("        Some(\"{seed}\") => p{seed}::sizes(),\n"));
    }
    main.push_str(&choice("start(seed: Option<&str>)", &starts));
    main.push_str(&choice("sizes(seed: Option<&str>) -> Vec<usize>", &sizes));
    write(&folder.join("src/main.rs"), &main)?;
    compile(&folder, &dir.join("target"), release)
}

/// A function of the program that does what its seed chooses.
fn choice(function: &str, choices: &str) -> String {
    format!(
        "\n\nfn {function} {{\n    match seed {{\n{choices}        _ => panic!(\"a seed\"),\n    }}\n}}\n"
    )
}

fn manifest() -> String {
    format!(
        "[package]\nname = \"random-programs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nmemprof = {{ path = {:?} }}\nfutures = \"0.3\"\nrayon = \"1\"\nsmol = \"2\"\n\
         tokio = {{ version = \"1\", features = [\"rt-multi-thread\"] }}\n\n[workspace]\n\n\
         [profile.dev]\ndebug = false\n",
        Path::new(WORKSPACE).join("profile-runtime")
    )
}

fn compile(folder: &Path, target: &Path, release: bool) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--offline", "--quiet"])
        .args(release.then_some("--release"))
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0");
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(format!("{} does not compile", folder.display()));
    }
    let profile = if release { "release" } else { "debug" };
    Ok(target.join(profile).join("random-programs"))
}

/// Runs the program with this seed to its end. Gives what memprof says of it, and the sizes that the program has found
/// by itself.
pub(crate) fn run(binary: &Path, seed: u64, dir: &Path) -> Result<(Run, Unknown), String> {
    let reports = dir.join("reports");
    if reports.exists() {
        std::fs::remove_dir_all(&reports)
            .map_err(|error| format!("{}: {error}", reports.display()))?;
    }
    let mut program = memprof_tests::program::command(&binary.display().to_string(), &reports);
    let output = program
        .arg(seed.to_string())
        .env("MEMPROF_QUIET", "1")
        // glibc keeps small blocks: what it gives back at a free is what others freed before, and nobody knows whose.
        .env("MALLOC_TRIM_THRESHOLD_", (1_u64 << 40).to_string())
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("seed {seed}: {}\n{said}", output.status));
    }
    let run = memprof::report::read_run(reports.join("latest"))
        .map_err(|error| format!("seed {seed}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let sizes = sizes(&said).ok_or_else(|| format!("seed {seed}: no sizes in {said:?}"))?;
    Ok((run, sizes))
}

/// What a program says: bytes and blocks of a panic, and the bytes of each function's future.
fn sizes(said: &str) -> Option<Unknown> {
    let numbers = said.split_whitespace().map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    let [allocated, allocations, futures @ ..] = numbers.as_slice() else {
        return None;
    };
    Some(Unknown {
        panic: Heap {
            allocated: *allocated,
            freed: 0,
            allocations: *allocations,
        },
        futures: futures.to_vec(),
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
