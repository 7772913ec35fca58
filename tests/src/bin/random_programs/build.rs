//! Compiles programs into one binary, and runs them one by one.

use std::path::{Path, PathBuf};
use std::process::Command;

use memprof::run::Run;

use crate::program::Program;
use crate::source;
use crate::truth::Heap;

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
    let mut choices = String::new();
    for (seed, program) in programs {
        let path = folder.join(format!("src/p{seed}.rs"));
        write(&path, &source::of(program).0)?;
        main.push_str(&format!("\nmod p{seed};"));
        choices.push_str(&format!("        Some(\"{seed}\") => p{seed}::start(),\n"));
    }
    main.push_str(&format!(
        "\n\nfn start(seed: Option<&str>) {{\n    match seed {{\n{choices}        _ => panic!(\"a seed\"),\n    }}\n}}\n"
    ));
    write(&folder.join("src/main.rs"), &main)?;
    compile(&folder, &dir.join("target"), release)
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

/// Runs the program with this seed to its end. Gives what memprof says of it, and what a panic allocates, as the
/// program has counted it.
pub(crate) fn run(binary: &Path, seed: u64, dir: &Path) -> Result<(Run, Heap), String> {
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
    let mut numbers = said.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(allocated)), Some(Ok(allocations))) => Ok((
            run,
            Heap {
                allocated,
                freed: 0,
                allocations,
            },
        )),
        _ => Err(format!("seed {seed}: no size of a panic in {said:?}")),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
