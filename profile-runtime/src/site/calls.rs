//! The calls of a site that are kept one by one, the series of the highest call, and how the calls are spread.
//!
//! Exact totals over all calls are elsewhere (`thread/totals.rs`). This is what a chart can draw of a function
//! that was called ten million times.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memprof_model::internal::{BUCKETS, FIRST, Histogram, KeptCalls, MOST};

use crate::reading::one_reading::LinePoint;
use crate::site::resident::resident;
use memprof_model::run::Series;
use memprof_model::run::{Call, Outcome};

/// A series with at most so many points is copied into a smaller allocation. The series of a longer call is kept
/// as it is: a program has few of them, and copying one would touch whole pages.
const FEW_POINTS: usize = 64;

/// Room for the series of a short call.
pub(crate) fn short_series() -> Series<LinePoint> {
    Series::with_room_for(FEW_POINTS)
}

/// A copy of a short series: in the site's own room, `own`, or else in a spare series, cut to what it needs.
fn kept(
    series: &Series<LinePoint>,
    own: Option<Series<LinePoint>>,
    spare: &mut Vec<Series<LinePoint>>,
) -> Series<LinePoint> {
    if let Some(mut own) = own {
        own.copy(series);
        return own;
    }
    let mut kept = spare.pop().unwrap_or_else(short_series);
    kept.copy(series);
    kept.give_room_back();
    kept
}

/// How many calls the sites of a run have room for, all together.
#[derive(Debug, Default)]
pub(crate) struct SharedRoom {
    taken: AtomicUsize,
}

impl SharedRoom {
    /// How many calls a site may keep. The more are kept in all, the fewer: a run with thousands of functions that are
    /// called all the time would otherwise hold hundreds of megabytes.
    fn share(&self) -> usize {
        match self.taken.load(Relaxed) {
            0..2_048 => MOST,
            2_048..4_096 => 60,
            _ => 10,
        }
    }
}

/// The kept calls of one site.
#[derive(Debug, Clone, Default)]
pub(crate) struct SiteCalls {
    kept: KeptCalls,
    /// The part of the room for the calls of all sites that this one has taken.
    taken: usize,
    peak_call: Option<PeakCall>,
    spread: ReadSpread,
    /// The site's own room for a short series, while no series is in it.
    room: Option<Series<LinePoint>>,
}

/// How the calls are spread that began and ended with a reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadSpread {
    /// By the peak of RSS.
    pub peak_rss: Histogram,
    /// By the time that they took, in nanoseconds.
    pub time_ns: Histogram,
}

/// The highest of the calls that began with a reading, with its series.
#[derive(Debug, Clone)]
pub(crate) struct PeakCall {
    pub call: Call,
    /// `None` for a call that was suspended: its samples would fill the memory of a program that has
    /// a hundred thousand of them.
    pub series: Option<Series<LinePoint>>,
}

impl SiteCalls {
    /// With room for the first calls, for how they are spread, and for the series of the highest call if it is short.
    /// A block of ours that is allocated between calls can lie above the program's, and keep those resident when they
    /// are freed. Takes 20 KiB, so only sites with `by = …` get it.
    pub(crate) fn with_room() -> SiteCalls {
        let spread = || Histogram::in_room(resident(BUCKETS));
        SiteCalls {
            kept: KeptCalls::in_room(resident(FIRST)),
            spread: ReadSpread {
                peak_rss: spread(),
                time_ns: spread(),
            },
            room: Some(short_series()),
            ..SiteCalls::default()
        }
    }

    /// Whether `call`, which began with a reading, would become the highest of those.
    pub(crate) fn beats_peak_call(&self, call: &Call) -> bool {
        self.peak_call
            .as_ref()
            .is_none_or(|highest| highest.call.rank() < call.rank())
    }

