//! Groups of lines whose change of RSS is known together only. Groups that share a line become one, so the groups
//! of a function are disjoint.
//!
//! ```text
//!   stretch over lines 2, 3     group {2, 3}: +4 MiB
//!   stretch over lines 5, 6     group {5, 6}: +1 MiB
//!   stretch over lines 3, 5     group {2, 3, 5, 6}: +4, +1, and what this stretch changed
//! ```
//!
//! A group needs no memory of its own: each of its lines names the group's first line, which has the figures.

/// What is known of the group that a line is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LineGroup {
    /// The place of the group's first line, plus 1; 0 if the line is in no group.
    first: u32,
    /// The figures of the group, if the line is its first one.
    pub figures: GroupFigures,
}

/// What changed in the stretches of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GroupFigures {
    /// In bytes of RSS.
    pub net: i64,
    /// The highest rise of RSS in a stretch.
    pub peak: u64,
    /// How many stretches.
    pub readings: u64,
}

impl LineGroup {
    /// The place of the group's first line.
    pub(crate) fn first(self) -> Option<usize> {
        (self.first as usize).checked_sub(1)
    }
}

impl GroupFigures {
    fn plus(self, other: GroupFigures) -> GroupFigures {
        GroupFigures {
            net: self.net + other.net,
            peak: self.peak.max(other.peak),
            readings: self.readings + other.readings,
        }
    }
}

/// Adds `figures` to the group of all lines that `is_member` names, which are at least one. Groups of which one of
/// these is a line become part of that group.
pub(crate) fn add(
    lines: &mut [LineGroup],
    is_member: impl Fn(usize) -> bool,
    figures: GroupFigures,
) {
    let members = (0..lines.len()).filter(|place| is_member(*place));
    let firsts = members.map(|place| lines[place].first().unwrap_or(place));
    let Some(first) = firsts.min() else { return };
    for place in 0..lines.len() {
        if is_member(place) {
            let before = lines[place].first().unwrap_or(place);
            merge(lines, before, first);
            lines[place].first = first as u32 + 1;
        }
    }
    lines[first].figures = lines[first].figures.plus(figures);
}

/// All lines whose group begins at the line at place `from` are in the group that begins at `to` from now on.
fn merge(lines: &mut [LineGroup], from: usize, to: usize) {
    if from == to {
        return;
    }
    let figures = std::mem::take(&mut lines[from].figures);
    lines[to].figures = lines[to].figures.plus(figures);
    for line in lines.iter_mut() {
        if line.first() == Some(from) {
            line.first = to as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(net: i64, peak: u64) -> GroupFigures {
        GroupFigures {
            net,
            peak,
            readings: 1,
        }
    }

    fn add_to(lines: &mut [LineGroup], members: &[usize], group: GroupFigures) {
        add(lines, |place| members.contains(&place), group);
    }

    fn firsts(lines: &[LineGroup]) -> Vec<Option<usize>> {
        lines.iter().map(|line| line.first()).collect()
    }

    #[test]
    fn line_group_groups_that_share_a_line_become_one() {
        let mut lines = vec![LineGroup::default(); 8];
        add_to(&mut lines, &[2, 3], figures(4, 5));
        add_to(&mut lines, &[5, 6], figures(1, 7));
        let apart = [None, None, Some(2), Some(2), None, Some(5), Some(5), None];
        assert_eq!(firsts(&lines), apart);
        add_to(&mut lines, &[3, 5], figures(-2, 0));
        let one = [None, None, Some(2), Some(2), None, Some(2), Some(2), None];
        assert_eq!(firsts(&lines), one);
        let expected = GroupFigures {
            net: 3,
            peak: 7,
            readings: 3,
        };
        assert_eq!(lines[2].figures, expected);
        assert_eq!(lines[5].figures, GroupFigures::default());
    }

    #[test]
    fn line_group_a_line_before_the_group_becomes_its_first() {
        let mut lines = vec![LineGroup::default(); 4];
        add_to(&mut lines, &[2, 3], figures(4, 5));
        add_to(&mut lines, &[0, 3], figures(1, 1));
        assert_eq!(firsts(&lines), [Some(0), None, Some(0), Some(0)]);
        assert_eq!(lines[0].figures.net, 5);
    }
}
