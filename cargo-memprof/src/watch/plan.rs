//! What is to be watched of a process, and how often: the options of `exec` and `attach`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use memprof_model::run::Measure;

/// Options that `exec` and `attach` share.
#[derive(Debug, Args)]
pub(crate) struct WatchOptions {
    /// Time between two readings: `10ms`, `0.5s`; a number alone is seconds, as with mprof
    #[arg(long, short = 'T', value_name = "TIME", default_value = "10ms", value_parser = interval)]
    interval: Duration,
    /// Stop watching after this time; the program runs on
    #[arg(long, short = 't', value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// Add up the memory of the process and all its descendants
    #[arg(long, short = 'C')]
    include_children: bool,
    /// Give each descendant a curve of its own
    #[arg(long, short = 'M')]
    multiprocess: bool,
    /// What to read of a process
    #[arg(long, value_enum, default_value = "rss")]
    backend: Backend,
}

/// What is read of a process.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Backend {
    /// Resident memory, shared pages included
    Rss,
    /// Resident memory, a shared page divided by the processes that share it (Linux; slower)
    Pss,
    /// Resident memory that no other process has (Linux; slower)
    Uss,
}

/// What is to be watched, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) interval: Duration,
    pub(crate) timeout: Option<Duration>,
    /// Whether descendants count.
    pub(crate) summed: bool,
    /// Whether descendants have curves of their own.
    pub(crate) apart: bool,
    pub(crate) measure: Measure,
}

impl WatchOptions {
    /// The options as a plan.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            interval: self.interval,
            timeout: self.timeout,
            summed: self.include_children,
            apart: self.multiprocess,
            measure: match self.backend {
                Backend::Rss => Measure::Rss,
                Backend::Pss => Measure::Pss,
                Backend::Uss => Measure::Uss,
            },
        }
    }
}

/// A time as people write it.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let wanted =
        || "expected a time such as 10ms, 0.5s or 2min; a number alone is seconds".to_owned();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| wanted()),
        Err(_) => {
            let time: SignedDuration = text.parse().map_err(|_| wanted())?;
            Duration::try_from(time).map_err(|_| wanted())
        }
    }
}

/// A time that a sampler can keep.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = time(text)?;
    if (Duration::from_micros(100)..=Duration::from_secs(86_400)).contains(&interval) {
        Ok(interval)
    } else {
        Err("expected a time from 0.1ms to a day".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_and_as_mprof_write_them() {
        for (text, ms) in [
            ("10ms", 10),
            ("0.1", 100),
            ("2", 2_000),
            ("0.5s", 500),
            ("1min", 60_000),
            ("1m 1s", 61_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "-1", "-1s", "soon", "NaN", "1e400"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(interval("1us").is_err() && interval("25h").is_err() && interval("100us").is_ok());
    }
}