    /// Makes `highest` the highest of the calls that began with a reading. Gives back the series that are not needed any more, for
    /// other calls to use: ten thousand functions with a full series each would hold 320 MiB.
    ///
    /// `spare`: small series allocated before the call. Allocating at its end would place our block above the
    /// program's, and the allocator could not return the program's memory below it.
    pub(crate) fn set_peak_call(
        &mut self,
        mut highest: PeakCall,
        spare: &mut Vec<Series<LinePoint>>,
    ) -> impl Iterator<Item = Series<LinePoint>> + use<> {
        let mut before = self.peak_call.take().and_then(|highest| highest.series);
        let long = before.take_if(|before| before.is_whole());
        let own = before.filter(|short| short.has_room_for(FEW_POINTS));
        let own = own.or_else(|| self.room.take());
        let few = highest
            .series
            .take_if(|series| series.is_whole() && series.points().len() <= FEW_POINTS);
        match &few {
            Some(series) => highest.series = Some(kept(series, own, spare)),
            None => self.room = own,
        }
        self.peak_call = Some(highest);
        few.into_iter().chain(long)
    }

    /// The highest of the calls that began with a reading.
    pub(crate) fn peak_call(&self) -> Option<&PeakCall> {
        self.peak_call.as_ref()
    }

    /// Allocates what keeping a call will need, before the call begins: see [`SiteCalls::set_peak_call`]. `room`: what
    /// all sites together have room for.
    pub(crate) fn make_room(&mut self, room: &SharedRoom) {
        self.kept.make_room(room.share());
        let more = self.kept.room() - std::mem::replace(&mut self.taken, self.kept.room());
        room.taken.fetch_add(more, Relaxed);
        self.spread.peak_rss.make_room();
        self.spread.time_ns.make_room();
    }

    /// Keeps `call`, which began with a reading, if it is one of those to keep.
    pub(crate) fn add(&mut self, call: Call) {
        if call.outcome != Outcome::Running {
            let wall_ns = call.end_ns.saturating_sub(call.start_ns);
            let time_ns = wall_ns.saturating_sub(call.suspended_ns);
            self.spread.time_ns.add(time_ns);
            self.spread.peak_rss.add(call.peak_rss);
        }
        self.kept.add(call);
    }

    /// Keeps `call`, which did not begin with a reading, if it is one of the highest.
    pub(crate) fn add_if_high(&mut self, call: Call) {
        self.kept.add_if_high(call);
    }

    /// From which height on a call is worth adding that did not begin with a reading.
    pub(crate) fn least_height(&self) -> u64 {
        self.kept.least_height()
    }

    /// How the calls are spread that began and ended with a reading.
    pub(crate) fn spread(&self) -> &ReadSpread {
        &self.spread
    }

    /// How many calls have been added.
    pub(crate) fn ended(&self) -> u64 {
        self.kept.ended()
    }

    /// The kept calls among those that were added after the first `ended`, in that order.
    #[cfg(feature = "report")]
    pub(crate) fn since(&self, ended: u64) -> Vec<Call> {
        self.kept.since(ended)
    }

