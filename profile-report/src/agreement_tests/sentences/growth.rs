//! What is said of how a function grows: sizes, laws and predictions are those of the run.

use memprof_model::growth::Prediction;

use super::figures::{Judged, Of, holds, is_count};
use super::template::begins;
use crate::words::growth::{Grown, Kind, grown, heading};

/// All that is said of the growth of one function.
pub(super) fn judge(of: Of<'_>) -> Judged {
    let sizes = &of.function.sizes;
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else {
        return holds("nothing is said", grown(of.function).is_empty());
    };
    let said = heading(of.function);
    let (holes, _) =
        begins(&said, "with {by}: {number} sizes from {first} to {last}").ok_or(&said)?;
    is_count(holes["number"], sizes.len() as u64)?;
    let is_n = |shown: &str, n: f64| holds(shown, shown.parse() == Ok(n));
    is_n(holes["first"], first.n)?;
    is_n(holes["last"], last.n)?;
    grown(of.function).iter().try_for_each(judge_row)
}

fn judge_row(row: &Grown) -> Judged {
    let law = row.law();
    match &row.growth.law {
        Some(found) => holds(&law, law.starts_with(&found.to_string()))?,
        None => holds(&law, law.starts_with("cannot tell: "))?,
    }
    let said = row.predictions();
    holds("one for each", said.len() == row.growth.predictions.len())?;
    let mut both = row.growth.predictions.iter().zip(&said);
    both.try_for_each(|(found, said)| judge_prediction(row.kind, found, said))
}

fn judge_prediction(kind: Kind, found: &Prediction, said: &str) -> Judged {
    if said == "cannot tell" {
        return holds("it is wide", found.high > 10.0 * found.low.max(0.0));
    }
    let (holes, _) = begins(said, "{value} ({low} to {high})").ok_or(said)?;
    holds("it is narrow", found.high <= 10.0 * found.low)?;
    for (name, exact) in [
        ("value", found.value),
        ("low", found.low),
        ("high", found.high),
    ] {
        is_about(kind, holes[name], exact)?;
    }
    Ok(())
}

/// `"2.5 GiB"` is this number of bytes, or `"7.000 ms"` of nanoseconds, to the last digit.
fn is_about(kind: Kind, shown: &str, exact: f64) -> Judged {
    let (amount, unit) = match shown.split_once(" min ") {
        Some((minutes, _)) => (minutes, "min"),
        None => shown.split_once(' ').ok_or(shown)?,
    };
    let scale = match (kind, unit) {
        (Kind::Time, "ns") => 1.0,
        (Kind::Time, "µs") => 1e3,
        (Kind::Time, "ms") => 1e6,
        (Kind::Time, "s") => 1e9,
        (Kind::Time, "min") => 60e9,
        (_, "B") => 1.0,
        (_, "KiB") => 1024.0,
        (_, "MiB") => 1_048_576.0,
        (_, "GiB") => 1_073_741_824.0,
        _ => return Err(format!("{shown}: an unknown unit")),
    };
    let decimals = amount.split_once('.').map_or(0, |(_, part)| part.len());
    let last = scale * 0.1_f64.powi(decimals as i32);
    let value = amount.parse::<f64>().map_err(|_| shown.to_owned())? * scale;
    let is = (value - exact).abs() <= last.max(1.0);
    holds(&format!("{shown} is {exact}"), is)
}
