//! One plain sentence or two that say what a function's memory did, and on which line.

use memprof_model::run::{FunctionProfile, Line, LineGroup, Run};

use super::places::{group_lines, place, quoted};
use super::{heap_story, heap_sums, origins_story, readings};
use crate::facts::own::group_of;
use crate::facts::peak_moment::{PeakTime, peak_time};
use crate::facts::ranking::line_to_look_at;
use crate::facts::seen::Seen;
use crate::facts::shown_call::{NOISE, all_read, in_progress, peak_call};
use crate::text::sentence::{Part, plain};
use crate::text::units::{count, duration, mib_unit};

/// What happened in `profile`, for a reader who has ten seconds. Where the heap is counted, the heap comes first:
/// it is exact.
pub(crate) fn tell(run: &Run, profile: &FunctionProfile) -> Vec<Part> {
    let mut story = Story::default();
    if profile.calls == 0 {
        story.words("No call has ended yet.");
        return story.parts;
    }
    let seen = Seen::in_samples(run, profile);
    if let Some(alive) = origins_story::still_alive(run, profile, &seen) {
        story.words(format!("{alive} "));
    }
    match profile.heap {
        Some(_) => story.parts.extend(heap_sums::sentences(profile, &seen)),
        None => story.highest(profile, &seen),
    }
    story.peak(run, profile);
    story.net(profile, &seen);
    for sentence in heap_story::sentences(profile, &seen) {
        story.words(format!("{sentence} "));
    }
    if let Some(Part::Words(last)) = story.parts.last_mut() {
        last.truncate(last.trim_end().len());
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

    /// The line to look at, or the lines that were read together with it, and what became of it.
    ///
    /// Said if it rose by 64 KiB or more, or kept as much: the table's figures of the line or group. What was kept is
    /// said under the rule of [`kept`].
    fn highest(&mut self, profile: &FunctionProfile, seen: &Seen) {
        let Some(line) = line_to_look_at(profile) else {
            return;
        };
        let group = line.group.zip(group_of(profile, line).copied());
        let of_line = line.peak_rss.max(size(line.net_rss));
        let of_group = group.map_or(0, |(_, group)| group.peak_rss.max(size(group.net_rss)));
        match group {
            _ if of_line.max(of_group) < NOISE => {}
            Some((at, group)) if of_group > of_line => self.group(profile, at, group, seen),
            _ => self.line(line, seen),
        }
    }

    fn line(&mut self, line: &Line, seen: &Seen) {
        let is_own = line.shared == 0;
        let kept = kept(line.net_rss, line.hits, is_own, seen);
        self.parts.push(Part::Code(quoted(&line.source)));
        self.words(format!(
            " (line {}) took up to {}{kept}. ",
            line.line,
            mib_unit(line.peak_rss),
        ));
    }

    fn group(&mut self, profile: &FunctionProfile, at: usize, group: LineGroup, seen: &Seen) {
        let lines = profile.lines.iter().filter(|line| line.group == Some(at));
        let is_own = lines.clone().all(|line| line.shared == 0);
        let hits = lines.map(|line| line.hits).max().unwrap_or(0);
        let kept = kept(group.net_rss, hits, is_own, seen);
        let names = group_lines(profile, at);
        let (first, rest) = names.split_at(1);
        self.words(format!(
            "{}{rest} together took up to {}{kept}. ",
            first.to_uppercase(),
            mib_unit(group.peak_rss),
        ));
    }

    /// The function's own peak of RSS: how high, when, on which line.
    ///
    /// The height is the table's. A moment and a line are said if the call that had the peak is known; otherwise
    /// between which moments one of the calls had it, if that is known.
    fn peak(&mut self, run: &Run, profile: &FunctionProfile) {
        if profile.peak_rss < NOISE {
            return self.no_peak(profile);
        }
        let how = readings::peak(run);
        let of = if profile.heap.is_some() {
            " of RSS"
        } else {
            ""
        };
        let so_far = if in_progress(profile) > 0 {
            " so far"
        } else {
            ""
        };
        let height = mib_unit(profile.peak_rss);
        let reached = reached(profile);
        self.words(format!(
            "The {how}{of}{so_far}, {height} above the start{reached}. "
        ));
    }

    /// Said if no call rose by 64 KiB: of the calls that were read, where not all were.
    fn no_peak(&mut self, profile: &FunctionProfile) {
        let fell = profile.net_rss < 0 && profile.net_rss.unsigned_abs() >= NOISE;
        let what = if profile.heap.is_some() {
            "RSS"
        } else {
            "Memory"
        };
        let moved = if fell {
            "only fell"
        } else {
            "stayed where it was"
        };
        let whose = if all_read(profile) {
            "no call"
        } else {
            "no call that was read"
        };
        self.words(format!(
            "{what} {moved}: {whose} rose above its start by 64 KiB. "
        ));
    }

    /// What the calls left behind.
    ///
    /// Of one call that was read to its end, and during which nobody else changed RSS, that is how much larger the
    /// process was. Otherwise it is the sum of the table, of the calls that were read, and said if the process can have
    /// risen or fallen by so much at all: what callers gave back between two calls is in no sum.
    fn net(&mut self, profile: &FunctionProfile, seen: &Seen) {
        let net = profile.net_rss;
        if is_of_the_process(profile) {
            let amount = mib_unit(net.unsigned_abs());
            return self.words(match net {
                _ if net.unsigned_abs() < NOISE => {
                    "After the call the process was as large as before. ".to_owned()
                }
                1.. => format!("After the call the process was {amount} larger. "),
                _ => format!("After the call the process was {amount} smaller. "),
            });
        }
        if net.unsigned_abs() > seen.range() {
            return;
        }
        let whose = match (all_read(profile), in_progress(profile)) {
            (true, _) => heap_sums::whose(profile),
            (false, _) if profile.calls <= 1 => return,
            (false, 0) => "The calls that were read".to_owned(),
            (false, _) => "So far the calls that were read".to_owned(),
        };
        let together = if profile.calls > 1 { " together" } else { "" };
        let kept = match net {
            _ if net.unsigned_abs() < NOISE => "kept no RSS".to_owned(),
            _ => format!("{} of RSS", what_was_kept(net)),
        };
        self.words(format!("{whose}{together} {kept}. "));
    }
}

/// Whether the function's net is by how much the process was larger after its only call.
fn is_of_the_process(profile: &FunctionProfile) -> bool {
    match profile.call_records.as_slice() {
        [call] => {
            let others = call.only_counted || (call.suspended_rss, call.others_rss) != (0, 0);
            profile.calls == 1 && in_progress(profile) == 0 && !others
        }
        _ => false,
    }
}

/// What a change kept.
fn size(change: i64) -> u64 {
    change.max(0).unsigned_abs()
}

/// Where and when the peak was reached, as far as that is known.
fn reached(profile: &FunctionProfile) -> String {
    let calls = count(profile.calls);
    match peak_time(profile) {
        PeakTime::At(moment, line) => {
            let line = line.map(|line| format!(" while {} ran", place(profile, line)));
            format!(
                ", was reached at {}{}",
                duration(moment),
                line.unwrap_or_default()
            )
        }
        PeakTime::Between(from, to) => {
            let (from, to) = (duration(from), duration(to));
            format!(", was reached in one of the {calls} calls, between {from} and {to}")
        }
        PeakTime::Unknown if profile.calls > 1 && peak_call(profile).is_none() => {
            format!(", was reached in one of the {calls} calls")
        }
        PeakTime::Unknown => String::new(),
    }
}

/// What a line or several left behind.
///
/// Said if all of it is their own, and if the process can have risen or fallen by so much at all.
fn kept(net: i64, hits: u64, is_own: bool, seen: &Seen) -> String {
    if !is_own || net.unsigned_abs() > seen.range() {
        return String::new();
    }
    let over = match hits {
        0 | 1 => String::new(),
        _ if net.unsigned_abs() < NOISE => String::new(),
        hits => format!(" over {} hits", count(hits)),
    };
    format!(" and {}{over}", what_was_kept(net))
}

fn what_was_kept(net: i64) -> String {
    let amount = mib_unit(net.unsigned_abs());
    match net {
        _ if net.unsigned_abs() < NOISE => "kept nothing".to_owned(),
        1.. => format!("kept {amount}"),
        _ => format!("gave back {amount}"),
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
    fn lines_that_were_read_together_only() {
        insta::assert_snapshot!(of(&fixture::grouped()));
    }

    #[test]
    fn a_call_that_never_ended() {
        insta::assert_snapshot!(of(&fixture::killed()));
    }

    /// A server whose live heap never passes 0.34 MiB: nobody says what became of the 14,906 MiB that one function
    /// allocated and others freed, nor that anything was kept.
    #[test]
    fn what_other_threads_did_is_no_functions() {
        let run = fixture::server();
        let told: Vec<_> = run.functions.iter().map(|f| tell_plain(&run, f)).collect();
        insta::assert_snapshot!(told.join("\n"));
        let short = |function| heap_story::in_short(&run, function);
        let short: Vec<_> = run.functions.iter().map(short).collect();
        assert_eq!(short, [None, None]);
        for function in &run.functions {
            assert!(heap_story::remarks(&run, function).is_empty());
        }
    }

    /// 40 MiB were met at a reading after the call that took them: its record is not among the kept ones.
    #[test]
    fn a_peak_is_told_as_one_of_the_calls_where_its_own_is_not_known() {
        let mut run = fixture::many_short_calls();
        let function = &mut run.functions[0];
        function.peak_rss = 40 << 20;
        let at = function.peak_at.as_mut().expect("it has one");
        (at.from_ns, at.to_ns) = (1_200_000_000, 1_300_000_000);
        let told = of(&run);
        assert!(
            told.contains("The peak, 40.00 MiB above the start, was reached in one of the 1000 calls, between 1.200 s and 1.300 s. "),
            "{told}"
        );
        run.functions[0].peak_at = None;
        let told = of(&run);
        assert!(
            told.contains("above the start, was reached in one of the 1000 calls. "),
            "{told}"
        );
    }

    #[test]
    fn a_line_keeps_only_what_is_its_own() {
        let mut run = fixture::inverse();
        assert!(of(&run).contains(" took up to 112.0 MiB and kept 42.66 MiB over 12 hits. "));
        let line = run.functions[0]
            .lines
            .iter_mut()
            .find(|line| line.line == 29);
        line.expect("it is there").shared = 1;
        assert!(
            of(&run).contains("(line 29) took up to 112.0 MiB. "),
            "{}",
            of(&run)
        );
    }

    /// Ten calls that kept 36.92 MiB each in sum, in a process that never had as much: it was given back in between.
    #[test]
    fn no_sum_is_told_that_the_process_cannot_have_kept() {
        let mut run = fixture::nested();
        let told = |run: &Run| tell_plain(run, &run.functions[1]);
        assert!(told(&run).ends_with("All 3 calls together kept 30.00 MiB of RSS."));
        run.functions[1].net_rss = 369 << 20;
        assert!(told(&run).ends_with("while line 32 ran."), "{}", told(&run));
    }

    /// Others had a part in how much larger the process was.
    #[test]
    fn one_call_is_told_by_its_own_part() {
        let mut run = fixture::inverse();
        let function = &mut run.functions[0];
        function.call_records.truncate(1);
        (function.calls, function.series_call) = (1, Some(0));
        function.net_rss = 5 << 20;
        assert!(of(&run).ends_with("After the call the process was 5.000 MiB larger."));
        run.functions[0].call_records[0].others_rss = 1;
        assert!(
            of(&run).ends_with("The call kept 5.000 MiB of RSS."),
            "{}",
            of(&run)
        );
    }

    #[test]
    fn sampled_peaks_are_called_so() {
        insta::assert_snapshot!(of(&fixture::in_part()));
    }
}
