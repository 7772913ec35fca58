//! Figures as sentences have them, read back without the code that wrote them, and what a run has of each.

use memprof_model::run::{Call, FunctionProfile, Line, Outcome, Run};

use crate::agreement_tests::{MIB, is_duration, rounds};

/// A judgement: nothing, or what is wrong.
pub(super) type Judged = Result<(), String>;

/// A run and one of its functions.
#[derive(Clone, Copy)]
pub(super) struct Of<'run> {
    pub(super) run: &'run Run,
    pub(super) function: &'run FunctionProfile,
}

pub(super) fn holds(what: &str, is: bool) -> Judged {
    match is {
        true => Ok(()),
        false => Err(format!("not so: {what}")),
    }
}

/// `"7.000 MiB"` is so many bytes.
pub(super) fn is_size(shown: &str, bytes: u64) -> Judged {
    let mib = shown.strip_suffix(" MiB").unwrap_or("");
    holds(
        &format!("{shown:?} is {bytes} bytes"),
        !mib.is_empty() && rounds(mib, bytes as f64 / MIB),
    )
}

/// `"+7.000"` is so many bytes.
pub(super) fn is_change(shown: &str, bytes: i64) -> Judged {
    let is = match shown {
        "0" => bytes == 0,
        _ => !shown.is_empty() && rounds(shown, bytes as f64 / MIB),
    };
    holds(&format!("{shown:?} is {bytes} bytes"), is)
}

/// `"7.000 MiB"` is no more than so many bytes.
pub(super) fn is_at_most(shown: &str, bytes: u64, what: &str) -> Judged {
    let mib = shown.strip_suffix(" MiB").unwrap_or("");
    let value: f64 = mib.parse().unwrap_or(f64::INFINITY);
    let decimals = mib.split_once('.').map_or(0, |(_, part)| part.len());
    let last = 0.1_f64.powi(decimals as i32);
    let is = value <= bytes as f64 / MIB + last / 2.0 + 1e-9;
    holds(&format!("{shown} is at most {what}, {bytes} bytes"), is)
}

/// `"1 234 567"` is this number.
pub(super) fn is_count(shown: &str, number: u64) -> Judged {
    let digits = shown.replace('\u{202f}', "");
    holds(
        &format!("{shown:?} is {number}"),
        digits.parse() == Ok(number),
    )
}

/// `"1.200 s"` is this moment.
pub(super) fn is_time(shown: &str, ns: u64) -> Judged {
    let is = is_duration(shown, ns as f64) || (ns == 0 && shown == "0 ns");
    holds(&format!("{shown:?} is {ns} ns"), is)
}

/// A moment no earlier than the one and no later than the other, as far as its digits tell.
pub(super) fn is_within(shown: &str, from_ns: u64, to_ns: u64) -> Judged {
    let (amount, unit) = shown.split_once(' ').unwrap_or(("", ""));
    let scale = match unit {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return Err(format!("{shown:?} is no time")),
    };
    let ns = amount.parse().unwrap_or(f64::NAN) * scale;
    let slack =
        scale * 0.1_f64.powi(amount.split_once('.').map_or(0, |(_, part)| part.len()) as i32);
    let is = ns >= from_ns as f64 - slack && ns <= to_ns as f64 + slack;
    holds(&format!("{shown} is from {from_ns} to {to_ns} ns"), is)
}

