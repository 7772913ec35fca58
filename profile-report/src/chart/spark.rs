//! When a line ran, as a picture for a table cell: a path in a box that CSS stretches.

use std::fmt::Write as _;

use memprof_model::run::{Call, LineSample};

/// Width of the box that the path is in; the page's `viewBox` says the same.
const WIDTH: usize = 60;
/// Its height.
const HEIGHT: usize = 16;

/// When a line ran during a call: a bar for each slice of the call, as high as the share of the
/// slice in which the sampler found the line running. Empty when it never did.
pub(crate) fn activity(series: &[LineSample], call: &Call, line: u32) -> String {
    let span = call.end_ns.saturating_sub(call.start_ns).max(1) as f64;
    let position = |t_ns: u64| t_ns.saturating_sub(call.start_ns) as f64 / span * WIDTH as f64;
    let mut shares = [0.0_f64; WIDTH];
    for (i, sample) in series
        .iter()
        .enumerate()
        .filter(|(_, sample)| sample.line == Some(line))
    {
        let until = series.get(i + 1).map_or(call.end_ns, |next| next.t_ns);
        add(&mut shares, position(sample.t_ns), position(until));
    }
    path(&shares)
}

/// Adds the stretch from `from` to `to` to the slices that it covers.
fn add(shares: &mut [f64; WIDTH], from: f64, to: f64) {
    for (slice, share) in shares.iter_mut().enumerate().skip(from as usize) {
        let (left, right) = (slice as f64, (slice + 1) as f64);
        if left >= to {
            break;
        }
        *share += (right.min(to) - left.max(from)).max(0.0);
    }
}

/// Bars standing on the box's lower edge; neighbours of one height become one.
fn path(shares: &[f64; WIDTH]) -> String {
    let heights = shares.map(|share| {
        if share > 0.0 {
            (share * HEIGHT as f64).round().max(2.0) as usize
        } else {
            0
        }
    });
    let mut path = String::new();
    let mut at = 0;
    for bars in heights.chunk_by(|a, b| a == b) {
        let (height, width) = (bars[0].min(HEIGHT), bars.len());
        if height > 0 {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{at} {HEIGHT}v-{height}h{width}v{height}z");
        }
        at += width;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_line_is_active_where_it_ran() {
        let run = fixture::inverse();
        let function = &run.functions[0];
        let call = &function.call_records[function.series_call.unwrap()];
        let starts = |line| {
            activity(&function.series, call, line)
                .split(' ')
                .next()
                .map(str::to_owned)
        };
        assert_eq!(
            (starts(26), starts(29)),
            (Some("M0".into()), Some("M20".into()))
        );
        assert_eq!(activity(&function.series, call, 31), "");
    }

    #[test]
    fn lines_of_one_call_fill_their_slices_at_most() {
        let mut shares = [0.0; WIDTH];
        add(&mut shares, 1.25, 3.5);
        add(&mut shares, 58.0, 1e9);
        assert_eq!(
            (shares[0], shares[1], shares[2], shares[3], shares[59]),
            (0.0, 0.75, 1.0, 0.5, 1.0)
        );
    }
}
