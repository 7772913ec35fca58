//! The bars in the tables of pages.

/// `part` of `whole` in percent, for the width of a bar; at least visible; empty for zero.
pub(super) fn bar(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return String::new();
    }
    format!(
        "{:.1}",
        (100.0 * part as f64 / whole as f64).clamp(0.5, 100.0)
    )
}
