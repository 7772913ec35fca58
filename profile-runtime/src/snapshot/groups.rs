//! The groups of a function's lines, put together from those of all threads: what several threads know of lines
//! together belongs to one group if these share a line.

use crate::thread::line_group::{self, GroupFigures, LineGroup as ThreadGroup};
use crate::thread::totals::SiteTotals;
use memprof_model::data;
use memprof_model::run::{Line, LineGroup};

/// The groups of `lines`, which are those of one function, as its `totals` on all threads have them. Each line is
/// told its group; what the line itself has of RSS without its callees goes to the group.
pub(super) fn of_lines(lines: &mut [Line], totals: &[&SiteTotals]) -> Vec<LineGroup> {
    let all = of_threads(lines.len(), totals);
    let mut groups = Vec::new();
    for first in 0..lines.len() {
        if all[first].first() == Some(first) {
            groups.push(group(lines, &all, first, groups.len()));
        }
    }
    groups
}

/// The groups of all threads, by place of the line.
fn of_threads(lines: usize, totals: &[&SiteTotals]) -> Vec<ThreadGroup> {
    let mut all = vec![ThreadGroup::default(); lines];
    for totals in totals {
        for (first, group) in totals.groups.iter().enumerate() {
            if group.first() == Some(first) {
                let is_member = |place: usize| totals.groups[place].first() == Some(first);
                line_group::add(&mut all, is_member, group.figures);
            }
        }
    }
    all
}

/// The group that begins at the line at place `first`, as data.
fn group(lines: &mut [Line], all: &[ThreadGroup], first: usize, number: usize) -> LineGroup {
    let GroupFigures {
        net,
        peak,
        readings,
    } = all[first].figures;
    let mut self_net = net;
    let members = lines.iter_mut().zip(all);
    for (line, _) in members.filter(|(_, group)| group.first() == Some(first)) {
        line.group = Some(number);
        self_net += std::mem::take(&mut line.self_net_rss);
    }
    data!(LineGroup {
        net_rss: net,
        self_net_rss: self_net,
        peak_rss: peak,
        readings,
    })
}
