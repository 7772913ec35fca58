//! Which rows of a long list are shown.

/// The first of `count` rows to be shown in `room` rows, so that the selected one is among them, in the
/// middle where it can be.
pub(super) fn window(count: usize, selected: usize, room: usize) -> usize {
    selected
        .saturating_sub(room / 2)
        .min(count.saturating_sub(room))
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_selected_row_is_always_in_the_window() {
        for (count, room) in [(0, 0), (1, 5), (5, 1), (30, 7), (7, 30)] {
            for selected in 0..count {
                let first = window(count, selected, room);
                assert!(first <= selected && (selected < first + room || room == 0));
            }
        }
        assert_eq!(window(100, 99, 10), 90);
        assert_eq!(window(100, 50, 10), 45);
    }
}