    /// All kept calls, each once: in the order of their ends, and the highest with a series last if it is
    /// not among them.
    pub(crate) fn records(&self) -> Vec<Call> {
        let mut records = self.kept.records();
        if let Some(highest) = &self.peak_call
            && !records.contains(&highest.call)
        {
            records.push(highest.call.clone());
        }
        records
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let highest = self
            .peak_call
            .as_ref()
            .and_then(|highest| highest.series.as_ref());
        let series = highest.into_iter().chain(&self.room).map(Series::bytes);
        let spread = self.spread.peak_rss.bytes() + self.spread.time_ns.bytes();
        self.kept.bytes() + spread + series.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memprof_model::data;
    use memprof_model::run::Outcome;

    fn call(number: u64, peak_rss: u64) -> Call {
        data!(Call {
            start_ns: number,
            end_ns: number + 1,
            suspended_ns: 0,
            thread: 1,
            depth: 0,
            by: None,
            outcome: Outcome::Returned,
            entry_rss: 0,
            exit_rss: 0,
            peak_rss,
            net_rss: 0,
            suspended_rss: 0,
        })
    }

    fn with_points(points: u64) -> PeakCall {
        let mut series = Series::new(LinePoint::default());
        for t_ns in 0..points {
            series.push(LinePoint {
                t_ns,
                ..LinePoint::default()
            });
        }
        PeakCall {
            call: call(0, 0),
            series: Some(series),
        }
    }

    #[test]
    fn site_calls_keep_a_short_series_small_and_give_the_large_one_back() {
        let mut calls = SiteCalls::default();
        let spare: Vec<_> = calls
            .set_peak_call(with_points(3), &mut Vec::new())
            .collect();
        assert_eq!(spare.len(), 1);
        assert!(spare[0].is_whole());
        assert!(calls.bytes() < 1_000, "{}", calls.bytes());
        let kept = calls
            .peak_call()
            .and_then(|highest| highest.series.as_ref());
        assert_eq!(kept.expect("a series").points().len(), 3);

        assert_eq!(
            calls
                .set_peak_call(with_points(500), &mut Vec::new())
                .count(),
            0
        );
        assert!(calls.bytes() > 30_000, "{}", calls.bytes());
        let spare: Vec<_> = calls
            .set_peak_call(with_points(3), &mut Vec::new())
            .collect();
        assert_eq!(spare.len(), 2, "its own and the long one's");
        assert!(spare.iter().all(Series::is_whole));
    }

    #[test]
    fn site_calls_with_room_of_their_own_copy_into_it_again_and_again() {
        let points_of = |calls: &SiteCalls| {
            let series = calls.peak_call()?.series.as_ref()?;
            Some((series.points().as_ptr(), series.points().len()))
        };
        let mut calls = SiteCalls::with_room();
        let bytes = calls.bytes();
        let spare = &mut vec![short_series()];
        let _ = calls.set_peak_call(with_points(3), spare);
        let (room, _) = points_of(&calls).expect("kept");
        let _ = calls.set_peak_call(with_points(FEW_POINTS as u64), spare);
        assert_eq!(points_of(&calls), Some((room, FEW_POINTS)));
        assert_eq!((calls.bytes(), spare.len()), (bytes, 1));

        let _ = calls.set_peak_call(with_points(500), spare);
        let _ = calls.set_peak_call(with_points(4), spare);
        assert_eq!(points_of(&calls), Some((room, 4)));
        assert_eq!((calls.bytes(), spare.len()), (bytes, 1));
    }

    #[test]
    fn site_calls_the_best_call_is_among_the_records_once_also_if_it_is_not_kept_otherwise() {
        let mut book = SiteCalls::default();
        assert!(book.beats_peak_call(&call(0, 0)), "whichever comes first");
        let _ = book.set_peak_call(with_points(1), &mut Vec::new());
        assert_eq!(book.records(), [call(0, 0)]);
        book.add(call(0, 0));
        book.add(call(1, 0));
        assert_eq!(book.records(), [call(0, 0), call(1, 0)]);
    }

    #[test]
    fn site_calls_a_call_beats_the_best_one_with_a_higher_peak_only() {
        let mut book = SiteCalls::default();
        let best = PeakCall {
            call: call(0, 100),
            series: None,
        };
        let _ = book.set_peak_call(best, &mut Vec::new());
        assert_eq!(
            [99, 100, 101].map(|peak| book.beats_peak_call(&call(1, peak))),
            [false, false, true]
        );
    }

    #[cfg(feature = "report")]
    #[test]
    fn site_calls_calls_since_a_number_are_those_that_were_added_after_it() {
        let mut book = SiteCalls::default();
        for number in 0..5 {
            book.add(call(number, 0));
        }
        assert_eq!(book.ended(), 5);
        assert_eq!(book.since(3), [call(3, 0), call(4, 0)]);
        assert_eq!(book.since(5), []);
    }
}
