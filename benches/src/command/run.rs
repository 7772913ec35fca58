//! Runs one program once, in a folder where its profiler may write what it wants.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use memprof_benches::measured::Measured;

use crate::programs::Programs;
use crate::variants::Variant;

/// The programs, and a folder for what profilers write.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) programs: Programs,
    /// Temporary.
    pub(crate) folder: PathBuf,
}

impl Ground {
    pub(crate) fn new(folder: &Path, programs: Programs) -> Ground {
        Ground {
            programs,
            folder: folder.to_owned(),
        }
    }

    /// What `variant` says of itself when it runs `workload`.
    pub(crate) fn run(
        &self,
        variant: &Variant,
        workload: &str,
        variables: &[(&str, &str)],
    ) -> Measured {
        let program = self.programs.path(variant.program);
        let mut command = match &self.programs.heaptrack {
            Some(heaptrack) if variant.under_heaptrack => {
                let mut command = Command::new(heaptrack);
                command
                    .args(["--raw", "--output", "heaptrack"])
                    .arg(&program);
                command
            }
            _ => Command::new(&program),
        };
        command
            .arg(workload)
            .envs(variant.variable)
            .envs(variables.iter().copied());
        self.run_command(&mut command)
    }

    /// What a program says of itself; what it and its profiler have written before is gone.
    pub(crate) fn run_command(&self, command: &mut Command) -> Measured {
        let scratch = self.scratch();
        if scratch.exists() {
            fs::remove_dir_all(&scratch).expect("the folder of the run before can go");
        }
        fs::create_dir_all(&scratch).expect("a folder");
        let output = command
            .current_dir(&scratch)
            .env("MEMPROF_DIR", self.reports())
            .env("MEMPROF_QUIET", "1")
            .env("HOTPATH_METRICS_SERVER_OFF", "true")
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{command:?}: {}\n{stdout}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        stdout
            .parse()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// The folder that memprof keeps runs in, with the last run alone.
    pub(crate) fn reports(&self) -> PathBuf {
        self.scratch().join("memprof")
    }
}
