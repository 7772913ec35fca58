//! Bars for terminals, in eighths of a character cell.

/// A bar for `value` out of `full`, padded to `cells` columns. A value above zero always shows.
pub(crate) fn bar(value: u64, full: u64, cells: usize) -> String {
    let share = if full == 0 {
        0.0
    } else {
        (value as f64 / full as f64).min(1.0)
    };
    let mut eighths = (share * (cells * 8) as f64).round() as usize;
    if value > 0 {
        eighths = eighths.max(1);
    }
    let mut shown = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        shown.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8 - 1]);
    }
    let missing = cells.saturating_sub(shown.chars().count());
    shown.extend(std::iter::repeat_n(' ', missing));
    shown
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_have_one_width_and_never_hide_a_value() {
        assert_eq!(bar(0, 100, 4), "    ");
        assert_eq!(bar(1, 1_000_000, 4), "▏   ");
        assert_eq!(bar(50, 100, 4), "██  ");
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(7, 0, 4), "▏   ");
    }
}
