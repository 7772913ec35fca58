//! Numbers for people: bytes as MiB and nanoseconds as seconds, with three or four digits.

/// Bytes in a MiB.
const MIB: f64 = 1_048_576.0;
/// The most characters that a number with decimals takes: four digits and the point.
const LONGEST: usize = 5;

/// `bytes` in MiB without the unit, `"181.2"`, `"64.03"`, `"0.004"`.
pub fn mib(bytes: u64) -> String {
    four_digits(bytes as f64 / MIB)
}

/// `bytes` in MiB with the unit.
pub fn mib_unit(bytes: u64) -> String {
    format!("{} MiB", mib(bytes))
}

/// A change in MiB with its sign, without the unit: `"+64.03"`, `"-12.50"`, `"0"`.
pub fn signed_mib(bytes: i64) -> String {
    match bytes {
        0 => "0".to_owned(),
        1.. => format!("+{}", mib(bytes.unsigned_abs())),
        _ => format!("-{}", mib(bytes.unsigned_abs())),
    }
}

/// A duration with its unit: `"2.310 s"`, `"45.60 ms"`, `"12.30 µs"`, `"456 ns"`.
pub fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_950 => format!("{} µs", four_digits(ns as f64 / 1e3)),
        999_950..999_950_000 => format!("{} ms", four_digits(ns as f64 / 1e6)),
        999_950_000..600_000_000_000 => format!("{} s", four_digits(ns as f64 / 1e9)),
        _ => {
            let seconds = ns / 1_000_000_000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// A configured interval in milliseconds, as the user would write it: `"10 ms"`, `"0.5 ms"`.
pub(crate) fn interval(ns: u64) -> String {
    format!("{} ms", ns as f64 / 1e6)
}

/// `whole` with thousands apart: `"1 234 567"`.
pub(crate) fn count(whole: u64) -> String {
    let digits = whole.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

/// `part` of `whole` in percent, `"5.0 %"`; empty when there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let share = 100.0 * part as f64 / whole as f64;
    if share > 0.0 && share < 0.05 {
        "< 0.1 %".to_owned()
    } else {
        format!("{share:.1} %")
    }
}

/// The unit that a column of durations shares: milliseconds, or seconds when one is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

impl TimeUnit {
    /// The unit in which `longest` nanoseconds take at most four digits before the point.
    pub(crate) fn for_longest(longest: u64) -> Self {
        if longest < 10_000_000_000 {
            Self::Ms
        } else {
            Self::S
        }
    }

    /// Its symbol.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::S => "s",
        }
    }

    /// `ns` in this unit, without the symbol.
    pub(crate) fn number(self, ns: u64) -> String {
        four_digits(match self {
            Self::Ms => ns as f64 / 1e6,
            Self::S => ns as f64 / 1e9,
        })
    }
}

/// Pads `numbers` on the right so that, set flush right, their decimal points are in one column.
pub fn align_points(numbers: &mut [String]) {
    let decimals = |n: &str| n.find('.').map_or(0, |point| n.len() - point);
    let most = numbers.iter().map(|n| decimals(n)).max().unwrap_or(0);
    for number in numbers.iter_mut().filter(|n| !n.is_empty()) {
        let missing = most - decimals(number);
        number.extend(std::iter::repeat_n(' ', missing));
    }
}

/// A number that is not negative with four digits at most, except for the whole ones beyond.
fn four_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value > 0.0 && value < 0.0005 {
        return "<0.001".to_owned();
    }
    (1..=3)
        .rev()
        .map(|decimals| format!("{value:.decimals$}"))
        .find(|shown| shown.len() <= LONGEST)
        .unwrap_or_else(|| format!("{value:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_or_four_digits_whatever_the_size() {
        let shown: Vec<_> = [
            4096,
            1 << 20,
            67_140_000,
            190_000_000,
            1_073_741_823,
            5 << 40,
        ]
        .into_iter()
        .map(mib)
        .collect();
        assert_eq!(
            shown,
            ["0.004", "1.000", "64.03", "181.2", "1024", "5242880"]
        );
        assert_eq!(mib(24), "<0.001");
    }

    #[test]
    fn changes_carry_their_sign() {
        assert_eq!(signed_mib(1 << 20), "+1.000");
        assert_eq!(signed_mib(-(1 << 20)), "-1.000");
        assert_eq!(signed_mib(i64::MIN), "-8796093022208");
    }

    #[test]
    fn durations_pick_their_unit() {
        let shown: Vec<_> = [
            0,
            999,
            1_000,
            45_600_000,
            999_949_999,
            2_310_000_000,
            3_723_000_000_000,
        ]
        .into_iter()
        .map(duration)
        .collect();
        assert_eq!(
            shown,
            [
                "0 ns",
                "999 ns",
                "1.000 µs",
                "45.60 ms",
                "999.9 ms",
                "2.310 s",
                "62 min 03 s"
            ]
        );
    }

    #[test]
    fn points_line_up() {
        let mut numbers = ["1.5", "", "1200", "0.004"].map(str::to_owned);
        align_points(&mut numbers);
        assert_eq!(numbers, ["1.5  ", "", "1200    ", "0.004"]);
    }

    proptest! {
        /// What is shown is the true value, to the digit that is shown.
        #[test]
        fn shown_digits_are_true(bytes in 525u64..1 << 50) {
            let shown = mib(bytes);
            let decimals = shown.split_once('.').map_or(0, |(_, d)| d.len() as i32);
            let value: f64 = shown.parse().unwrap();
            prop_assert!((value - bytes as f64 / MIB).abs() <= 0.5000001 * 10f64.powi(-decimals));
            prop_assert!(decimals == 0 || shown.len() <= LONGEST);
        }
    }
}
