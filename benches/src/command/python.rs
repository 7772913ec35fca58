//! Python's profilers, on twins of the workloads.

use std::process::Command;

use memprof_benches::measured::Measured;

use crate::programs::workspace;
use crate::run::Ground;
use crate::workloads::Workload;

/// A twin, plain and profiled: each the run with the median of the times.
#[derive(Debug)]
pub(crate) struct PythonRow {
    pub(crate) workload: Workload,
    pub(crate) plain: Measured,
    pub(crate) memory_profiler: Measured,
    pub(crate) memray: Measured,
}

/// `None` where there is no twin, or no Python that has the profilers.
pub(crate) fn measure(workload: &Workload, ground: &Ground, rounds: usize) -> Option<PythonRow> {
    let python = ground.programs.python.as_ref()?;
    if workload.python_share == 0 {
        return None;
    }
    let script = workspace().join("benches/python/twins.py");
    let run = |before: &[&str]| {
        let mut command = Command::new(python);
        command
            .args(before)
            .arg(&script)
            .arg(workload.name)
            .arg(workload.python_share.to_string());
        ground.run_command(&mut command)
    };
    let (mut plain, mut memory_profiler, mut memray) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("{} in Python: round {round} of {rounds}", workload.name);
        plain.push(run(&[]));
        memory_profiler.push(run(&["-m", "memory_profiler"]));
        memray.push(run(&[
            "-m",
            "memray",
            "run",
            "--quiet",
            "--output",
            "memray.bin",
        ]));
    }
    Some(PythonRow {
        workload: *workload,
        plain: middle(plain),
        memory_profiler: middle(memory_profiler),
        memray: middle(memray),
    })
}

fn middle(mut runs: Vec<Measured>) -> Measured {
    runs.sort_by_key(|run| run.wall_ns);
    runs[runs.len() / 2]
}
