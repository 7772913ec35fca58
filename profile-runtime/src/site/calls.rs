//! The calls of a site that are kept one by one, and the one with the highest peak, with its series.
//!
//! Totals live in the tallies and stay exact; this is what a chart can draw of a function that was
//! called ten million times.

use memprof_model::internal::{FIRST, KeptCalls};

use crate::reading::one_reading::LinePoint;
use crate::site::resident::resident;
use memprof_model::run::Series;
use memprof_model::run::{Call, PeakAt};

/// A series of so few points is copied into as much room as it needs; that of a longer call, which a
/// program has few of, is kept as it is, since copying it would touch whole pages.
const FEW_POINTS: usize = 64;

/// Room for the series of a short call.
pub(crate) fn short_series() -> Series<LinePoint> {
    Series::with_room_for(FEW_POINTS)
}

/// A copy of a short series, in the book's own room or else in as spare of another as it needs.
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

/// Kept calls of one site.
#[derive(Debug, Clone, Default)]
pub(crate) struct SiteCalls {
    kept: KeptCalls,
    peak_call: Option<PeakCall>,
    /// Its own room for the points of a short best call, while none are in it.
    room: Option<Series<LinePoint>>,
}

/// The call with the highest peak, with its series.
#[derive(Debug, Clone)]
pub(crate) struct PeakCall {
    pub call: Call,
    pub peak_at: Option<PeakAt>,
    /// `None` for a call that was suspended: its samples would fill the memory of a program that has
    /// a hundred thousand of them.
    pub series: Option<Series<LinePoint>>,
}

impl SiteCalls {
    /// With room for the first calls, and for the best one if it is short: what is allocated between
    /// calls can lie above what one of them has returned, and keep that resident when it is freed.
    /// 12 KiB, which only few sites are worth.
    pub(crate) fn with_room() -> SiteCalls {
        SiteCalls {
            kept: KeptCalls::in_room(resident(FIRST)),
            room: Some(short_series()),
            ..SiteCalls::default()
        }
    }

    /// Whether a call with this peak would become the best one; asked before its series is given away.
    pub(crate) fn beats_peak_call(&self, peak: u64) -> bool {
        self.peak_call
            .as_ref()
            .is_none_or(|best| best.call.peak_rss < peak)
    }

    /// Makes `best` the best call; gives back what series are not needed any more and have room for
    /// another call. Ten thousand functions with a full series each would have 320 MiB of them.
    ///
    /// `spare`: rooms for a few points that were got before the call. What is allocated at a call's end
    /// lies above what the call has allocated, and would keep it resident when it is freed.
    pub(crate) fn set_peak_call(
        &mut self,
        mut best: PeakCall,
        spare: &mut Vec<Series<LinePoint>>,
    ) -> impl Iterator<Item = Series<LinePoint>> + use<> {
        let mut before = self.peak_call.take().and_then(|best| best.series);
        let long = before.take_if(|before| before.has_all_room());
        let own = before.filter(|short| short.has_room_for(FEW_POINTS));
        let own = own.or_else(|| self.room.take());
        let few = best
            .series
            .take_if(|series| series.points().len() <= FEW_POINTS);
        match &few {
            Some(series) => best.series = Some(kept(series, own, spare)),
            None => self.room = own,
        }
        self.peak_call = Some(best);
        few.into_iter().chain(long)
    }

    pub(crate) fn peak_call(&self) -> Option<&PeakCall> {
        self.peak_call.as_ref()
    }

    /// Gets the room that a call needs when it has ended, while what it will allocate and free is not yet
    /// there to lie below.
    pub(crate) fn make_room(&mut self) {
        self.kept.make_room();
    }

    /// Keeps `call` if it is one of those to keep.
    pub(crate) fn add(&mut self, call: Call) {
        self.kept.add(call);
    }

    /// How many calls have been added.
    #[cfg(feature = "report")]
    pub(crate) fn ended(&self) -> u64 {
        self.kept.ended()
    }

    /// The kept calls among those that were added after the first `ended`, in that order.
    #[cfg(feature = "report")]
    pub(crate) fn since(&self, ended: u64) -> Vec<Call> {
        self.kept.since(ended)
    }

    /// All kept calls, each once, in the order of their ends, the best among them.
    pub(crate) fn records(&self) -> Vec<Call> {
        let mut records = self.kept.records();
        if let Some(best) = &self.peak_call
            && !records.contains(&best.call)
        {
            records.push(best.call.clone());
        }
        records
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let best = self
            .peak_call
            .as_ref()
            .and_then(|best| best.series.as_ref());
        let series = best.into_iter().chain(&self.room).map(Series::bytes);
        self.kept.bytes() + series.sum::<u64>()
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
            peak_at: None,
            series: Some(series),
        }
    }

    #[test]
    fn a_short_best_call_takes_little_room_and_gives_its_series_back() {
        let mut book = SiteCalls::default();
        let spare: Vec<_> = book
            .set_peak_call(with_points(3), &mut Vec::new())
            .collect();
        assert_eq!(spare.len(), 1);
        assert!(spare[0].has_all_room());
        assert!(book.bytes() < 1_000, "{}", book.bytes());
        let kept = book.peak_call().and_then(|best| best.series.as_ref());
        assert_eq!(kept.expect("a series").points().len(), 3);

        assert_eq!(
            book.set_peak_call(with_points(500), &mut Vec::new())
                .count(),
            0
        );
        assert!(book.bytes() > 30_000, "{}", book.bytes());
        let spare: Vec<_> = book
            .set_peak_call(with_points(3), &mut Vec::new())
            .collect();
        assert_eq!(spare.len(), 2, "its own and the long one's");
        assert!(spare.iter().all(Series::has_all_room));
    }

    #[test]
    fn a_book_with_room_of_its_own_copies_into_it_again_and_again() {
        let points_of = |book: &SiteCalls| {
            let series = book.peak_call()?.series.as_ref()?;
            Some((series.points().as_ptr(), series.points().len()))
        };
        let mut book = SiteCalls::with_room();
        let bytes = book.bytes();
        let spare = &mut vec![short_series()];
        let _ = book.set_peak_call(with_points(3), spare);
        let (room, _) = points_of(&book).expect("kept");
        let _ = book.set_peak_call(with_points(FEW_POINTS as u64), spare);
        assert_eq!(points_of(&book), Some((room, FEW_POINTS)));
        assert_eq!((book.bytes(), spare.len()), (bytes, 1));

        let _ = book.set_peak_call(with_points(500), spare);
        let _ = book.set_peak_call(with_points(4), spare);
        assert_eq!(points_of(&book), Some((room, 4)));
        assert_eq!((book.bytes(), spare.len()), (bytes, 1));
    }
}
