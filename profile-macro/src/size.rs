//! Amounts of memory as people write them: `"64 MiB"`, `"1.5 GB"`, `"4096"`.

/// Units, and their bytes. Decimal ones are powers of 1000, binary ones of 1024.
const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// The bytes that `text` says; the error tells what to write.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
    let end = text.find(|c| !digits(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: String = number.chars().filter(|&c| c != '_').collect();
    let unit = unit.trim();
    let expected = "expected an amount of memory, such as \"64 MiB\", \"1.5 GB\" or \"4096\"";
    let number: f64 = number.parse().map_err(|_| expected.to_owned())?;
    let bytes = number * factor(unit)? as f64;
    if bytes >= 2_f64.powi(63) {
        return Err(format!("{text} is more than any computer has"));
    }
    if bytes.fract() != 0.0 && unit.len() < 2 {
        return Err("a part of a byte cannot be had".to_owned());
    }
    Ok(rounded(bytes))
}

fn factor(unit: &str) -> Result<u64, String> {
    let lower = unit.to_ascii_lowercase();
    if lower.is_empty() {
        return Ok(1);
    }
    let known = UNITS.iter().find(|(name, _)| *name == lower);
    known.map(|&(_, factor)| factor).ok_or_else(|| match lower.as_str() {
        "k" | "m" | "g" | "t" => {
            let letter = unit.to_ascii_uppercase();
            format!("the unit `{unit}` could be `{letter}B` (powers of 1000) or `{letter}iB` (of 1024)")
        }
        _ => format!("unknown unit `{unit}`; there are B, KB, MB, GB, TB, KiB, MiB, GiB and TiB"),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and less than 2^63"
)]
fn rounded(bytes: f64) -> u64 {
    bytes.round() as u64
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn what_people_write() {
        for (text, expected) in [
            ("64 MiB", 64 << 20),
            ("1 KiB", 1024),
            ("1.5 GB", 1_500_000_000),
            ("1.5GiB", 1_610_612_736),
            ("4096", 4096),
            ("4_096 B", 4096),
            ("0", 0),
            (" 2 tb ", 2_000_000_000_000),
            ("100kB", 100_000),
            ("0.1 KiB", 102),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_nobody_can_mean() {
        for (text, expected) in [
            ("", "expected an amount"),
            ("MiB", "expected an amount"),
            ("1.2.3 MiB", "expected an amount"),
            ("-1 MiB", "expected an amount"),
            (
                "64 M",
                "the unit `M` could be `MB` (powers of 1000) or `MiB` (of 1024)",
            ),
            ("64 MiBs", "unknown unit `MiBs`; there are B, KB,"),
            ("1e3", "unknown unit `e3`"),
            ("9999999 TiB", "9999999 TiB is more than any computer has"),
            ("1.5", "a part of a byte cannot be had"),
        ] {
            let error = bytes(text).expect_err(text);
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
