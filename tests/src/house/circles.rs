//! Files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::Arrow;

/// Files each of which reaches all others by imports.
pub(super) struct Circle<'a> {
    files: BTreeSet<&'a str>,
    arrows: Vec<&'a Arrow>,
}

impl Circle<'_> {
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The imports that close it: the first one from each file to each other.
    pub(super) fn arrows(&self) -> impl Iterator<Item = &Arrow> {
        self.arrows.iter().copied()
    }
}

/// All circles of two files or more, as large as they are.
pub(super) fn circles(arrows: &[Arrow]) -> Vec<Circle<'_>> {
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        targets.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached: BTreeMap<_, _> = targets
        .keys()
        .map(|file| (*file, reachable(&targets, file)))
        .collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut circles: Vec<Circle<'_>> = Vec::new();
    for file in targets.keys() {
        let known = circles.iter().any(|circle| circle.files.contains(file));
        if known || !reaches(file, file) {
            continue;
        }
        let files = targets
            .keys()
            .filter(|other| reaches(file, other) && reaches(other, file));
        circles.push(circle(arrows, files.copied().collect()));
    }
    circles
}

fn circle<'a>(arrows: &'a [Arrow], files: BTreeSet<&'a str>) -> Circle<'a> {
    let mut seen = BTreeSet::new();
    let inside = |arrow: &&Arrow| files.contains(&*arrow.from) && files.contains(&*arrow.to);
    let arrows = arrows
        .iter()
        .filter(inside)
        .filter(|arrow| seen.insert((&arrow.from, &arrow.to)))
        .collect();
    Circle { files, arrows }
}

/// What is reached from `file` by one import or more.
fn reachable<'a>(targets: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let next = |file: &str| targets.get(file).into_iter().flatten().copied();
    let mut reached = BTreeSet::new();
    let mut left: Vec<_> = next(file).collect();
    while let Some(file) = left.pop() {
        if reached.insert(file) {
            left.extend(next(file));
        }
    }
    reached
}
