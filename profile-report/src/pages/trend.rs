//! How the peaks of one command went from run to run, as a small bar chart.

use super::href::href;
use crate::diff::noise;
use crate::read::{RunHeader, SavedRun};
use crate::text::time::started;
use crate::text::units::{mib_unit, signed_mib};
use crate::text::visible::visible;

/// Commands that are shown: those that ran last.
const SHOWN: usize = 8;
/// Runs of each: the last ones.
const RUNS: usize = 40;
/// With so many runs before it the newest one is compared: older ones may be of another program by now.
const COMPARED: usize = 5;
/// From one bar to the next.
const STEP: usize = 9;
/// The highest bar.
const HEIGHT: f64 = 40.0;

/// The peaks of a command's last runs.
pub(super) struct Trend {
    pub(super) program: String,
    pub(super) command: String,
    /// Of the whole chart.
    pub(super) width: usize,
    /// Oldest first.
    pub(super) bars: Vec<Bar>,
    /// Of the newest run.
    pub(super) peak: String,
    /// Against the run before; empty where it is the same.
    pub(super) change: String,
    /// Its class: up, down, or nothing for what may be noise.
    pub(super) direction: &'static str,
}

/// A run.
pub(super) struct Bar {
    pub(super) href: String,
    /// Date and peak.
    pub(super) title: String,
    pub(super) x: usize,
    pub(super) y: String,
    pub(super) height: String,
}

/// The trends of the commands that ran more than once.
pub(super) fn trends(newest_first: &[(&SavedRun, &RunHeader)]) -> Vec<Trend> {
    let mut commands: Vec<Vec<_>> = Vec::new();
    for &(saved, header) in newest_first {
        let same = |runs: &&mut Vec<(&SavedRun, &RunHeader)>| {
            runs.first()
                .is_some_and(|(_, first)| first.is_same_command(header))
        };
        match commands.iter_mut().find(same) {
            Some(runs) => runs.push((saved, header)),
            None => commands.push(vec![(saved, header)]),
        }
    }
    let repeated = commands.iter().filter(|runs| runs.len() > 1);
    repeated
        .take(SHOWN)
        .filter_map(|runs| trend(runs))
        .collect()
}

/// The trend of one command; `runs` are newest first.
fn trend(runs: &[(&SavedRun, &RunHeader)]) -> Option<Trend> {
    let runs = runs.get(..RUNS).unwrap_or(runs);
    let [(_, newest), earlier @ ..] = runs else {
        return None;
    };
    let (_, before) = earlier.first()?;
    let top = runs.iter().map(|(_, header)| header.peak_rss).max()?;
    let oldest_first = runs.iter().rev().enumerate();
    let change = (newest.peak_rss as i64).saturating_sub(before.peak_rss as i64);
    Some(Trend {
        program: visible(&newest.program),
        command: visible(&newest.command.get(1..).unwrap_or_default().join(" ")),
        width: runs.len() * STEP,
        bars: oldest_first
            .map(|(i, (saved, header))| bar(i, saved, header, top))
            .collect(),
        peak: mib_unit(newest.peak_rss),
        change: if change == 0 {
            String::new()
        } else {
            signed_mib(change)
        },
        direction: match change {
            _ if !is_more_than_noise(newest, earlier) => "",
            1.. => "up",
            _ => "down",
        },
    })
}

/// Whether the peak of the newest run is beyond those of the runs before it, by more than RSS differs of itself.
fn is_more_than_noise(newest: &RunHeader, earlier: &[(&SavedRun, &RunHeader)]) -> bool {
    let peaks = earlier.iter().map(|(_, header)| header.peak_rss);
    let before: Vec<i64> = peaks.take(COMPARED).map(noise::signed).collect();
    // Whether threads were at work is not in the header.
    let bound = noise::ALONE.max(newest.peak_rss / noise::GAPS);
    noise::differs(&before, &[noise::signed(newest.peak_rss)], bound)
}

fn bar(i: usize, saved: &SavedRun, header: &RunHeader, top: u64) -> Bar {
    let height = (HEIGHT * header.peak_rss as f64 / top.max(1) as f64).max(1.0);
    Bar {
        href: href(&saved.folder, "index.html"),
        title: format!(
            "{}: {}",
            started(&header.started),
            mib_unit(header.peak_rss)
        ),
        x: i * STEP,
        y: format!("{:.1}", HEIGHT - height),
        height: format!("{height:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(program: &str, day: u32, peak_mib: u64) -> SavedRun {
        SavedRun {
            folder: format!("{program}-{day}"),
            header: Ok(RunHeader {
                program: program.into(),
                command: vec![format!("./{program}"), "--fast".into()],
                started: format!("2026-03-{day:02}T10:00:00Z"),
                peak_rss: peak_mib << 20,
                ..RunHeader::default()
            }),
        }
    }

    fn of(runs: &[SavedRun]) -> Vec<Trend> {
        let with_header = runs.iter().map(|run| (run, run.header.as_ref().unwrap()));
        trends(&with_header.collect::<Vec<_>>())
    }

    #[test]
    fn commands_that_ran_again_oldest_bar_first() {
        let runs = [
            saved("a", 4, 30),
            saved("b", 3, 9),
            saved("a", 2, 40),
            saved("a", 1, 20),
        ];
        let trends = of(&runs);
        assert_eq!(trends.len(), 1);
        let heights: Vec<_> = trends[0]
            .bars
            .iter()
            .map(|bar| bar.height.as_str())
            .collect();
        assert_eq!(heights, ["20.0", "40.0", "30.0"]);
        assert_eq!(
            (trends[0].change.as_str(), trends[0].direction),
            ("-10.00", ""),
            "lower than one of two"
        );
    }

    #[test]
    fn a_change_within_what_runs_differ_by_has_no_colour() {
        let direction = |newest_first: &[u64]| {
            let days = (1..=newest_first.len() as u32).rev();
            let runs = days
                .zip(newest_first)
                .map(|(day, &mib)| saved("a", day, mib));
            of(&runs.collect::<Vec<_>>())[0].direction
        };
        assert_eq!(direction(&[103, 100]), "");
        assert_eq!(direction(&[110, 100]), "up");
        // One run before was as high; with three that were alike less is enough.
        assert_eq!(direction(&[110, 100, 111]), "");
        assert_eq!(direction(&[103, 100, 100, 100]), "up");
        assert_eq!(direction(&[97, 100, 100, 100]), "down");
    }

    #[test]
    fn many_runs_are_bounded() {
        let runs: Vec<_> = (0..100).map(|i| saved("a", 1 + i % 28, 10)).collect();
        assert_eq!(of(&runs)[0].bars.len(), RUNS);
        let commands: Vec<_> = (0..100)
            .map(|i| saved(&format!("p{}", i / 2), 1, 10))
            .collect();
        assert_eq!(of(&commands).len(), SHOWN);
    }
}
