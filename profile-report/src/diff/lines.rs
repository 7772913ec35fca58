//! Which line of a function is which of its earlier version.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices, capture_diff_slices_deadline, diff_ratio};

/// Two texts are versions of one line from this likeness on.
const EDITED: f64 = 0.6;
/// Longer lines are not compared character by character, nor blocks of more lines with each other.
const LONGEST: usize = 400;
const MOST_LINES: usize = 60;
/// A source made to be hard to compare is compared badly instead of slowly.
const PATIENCE: Duration = Duration::from_millis(500);

/// Places of the same line in `old` and `new`; a line that is only in one of them stands alone. In the
/// order of `new`, with what is gone where it was.
pub(super) fn pairs(old: &[&str], new: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    let old: Vec<_> = old.iter().map(|line| line.trim()).collect();
    let new: Vec<_> = new.iter().map(|line| line.trim()).collect();
    let operations = compared(&old, &new);
    let mut matches = Matches::new(new.len());
    for operation in &operations {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = *operation
        {
            (0..len).for_each(|i| matches.set(old_index + i, new_index + i));
        }
    }
    matches.moved(&old, &new);
    for operation in &operations {
        if let DiffOp::Replace { .. } = operation {
            matches.edited(&old, &new, operation);
        }
    }
    matches.in_order(old.len())
}

/// How much of two texts is alike, line by line, braces apart: from 0 to 1; 0 if one is empty.
pub(super) fn likeness(old: &str, new: &str) -> f64 {
    let lines = |text| {
        str::lines(text)
            .map(str::trim)
            .filter(|line| line.contains(char::is_alphanumeric))
    };
    let (old, new): (Vec<_>, Vec<_>) = (lines(old).collect(), lines(new).collect());
    if old.is_empty() || new.is_empty() {
        return 0.0;
    }
    f64::from(diff_ratio(&compared(&old, &new), old.len(), new.len()))
}

fn compared(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let deadline = Instant::now().checked_add(PATIENCE);
    capture_diff_slices_deadline(Algorithm::Patience, old, new, deadline)
}

/// For each line of the new source the one of the old that it was.
struct Matches {
    of_new: Vec<Option<usize>>,
    of_old: HashMap<usize, usize>,
}

impl Matches {
    fn new(lines: usize) -> Self {
        Self {
            of_new: vec![None; lines],
            of_old: HashMap::new(),
        }
    }

    fn set(&mut self, old: usize, new: usize) {
        self.of_new[new] = Some(old);
        self.of_old.insert(old, new);
    }

    /// Lines with the same text that are in another order now. A brace says nothing of itself.
    fn moved(&mut self, old: &[&str], new: &[&str]) {
        let mut waiting: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (i, line) in old.iter().enumerate() {
            if !self.of_old.contains_key(&i) && line.contains(char::is_alphanumeric) {
                waiting.entry(line).or_default().push_back(i);
            }
        }
        for (j, line) in new.iter().enumerate() {
            if self.of_new[j].is_none()
                && let Some(i) = waiting.get_mut(line).and_then(VecDeque::pop_front)
            {
                self.set(i, j);
            }
        }
    }

    /// Lines that took each other's place and are much alike.
    fn edited(&mut self, old: &[&str], new: &[&str], replaced: &DiffOp) {
        let mut from = replaced.old_range().start;
        let (olds, news) = (replaced.old_range(), replaced.new_range());
        if olds.len() > MOST_LINES || news.len() > MOST_LINES {
            return;
        }
        for j in news {
            if self.of_new[j].is_some() {
                continue;
            }
            let found = (from..olds.end)
                .filter(|i| !self.of_old.contains_key(i))
                .find(|&i| is_edited(old[i], new[j]));
            if let Some(i) = found {
                self.set(i, j);
                from = i + 1;
            }
        }
    }

    /// All pairs in the order of the new source; a line that is gone comes behind the one that it
    /// followed.
    fn in_order(self, old_lines: usize) -> Vec<(Option<usize>, Option<usize>)> {
        let mut pairs = Vec::new();
        let mut gone = (0..old_lines)
            .filter(|i| !self.of_old.contains_key(i))
            .peekable();
        for (j, &of_old) in self.of_new.iter().enumerate() {
            if let Some(i) = of_old {
                while let Some(before) = gone.next_if(|&before| before < i) {
                    pairs.push((Some(before), None));
                }
            }
            pairs.push((of_old, Some(j)));
        }
        pairs.extend(gone.map(|i| (Some(i), None)));
        pairs
    }
}

fn is_edited(old: &str, new: &str) -> bool {
    if old.len() > LONGEST || new.len() > LONGEST {
        return false;
    }
    let (old, new): (Vec<_>, Vec<_>) = (old.chars().collect(), new.chars().collect());
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    f64::from(diff_ratio(&operations, old.len(), new.len())) >= EDITED
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matched(old: &str, new: &str) -> Vec<(Option<usize>, Option<usize>)> {
        let lines = |text| str::split(text, '|').collect::<Vec<_>>();
        pairs(&lines(old), &lines(new))
    }

    #[test]
    fn lines_are_the_same_wherever_they_stand() {
        let both = |i, j| (Some(i), Some(j));
        assert_eq!(
            matched("a|b|c", "x|a|  b|c"),
            [(None, Some(0)), both(0, 1), both(1, 2), both(2, 3)]
        );
        assert_eq!(
            matched("a|b|c", "c|a|b"),
            [both(2, 0), both(0, 1), both(1, 2)]
        );
        assert_eq!(
            matched("a|b|c", "a|c"),
            [both(0, 0), (Some(1), None), both(2, 1)]
        );
    }

    #[test]
    fn a_line_may_be_edited() {
        let pairs = matched(
            "fn f() {|let page = vec![1; 1 << 20];|done(page)|}",
            "fn f() {|let page = vec![1; 2 << 20];|}",
        );
        assert_eq!(
            pairs,
            [
                (Some(0), Some(0)),
                (Some(1), Some(1)),
                (Some(2), None),
                (Some(3), Some(2)),
            ]
        );
    }

    #[test]
    fn different_lines_are_different() {
        assert_eq!(
            matched("read(file)", "let x = 5;"),
            [(None, Some(0)), (Some(0), None)]
        );
    }

    #[test]
    fn a_source_that_is_hard_to_compare_takes_no_time() {
        let line = |i: usize| (i * 7919 % 13).to_string();
        let old: Vec<_> = (0..20_000).map(line).collect();
        let new: Vec<_> = (0..20_000).map(|i| line(i * i)).collect();
        let began = Instant::now();
        let texts = |lines: &'_ [String]| {
            lines
                .iter()
                .map(|line| line.clone().leak() as &str)
                .collect::<Vec<_>>()
        };
        pairs(&texts(&old), &texts(&new));
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    proptest! {
        #[test]
        fn every_line_comes_once(old in "[ab{}\n]{0,30}", new in "[ab{}\n]{0,30}") {
            let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
            let pairs = pairs(&old, &new);
            let news: Vec<_> = pairs.iter().filter_map(|pair| pair.1).collect();
            let mut olds: Vec<_> = pairs.iter().filter_map(|pair| pair.0).collect();
            olds.sort_unstable();
            prop_assert_eq!(news, (0..new.len()).collect::<Vec<_>>());
            prop_assert_eq!(olds, (0..old.len()).collect::<Vec<_>>());
        }
    }
}
