//! What a measured program says of itself: one line on stdout, as the last thing that it does, so that
//! reports which a profiler writes at the end are in it.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Instant;

/// What one run of a program took. Times in nanoseconds, memory in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// From begin to end of the workload.
    pub wall_ns: u64,
    /// Processor time of all threads meanwhile.
    pub cpu_ns: u64,
    /// Processor time of the main thread meanwhile.
    pub main_ns: u64,
    /// How often the workload's unit ran.
    pub units: u64,
    /// From the end of the workload to the end of the program: a profiler's reports.
    pub exit_ns: u64,
    /// The highest RSS of the whole program, where nobody resets it.
    pub peak_kib: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "measured {} {} {} {} {} {}",
            self.wall_ns, self.cpu_ns, self.main_ns, self.units, self.exit_ns, self.peak_kib
        )
    }
}

impl FromStr for Measured {
    type Err = String;

    /// Finds it among whatever else the program has printed.
    fn from_str(text: &str) -> Result<Measured, String> {
        let line = text.lines().find_map(|line| line.strip_prefix("measured "));
        let numbers: Option<Vec<u64>> =
            line.and_then(|line| line.split(' ').map(|word| word.parse().ok()).collect());
        match numbers.as_deref() {
            Some(&[wall_ns, cpu_ns, main_ns, units, exit_ns, peak_kib]) => Ok(Measured {
                wall_ns,
                cpu_ns,
                main_ns,
                units,
                exit_ns,
                peak_kib,
            }),
            _ => Err(format!("no line `measured …` with six numbers in {text:?}")),
        }
    }
}

/// What is known when the workload has ended.
static WORKLOAD: OnceLock<(Measured, Instant)> = OnceLock::new();

/// To be called first in `main`: what is registered first is called last, behind the reports of
/// profilers that are written at the end of the process.
///
/// # Panics
/// Where the C library refuses.
pub fn say_at_the_end() {
    extern "C" fn say() {
        if let Some(&(workload, ended)) = WORKLOAD.get() {
            let exit_ns = nanoseconds(ended.elapsed());
            let peak_kib = peak_kib();
            let measured = Measured {
                exit_ns,
                peak_kib,
                ..workload
            };
            println!("{measured}");
        }
    }
    // SAFETY: the function takes nothing and does not unwind: printing is all that it does.
    let refused = unsafe { libc::atexit(say) };
    assert_eq!(refused, 0, "atexit");
}

/// Runs the workload, which gives how often its unit ran.
///
/// # Panics
/// When it is called twice.
pub fn workload(run: impl FnOnce() -> u64) {
    let (begin, cpu_before, main_before) = (Instant::now(), cpu_ns(), main_ns());
    let units = run();
    let workload = Measured {
        wall_ns: nanoseconds(begin.elapsed()),
        cpu_ns: cpu_ns() - cpu_before,
        main_ns: main_ns() - main_before,
        units,
        ..Measured::default()
    };
    let first = WORKLOAD.set((workload, Instant::now()));
    assert!(first.is_ok(), "one workload for each program");
}

/// Processor time of the calling thread in nanoseconds.
#[must_use]
pub fn main_ns() -> u64 {
    clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn cpu_ns() -> u64 {
    clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is valid for a write of one `timespec`.
    let answer = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(answer, 0, "clock_gettime");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn peak_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|text| text.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let said = Measured {
            wall_ns: 1,
            cpu_ns: 2,
            main_ns: 3,
            units: 4,
            exit_ns: 5,
            peak_kib: 6,
        };
        assert_eq!(format!("hello\n{said}\n").parse(), Ok(said));
        assert!("measured 1 2 3".parse::<Measured>().is_err());
        assert!("".parse::<Measured>().is_err());
    }
}
