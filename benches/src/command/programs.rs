//! The programs to be measured, built with the features that each needs, and which other profilers there
//! are on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::first_line;

/// The features of a set of programs. As many as can be are the same in all, since dependencies of
/// dependencies take part in them: another set compiles faer again.
const RECORDING: &str = "record,hotpath,dhat";
const ALLOCATIONS: &str = "record,hotpath-alloc,dhat";
const COMPILED_OUT: &str = "";

/// The same where other profilers are left out.
const RECORDING_ALONE: &str = "record";

/// A program as cargo builds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Plain,
    Annotated,
    CompiledOut,
    Counting,
    AnnotatedCounting,
    AnnotatedOrigins,
    Totals,
    Functions,
    HotpathTime,
    HotpathAlloc,
    Dhat,
}

impl Program {
    /// The name of the binary; the features that it is built with; whether it is another profiler's.
    const fn build(self) -> (&'static str, &'static str, bool) {
        match self {
            Program::Plain => ("plain", RECORDING, false),
            Program::Annotated => ("annotated", RECORDING, false),
            Program::CompiledOut => ("annotated", COMPILED_OUT, false),
            Program::Counting => ("counting", RECORDING, false),
            Program::AnnotatedCounting => ("annotated_counting", RECORDING, false),
            Program::AnnotatedOrigins => ("annotated_origins", RECORDING, false),
            Program::Totals => ("totals", RECORDING, false),
            Program::Functions => ("functions", RECORDING, false),
            Program::HotpathTime => ("peer_hotpath", RECORDING, true),
            Program::HotpathAlloc => ("peer_hotpath", ALLOCATIONS, true),
            Program::Dhat => ("peer_dhat", RECORDING, true),
        }
    }
}

const ALL: [Program; 11] = [
    Program::Plain,
    Program::Annotated,
    Program::CompiledOut,
    Program::Counting,
    Program::AnnotatedCounting,
    Program::AnnotatedOrigins,
    Program::Totals,
    Program::Functions,
    Program::HotpathTime,
    Program::HotpathAlloc,
    Program::Dhat,
];

/// Where everything is that is run.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// heaptrack, where it is installed.
    pub(crate) heaptrack: Option<PathBuf>,
    /// A Python with memory_profiler and memray, where there is one.
    pub(crate) python: Option<PathBuf>,
    pub(crate) with_peers: bool,
}

impl Programs {
    /// Builds all programs into `folder`, set by set: features of a package are the same for all its
    /// programs.
    pub(crate) fn build(folder: &Path, with_peers: bool) -> Programs {
        let programs = Programs {
            folder: folder.join("programs"),
            heaptrack: with_peers.then(|| in_path("heaptrack")).flatten(),
            python: with_peers.then(python).flatten(),
            with_peers,
        };
        fs::create_dir_all(&programs.folder).expect("a folder");
        for features in [RECORDING, ALLOCATIONS, COMPILED_OUT] {
            let set: Vec<Program> = ALL
                .into_iter()
                .filter(|program| program.build().1 == features)
                .filter(|program| with_peers || !program.build().2)
                .collect();
            if !set.is_empty() {
                programs.build_set(features, &set);
            }
        }
        programs
    }

    fn build_set(&self, features: &str, set: &[Program]) {
        let features = match features {
            RECORDING if !self.with_peers => RECORDING_ALONE,
            features => features,
        };
        eprintln!("building with features {features:?}");
        let mut cargo = cargo();
        cargo
            .args([
                "build",
                "--quiet",
                "--release",
                "--locked",
                "-p",
                "memprof-benches",
            ])
            .args(["--no-default-features", "--features", features]);
        for program in set {
            cargo.args(["--bin", program.build().0]);
        }
        let status = cargo.status().expect("cargo can be run");
        assert!(status.success(), "{cargo:?}: {status}");
        let built = target().join("release");
        for &program in set {
            let from = built.join(program.build().0);
            fs::copy(&from, self.path(program))
                .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
    }

    pub(crate) fn path(&self, program: Program) -> PathBuf {
        let (name, features, _) = program.build();
        self.folder.join(format!("{name}-{features}"))
    }

    /// Their versions, and how each is used.
    pub(crate) fn describe_peers(&self) -> String {
        if !self.with_peers {
            return "Other profilers were left out (`--without-peers`).\n".to_owned();
        }
        let hotpath = locked("hotpath");
        let dhat = locked("dhat");
        let mut text = format!(
            "Other profilers, as their documentation says they are to be used:\n\n\
             - hotpath {hotpath}: `#[hotpath::measure]` on the same functions, `#[hotpath::main]`; once with \
             its feature `hotpath`, which measures time, and once with `hotpath-alloc`. Its metrics server is off.\n\
             - dhat {dhat}: its allocator, and `Profiler::new_heap()` in `main`; release build with line numbers.\n",
        );
        match self
            .heaptrack
            .as_ref()
            .map(|it| first_line(Command::new(it).arg("--version")))
        {
            Some(version) => {
                let version = version.unwrap_or_default();
                text += &format!(
                    "- {version}: `heaptrack --raw` of the plain program, which spares it the interpretation at the same time.\n"
                );
            }
            None => text += "- heaptrack: not installed here, left out.\n",
        }
        match &self.python {
            Some(python) => {
                let version = |package: &str| {
                    let program = format!(
                        "from importlib.metadata import version; print(version('{package}'))"
                    );
                    first_line(Command::new(python).args(["-c", &program]))
                };
                let unknown = || "unknown".to_owned();
                text += &format!(
                    "- memory_profiler {}, memray {}: of twins in Python (`benches/python`), a part of each \
                     workload, with ratios to plain Python.\n",
                    version("memory_profiler").unwrap_or_else(unknown),
                    version("memray").unwrap_or_else(unknown),
                );
            }
            None => {
                text += "- memory_profiler, memray: no Python that has both (`target/bench-tools`), left out.\n"
            }
        }
        text
    }
}

/// The folder of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// The version of a package in the lock file.
fn locked(package: &str) -> String {
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).unwrap_or_default();
    let wanted = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != wanted);
    let version = lines.nth(1).and_then(|line| line.split('"').nth(1));
    version.unwrap_or("unknown").to_owned()
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// That of `python3 -m venv target/bench-tools`, else the one in the path, if it has what is needed.
fn python() -> Option<PathBuf> {
    let own = target().join("bench-tools/bin/python");
    let candidates = [Some(own), in_path("python3")].into_iter().flatten();
    candidates.into_iter().find(|python| {
        let mut check = Command::new(python);
        check.args(["-c", "import memory_profiler, memray"]);
        check.output().is_ok_and(|output| output.status.success())
    })
}
