//! Amounts of memory in words: short for the eye, exact for the mind.

/// `1.50 MiB (1572864 bytes)`: for the eye, and to the byte.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let short = short(bytes);
    match short.contains('.') {
        true => format!("{short} ({bytes} bytes)"),
        false => short,
    }
}

/// `1.50 MiB`
#[must_use]
pub fn short(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = Some(name);
    }
    let Some(unit) = unit else {
        return format!("{bytes} bytes");
    };
    if value.fract() == 0.0 {
        return format!("{value} {unit}");
    }
    format!("{value:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::{bytes, short};

    #[test]
    fn sizes() {
        assert_eq!(short(16_000), "15.62 KiB");
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1024), "1 KiB");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes((64 << 20) + 1), "64.00 MiB (67108865 bytes)");
        assert_eq!(bytes(3 << 29), "1.50 GiB (1610612736 bytes)");
    }
}
