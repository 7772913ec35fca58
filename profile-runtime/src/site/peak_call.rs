//! The calls of a site that are kept one by one: the first, the last, and those with the highest peaks.
//!
//! Totals live in the tallies and stay exact; this is what a chart can draw of a function that was
//! called ten million times.

use std::collections::VecDeque;

use crate::reading::one_reading::LinePoint;
use crate::run::{Call, PeakAt};
use crate::series::Series;
use crate::site::resident::resident;

/// How many calls of each kind are kept.
const FIRST: usize = 100;
const LAST: usize = 100;
const HIGHEST: usize = 50;

/// A series of so few points is copied into as much room as it needs; that of a longer call, which a
/// program has few of, is kept as it is, since copying it would touch whole pages.
const FEW_POINTS: usize = 64;

/// Room for the series of a short call.
pub(crate) fn little_series() -> Series<LinePoint> {
    Series::with_room_for(FEW_POINTS)
}

/// A copy of a short series, in the book's own room or else in as little of another as it needs.
fn kept(
    series: &Series<LinePoint>,
    own: Option<Series<LinePoint>>,
    little: &mut Vec<Series<LinePoint>>,
) -> Series<LinePoint> {
    if let Some(mut own) = own {
        own.copy(series);
        return own;
    }
    let mut kept = little.pop().unwrap_or_else(little_series);
    kept.copy(series);
    kept.give_room_back();
    kept
}

/// Kept calls of one site.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallBook {
    /// Numbers the calls as they end.
    ended: u64,
    first: Vec<(u64, Call)>,
    last: VecDeque<(u64, Call)>,
    /// In ascending order of peak, so that the lowest is the one to go.
    highest: Vec<(u64, Call)>,
    peak_call: Option<PeakCall>,
    /// Its own room for the points of a short peak_call call, while none are in it.
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

impl CallBook {
    /// With room for the first calls, and for the peak_call one if it is short: what is allocated between
    /// calls can lie above what one of them has returned, and keep that resident when it is freed.
    /// 12 KiB, which only few sites are worth.
    pub(crate) fn with_room() -> CallBook {
        CallBook {
            first: resident(FIRST),
            room: Some(little_series()),
            ..CallBook::default()
        }
    }

    /// Whether a call with this peak would become the peak_call one; asked before its series is given away.
    pub(crate) fn beats_peak_call(&self, peak: u64) -> bool {
        self.peak_call
            .as_ref()
            .is_none_or(|peak_call| peak_call.call.peak_rss < peak)
    }

    /// Makes `peak_call` the peak_call call; gives back what series are not needed any more and have room for
    /// another call. Ten thousand functions with a full series each would have 320 MiB of them.
    ///
    /// `little`: rooms for a few points that were got before the call. What is allocated at a call's end
    /// lies above what the call has allocated, and would keep it resident when it is freed.
    pub(crate) fn set_peak_call(
        &mut self,
        mut peak_call: PeakCall,
        little: &mut Vec<Series<LinePoint>>,
    ) -> impl Iterator<Item = Series<LinePoint>> + use<> {
        let mut before = self.peak_call.take().and_then(|peak_call| peak_call.series);
        let long = before.take_if(|before| before.has_all_room());
        let own = before.filter(|short| short.has_room_for(FEW_POINTS));
        let own = own.or_else(|| self.room.take());
        let few = peak_call
            .series
            .take_if(|series| series.points().len() <= FEW_POINTS);
        match &few {
            Some(series) => peak_call.series = Some(kept(series, own, little)),
            None => self.room = own,
        }
        self.peak_call = Some(peak_call);
        few.into_iter().chain(long)
    }

    pub(crate) fn peak_call(&self) -> Option<&PeakCall> {
        self.peak_call.as_ref()
    }

    /// Gets the room that a call needs when it has ended, while what it will allocate and free is not yet
    /// there to lie below.
    pub(crate) fn make_room(&mut self) {
        if self.first.len() < FIRST {
            self.first.reserve(1);
        } else {
            self.last.reserve(1);
            self.highest.reserve(1);
        }
    }

    /// Keeps `call` if it is one of those to keep.
    pub(crate) fn add(&mut self, call: Call) {
        self.ended += 1;
        let numbered = (self.ended, call);
        if self.first.len() < FIRST {
            self.first.push(numbered);
            return;
        }
        self.keep_if_high(&numbered);
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(numbered);
    }

