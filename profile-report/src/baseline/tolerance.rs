//! How much more than a baseline is allowed.

use memprof_model::internal::short;

use super::figure::Figure;
use crate::diff::noise;

/// How much more than the baseline a figure may be.
///
/// Written `"5%"`, `"1 MiB"`, or both with a comma: the share holds for every figure; peaks of RSS may
/// also be higher by the amount of memory, because pages come and go for reasons of their own. What two
/// runs differ by in which a function does the same (504 KiB of RSS; a few bytes, and very few
/// allocations, of very many) is allowed in any case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    percent: f64,
    rss_floor: u64,
}

/// What is expected where a tolerance cannot be understood.
pub const EXPECTED: &str = "a percentage, an amount of memory, or both: \"5%, 1 MiB\"";

impl Default for Tolerance {
    /// 5%, and 1 MiB of RSS.
    fn default() -> Tolerance {
        Tolerance {
            percent: 5.0,
            rss_floor: 1 << 20,
        }
    }
}

impl Tolerance {
    /// The same with another share, in percent; what is no share leaves it as it is.
    #[must_use]
    pub fn percent(mut self, percent: f64) -> Tolerance {
        if (0.0..=1e6).contains(&percent) {
            self.percent = percent;
        }
        self
    }

    /// The same with another amount of RSS, in bytes.
    #[must_use]
    pub fn rss_floor(mut self, bytes: u64) -> Tolerance {
        self.rss_floor = bytes;
        self
    }

    /// What `text` says, the rest as it is here; `None` if it cannot be understood.
    #[doc(hidden)]
    pub fn with(self, text: &str) -> Option<Tolerance> {
        text.split(',').try_fold(self, |tolerance, part| {
            let part = part.trim();
            match part.strip_suffix('%') {
                Some(number) => {
                    let percent: f64 = number.trim().parse().ok()?;
                    (0.0..=1e6)
                        .contains(&percent)
                        .then(|| tolerance.percent(percent))
                }
                None => Some(tolerance.rss_floor(amount(part)?)),
            }
        })
    }

    /// The highest value that `figure` may have where the baseline has `was`, and `made` allocations. What is noise
    /// is always allowed: RSS is in a baseline where it is known that nobody else worked on it.
    pub(super) fn allowed(self, figure: Figure, was: u64, made: Option<u64>) -> u64 {
        let share = (was as f64 * self.percent / 100.0) as u64;
        let noise = match figure {
            Figure::PeakRss => self.rss_allowed(),
            Figure::HeapPeak | Figure::Allocated => noise::heap_bytes(made.unwrap_or(1), 0),
            Figure::Allocations => noise::allocations(was, false),
        };
        was.saturating_add(share.max(noise))
    }

    fn rss_allowed(self) -> u64 {
        self.rss_floor.max(noise::ALONE)
    }

    /// How much more is allowed, in words.
    pub(super) fn shown(self) -> String {
        let rss = amount_shown(self.rss_allowed());
        format!("{}, and {rss} of RSS, are allowed", self.shown_percent())
    }

    /// `5%`
    pub(super) fn shown_percent(self) -> String {
        format!("{}%", self.percent)
    }

    /// `1 MiB`, and exactly what it is.
    pub(super) fn shown_floor(self) -> String {
        amount_shown(self.rss_floor)
    }
}

fn amount_shown(bytes: u64) -> String {
    let shown = short(bytes);
    if amount(&shown) == Some(bytes) {
        shown
    } else {
        format!("{bytes} bytes")
    }
}

/// Bytes that `text` says: `1 MiB`, `64KiB`. With a unit, because a number alone could mean percent.
fn amount(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "b" | "bytes" => 1.0,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * factor;
    (bytes < 1e18).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_meant() {
        let read = |text: &str| Tolerance::default().with(text);
        let default = Tolerance::default();
        assert_eq!(read("10%"), Some(default.percent(10.0)));
        assert_eq!(read("64KiB"), Some(default.rss_floor(64 << 10)));
        let both = default.percent(0.5).rss_floor(3 << 19);
        assert_eq!(read(" 0.5 % , 1.5 MiB"), Some(both));
        assert_eq!(read("0%,0 B"), Some(default.percent(0.0).rss_floor(0)));
        for wrong in ["", "5", "5 percent", "-1%", "nan%", "1 MB", "5%,", "1e9%"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_floor_is_for_rss_alone() {
        let tolerance = Tolerance::default();
        assert_eq!(tolerance.allowed(Figure::HeapPeak, 10_000, Some(1)), 10_500);
        assert_eq!(tolerance.allowed(Figure::Allocations, 3, Some(3)), 3);
        assert_eq!(tolerance.allowed(Figure::PeakRss, 1_000, None), 1_049_576);
        assert_eq!(
            tolerance.allowed(Figure::PeakRss, 1 << 30, None),
            1_127_428_915
        );
        assert_eq!(tolerance.allowed(Figure::PeakRss, u64::MAX, None), u64::MAX);
    }

    #[test]
    fn noise_is_allowed_whatever_the_tolerance_is() {
        let tolerance = Tolerance::default().percent(0.0).rss_floor(0);
        let allowed = |figure| tolerance.allowed(figure, 1_000_000, Some(10_000));
        // 64 bytes × √10,000 blocks.
        assert_eq!(allowed(Figure::Allocated), 1_006_400);
        assert_eq!(allowed(Figure::HeapPeak), 1_006_400);
        // Three standard deviations of a hundredth of a million.
        assert_eq!(allowed(Figure::Allocations), 1_000_300);
        assert_eq!(allowed(Figure::PeakRss), 1_000_000 + (504 << 10));
        assert_eq!(tolerance.shown(), "0%, and 504 KiB of RSS, are allowed");
    }

    #[test]
    fn shown_as_it_is_read() {
        for floor in [0, 1000, 4096, 1 << 20, 3 << 19, (1 << 20) + 1] {
            let tolerance = Tolerance::default().rss_floor(floor).percent(2.5);
            let text = format!("{}, {}", tolerance.shown_percent(), tolerance.shown_floor());
            assert_eq!(Tolerance::default().with(&text), Some(tolerance), "{text}");
        }
    }
}
