//! Compiles programs into one binary, and runs them one by one.

use std::path::{Path, PathBuf};
use std::process::Command;

use memprof::run::Run;

use crate::program::Program;
use crate::source;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the binary has beside the programs.
const MAIN: &str = r#"
#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator = memprof::CountingAllocator::system();

fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
"#;

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
    let mut main = String::from("#![allow(unused_variables, dead_code)]\n");
    let mut choices = String::new();
    for (seed, program) in programs {
        write(
            &folder.join(format!("src/p{seed}.rs")),
            &source::of(program).0,
        )?;
        main.push_str(&format!("mod p{seed};\n"));
        choices.push_str(&format!("        Some(\"{seed}\") => p{seed}::start(),\n"));
    }
    main.push_str(MAIN);
    main.push_str(&format!(
        "\nfn main() {{\n    match std::env::args().nth(1).as_deref() {{\n{choices}        _ => panic!(\"a seed\"),\n    }}\n}}\n"
    ));
    write(&folder.join("src/main.rs"), &main)?;
    compile(&folder, &dir.join("target"), release)
}

fn manifest() -> String {
    format!(
        "[package]\nname = \"random-programs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nmemprof = {{ path = {:?} }}\n\n[workspace]\n",
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

/// Runs the program with this seed to its end.
pub(crate) fn run(binary: &Path, seed: u64, dir: &Path) -> Result<Run, String> {
    let reports = dir.join("reports");
    let _ = std::fs::remove_dir_all(&reports);
    let mut program = memprof_tests::program::command(&binary.display().to_string(), &reports);
    let output = program
        .arg(seed.to_string())
        .env("MEMPROF_QUIET", "1")
        // glibc maps large blocks one by one, whatever was freed before.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("seed {seed}: {}\n{said}", output.status));
    }
    memprof::report::read_run(reports.join("latest"))
        .map_err(|error| format!("seed {seed}: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