impl Of<'_> {
    pub(super) fn line(&self, number: &str) -> Result<&Line, String> {
        let lines = &self.function.lines;
        let found = lines.iter().find(|line| line.line.to_string() == number);
        found.ok_or_else(|| format!("there is no line {number:?}"))
    }

    pub(super) fn in_progress(&self) -> u64 {
        let records = self.function.call_records.iter();
        let running = records.filter(|call| call.outcome == Outcome::Running);
        (running.count() as u64).max(self.function.suspended)
    }

    /// What a sentence calls the function's calls.
    pub(super) fn is_whose(&self, shown: &str) -> Judged {
        let calls = self.function.calls;
        let going_on = self.in_progress() > 0;
        match (shown, going_on) {
            ("The call", false) | ("So far the call", true) => holds("one call", calls == 1),
            (shown, false) if shown.starts_with("All ") => is_count(
                shown.trim_start_matches("All ").trim_end_matches(" calls"),
                calls,
            ),
            (shown, true) if shown.starts_with("So far the ") => {
                let number = shown.trim_start_matches("So far the ");
                is_count(number.trim_end_matches(" calls"), calls)
            }
            _ => Err(format!(
                "{shown:?} while {} are in progress",
                self.in_progress()
            )),
        }
    }

    /// The samples' moments, RSS and live heap, in order.
    fn samples(&self) -> Vec<(u64, u64, u64)> {
        let of_run = self.run.series.iter().map(|s| (s.t_ns, s.rss, s.heap));
        let of_call = self.function.series.iter().map(|s| (s.t_ns, s.rss, s.heap));
        let samples = of_run.chain(of_call);
        let mut samples: Vec<_> = samples
            .filter_map(|(t, rss, heap)| Some((t, rss, heap?)))
            .collect();
        samples.sort_by_key(|sample| sample.0);
        samples
    }

    /// The most live heap in the series.
    pub(super) fn most_live(&self) -> u64 {
        self.samples()
            .iter()
            .map(|sample| sample.2)
            .max()
            .unwrap_or(0)
    }

    /// The most that RSS less live heap ever rose.
    pub(super) fn most_spare(&self) -> u64 {
        let samples = self.samples();
        let beyond = |sample: &(u64, u64, u64)| sample.1 as i128 - sample.2 as i128;
        let rises = samples.iter().enumerate().flat_map(|(at, now)| {
            let before = samples[..=at].iter();
            before.map(move |before| beyond(now) - beyond(before))
        });
        rises.max().map_or(0, |rise| rise.max(0) as u64)
    }

    /// By how much RSS less live heap has risen where the calls end.
    pub(super) fn spare_at_end(&self) -> u64 {
        let end = self.function.read_calls().map(|call| call.end_ns).max();
        let samples = self.samples();
        let at = end.and_then(|end| samples.iter().position(|sample| sample.0 >= end));
        let at = at.unwrap_or(samples.len().saturating_sub(1));
        let beyond = |sample: &(u64, u64, u64)| sample.1 as i128 - sample.2 as i128;
        let Some(now) = samples.get(at) else { return 0 };
        let least = samples[..=at].iter().map(beyond).min().unwrap_or(0);
        (beyond(now) - least) as u64
    }

    /// By how much RSS can have moved.
    pub(super) fn range(&self) -> u64 {
        let samples = self.run.series.iter().map(|sample| sample.rss);
        let calls = self.function.read_calls();
        let ends = calls.flat_map(|call| [call.entry_rss, call.exit_rss]);
        let all = samples.chain(ends).chain([self.run.process.baseline_rss]);
        let highest = self.run.process.peak_rss.max(self.function.max_rss);
        highest - all.min().unwrap_or(highest).min(highest)
    }

    /// Whether the ends of every call were read.
    pub(super) fn has_read_all(&self) -> bool {
        let kept = self.function.read_calls().count() as u64;
        let spread = self.function.spread.and_then(|spread| spread.peak_rss);
        let read = spread.map_or(kept, |read| read.calls + self.in_progress());
        read >= self.function.calls
    }

    /// The only call, which nobody else had a part in.
    pub(super) fn only_call(&self) -> Option<&Call> {
        match self.function.call_records.as_slice() {
            [call] if self.function.calls == 1 => Some(call),
            _ => None,
        }
    }

    /// The records that have the function's peak.
    pub(super) fn has_peak_call(&self) -> bool {
        let mut records = self.function.read_calls();
        self.function.calls == 1 || records.any(|call| call.peak_rss == self.function.peak_rss)
    }

    /// What others did is none of the function's.
    pub(super) fn is_alone(&self) -> bool {
        let others = self.function.heap_elsewhere.unwrap_or_default();
        others.allocated.max(others.freed) < 1 << 20
    }

    pub(super) fn was_suspended(&self) -> bool {
        let mut records = self.function.call_records.iter();
        self.function.suspended > 0 || records.any(|call| call.suspended_ns > 0)
    }

    /// Of one call that was never suspended, or no more than was ever seen alive.
    pub(super) fn can_have_lived(&self, bytes: u64, times: u64) -> bool {
        (times == 1 && !self.was_suspended()) || bytes <= self.most_live()
    }
}