    fn keep_if_high(&mut self, numbered: &(u64, Call)) {
        let peak = numbered.1.peak_rss;
        if self.highest.len() == HIGHEST {
            if self.highest[0].1.peak_rss >= peak {
                return;
            }
            self.highest.remove(0);
        }
        let at = self
            .highest
            .partition_point(|(_, kept)| kept.peak_rss <= peak);
        self.highest.insert(at, numbered.clone());
    }

    /// How many calls have been added.
    #[cfg(feature = "report")]
    pub(crate) fn ended(&self) -> u64 {
        self.ended
    }

    /// The kept calls among those that were added after the first `ended`, in that order.
    pub(crate) fn since(&self, ended: u64) -> Vec<Call> {
        let all = self.first.iter().chain(&self.last).chain(&self.highest);
        let mut kept: Vec<&(u64, Call)> = all.filter(|(number, _)| *number > ended).collect();
        kept.sort_by_key(|(number, _)| *number);
        kept.dedup_by_key(|(number, _)| *number);
        kept.into_iter().map(|(_, call)| call.clone()).collect()
    }

    /// All kept calls, each once, in the order of their ends, the peak_call among them.
    pub(crate) fn records(&self) -> Vec<Call> {
        let mut records = self.since(0);
        if let Some(peak_call) = &self.peak_call
            && !records.contains(&peak_call.call)
        {
            records.push(peak_call.call.clone());
        }
        records
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let calls = self.first.capacity() + self.last.capacity() + self.highest.capacity();
        let peak_call = self
            .peak_call
            .as_ref()
            .and_then(|peak_call| peak_call.series.as_ref());
        let series = peak_call.into_iter().chain(&self.room).map(Series::bytes);
        (calls * size_of::<(u64, Call)>()) as u64 + series.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Outcome;

    fn call(number: u64, peak_rss: u64) -> Call {
        Call {
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
        }
    }

    fn peak_call(points: u64) -> PeakCall {
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
        let mut book = CallBook::default();
        let spare: Vec<_> = book.set_peak_call(peak_call(3), &mut Vec::new()).collect();
        assert_eq!(spare.len(), 1);
        assert!(spare[0].has_all_room());
        assert!(book.bytes() < 1_000, "{}", book.bytes());
        let kept = book
            .peak_call()
            .and_then(|peak_call| peak_call.series.as_ref());
        assert_eq!(kept.expect("a series").points().len(), 3);

        assert_eq!(
            book.set_peak_call(peak_call(500), &mut Vec::new()).count(),
            0
        );
        assert!(book.bytes() > 30_000, "{}", book.bytes());
        let spare: Vec<_> = book.set_peak_call(peak_call(3), &mut Vec::new()).collect();
        assert_eq!(spare.len(), 2, "its own and the long one's");
        assert!(spare.iter().all(Series::has_all_room));
    }

    #[test]
    fn a_book_with_room_of_its_own_copies_into_it_again_and_again() {
        let points_of = |book: &CallBook| {
            let series = book.peak_call()?.series.as_ref()?;
            Some((series.points().as_ptr(), series.points().len()))
        };
        let mut book = CallBook::with_room();
        let bytes = book.bytes();
        let little = &mut vec![little_series()];
        let _ = book.set_peak_call(peak_call(3), little);
        let (room, _) = points_of(&book).expect("kept");
        let _ = book.set_peak_call(peak_call(FEW_POINTS as u64), little);
        assert_eq!(points_of(&book), Some((room, FEW_POINTS)));
        assert_eq!((book.bytes(), little.len()), (bytes, 1));

        let _ = book.set_peak_call(peak_call(500), little);
        let _ = book.set_peak_call(peak_call(4), little);
        assert_eq!(points_of(&book), Some((room, 4)));
        assert_eq!((book.bytes(), little.len()), (bytes, 1));
    }

    #[test]
    fn keeps_the_first_the_last_and_the_highest() {
        let mut book = CallBook::default();
        let peak = |number: u64| {
            if number.is_multiple_of(1_000) {
                number
            } else {
                0
            }
        };
        for number in 0..100_000 {
            book.add(call(number, peak(number)));
        }
        let starts: Vec<u64> = book.records().iter().map(|call| call.start_ns).collect();
        assert!(starts.is_sorted());
        assert!(starts.len() <= FIRST + LAST + HIGHEST);
        for number in (0..100).chain(99_900..100_000) {
            assert!(starts.contains(&number), "{number}");
        }
        for number in (50_000..100_000).step_by(1_000) {
            assert!(starts.contains(&number), "{number}");
        }
    }
}
