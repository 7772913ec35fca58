//! One plain sentence or two that say what a function's memory did, and on which line.

use memprof_model::run::{FunctionProfile, Line, PeakMethod, Run};

use super::heap_story;
use crate::facts::peak_moment::peak_moment;
use crate::facts::rows::highest;
use crate::text::sentence::{Part, plain};
use crate::text::units::{duration, mib_unit};
use crate::text::visible::{truncate, visible};

/// The most columns of source that a sentence quotes.
const QUOTE: usize = 48;
/// Changes below this are noise: allocators and kernels move single pages on their own.
const NOISE: u64 = 64 << 10;

/// What happened in `profile`, for a reader who has ten seconds.
pub(crate) fn tell(run: &Run, profile: &FunctionProfile) -> Vec<Part> {
    let mut story = Story::default();
    if profile.calls == 0 {
        story.words("No call has ended yet.");
        return story.parts;
    }
    story.line(profile);
    story.peak(run, profile);
    story.net(profile);
    for sentence in heap_story::sentences(run, profile) {
        story.words(format!(" {sentence}"));
    }
    story.parts
}

/// The same as plain text.
pub(crate) fn tell_plain(run: &Run, profile: &FunctionProfile) -> String {
    plain(tell(run, profile))
}

#[derive(Default)]
struct Story {
    parts: Vec<Part>,
}

impl Story {
    fn words(&mut self, words: impl Into<String>) {
        self.parts.push(Part::Words(words.into()));
    }

    /// The line that rose most, and what became of it.
    fn line(&mut self, profile: &FunctionProfile) {
        let Some(line) = highest(profile).filter(|line| line.peak_rss >= NOISE) else {
            return;
        };
        self.parts.push(Part::Code(truncate(
            visible(line.source.trim()).as_str(),
            QUOTE,
        )));
        self.words(format!(
            " (line {}) took up to {} and {}. ",
            line.line,
            mib_unit(line.peak_rss),
            kept(line)
        ));
    }

    /// The function's own peak: how high, when, on which line.
    fn peak(&mut self, run: &Run, profile: &FunctionProfile) {
        if profile.peak_rss < NOISE {
            let fell = profile.net_rss < 0 && profile.net_rss.unsigned_abs() >= NOISE;
            let moved = if fell {
                "Memory only fell"
            } else {
                "Memory stayed where it was"
            };
            return self.words(format!("{moved}: no call rose above its start by 64 KiB. "));
        }
        let how = if run.peak_method == PeakMethod::Sampled {
            "highest sample"
        } else {
            "peak"
        };
        self.words(format!(
            "The {how}, {} above the start",
            mib_unit(profile.peak_rss)
        ));
        match profile.peak_at.zip(peak_moment(profile)) {
            Some((at, moment)) => {
                let line = at.line.map(|line| format!(" while line {line} ran"));
                let when = duration(moment);
                self.words(format!(
                    ", was reached at {when}{}. ",
                    line.unwrap_or_default()
                ));
            }
            None => self.words(". "),
        }
    }

    /// What the calls left behind.
    fn net(&mut self, profile: &FunctionProfile) {
        let calls = match profile.calls {
            1 => "the call".to_owned(),
            n => format!("all {n} calls"),
        };
        let amount = profile.net_rss.unsigned_abs();
        self.words(match profile.net_rss {
            _ if amount < NOISE => format!("After {calls} the process was as large as before."),
            1.. => format!("After {calls} the process was {} larger.", mib_unit(amount)),
            _ => format!(
                "After {calls} the process was {} smaller.",
                mib_unit(amount)
            ),
        });
    }
}

/// What a line left behind.
fn kept(line: &Line) -> String {
    let amount = line.net_rss.unsigned_abs();
    let hits = if line.hits > 1 {
        format!(" over {} hits", line.hits)
    } else {
        String::new()
    };
    match line.net_rss {
        _ if amount < NOISE => "kept nothing".to_owned(),
        1.. => format!("kept {}{hits}", mib_unit(amount)),
        _ => format!("gave back {}{hits}", mib_unit(amount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn of(run: &Run) -> String {
        tell_plain(run, &run.functions[0])
    }

    #[test]
    fn the_demo_in_words() {
        insta::assert_snapshot!(of(&fixture::inverse()));
    }

    #[test]
    fn heap_that_differs_from_rss() {
        insta::assert_snapshot!(of(&fixture::apart()));
    }

    #[test]
    fn memory_that_did_not_move() {
        insta::assert_snapshot!(of(&fixture::constant()));
    }

    #[test]
    fn memory_that_was_given_back() {
        insta::assert_snapshot!(of(&fixture::shrinking()));
    }

    #[test]
    fn sampled_peaks_are_called_so() {
        insta::assert_snapshot!(of(&fixture::in_part()));
    }
}
