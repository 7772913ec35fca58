//! The calls of a function that are kept one by one: the first, the last, and the highest by [`Call::height`].
//!
//! Totals stand beside them and stay exact; this is what a chart can draw of a function that was
//! called ten million times.

use std::collections::{TryReserveError, VecDeque};

use crate::function::Call;

/// How many calls are kept where there is room.
pub const MOST: usize = 250;
/// How many of these are the first.
pub const FIRST: usize = MOST / 5 * 2;
/// Of calls that are lower only the very highest is worth a record of its own.
const LOW: u64 = 64 << 10;

/// Kept calls of one function.
#[derive(Debug, Clone)]
pub struct KeptCalls {
    /// Numbers the calls as they end.
    ended: u64,
    /// Room is taken for so many: two fifths are the first, as many the last, and one fifth the highest.
    most: usize,
    first: Vec<(u64, Call)>,
    last: VecDeque<(u64, Call)>,
    /// Ascending, so that the lowest is the one to go.
    highest: Vec<(u64, Call)>,
}

impl Default for KeptCalls {
    fn default() -> KeptCalls {
        KeptCalls {
            ended: 0,
            most: MOST,
            first: Vec::new(),
            last: VecDeque::new(),
            highest: Vec::new(),
        }
    }
}

impl KeptCalls {
    /// None yet. The first [`FIRST`] calls will be kept in `first`, which is empty and has room for them.
    #[must_use]
    pub fn in_room(first: Vec<(u64, Call)>) -> KeptCalls {
        KeptCalls {
            first,
            ..KeptCalls::default()
        }
    }

    /// Gets the room that the next call needs, if there is not room for `most` calls yet. Where the system gives no
    /// memory, the room that there is has to do.
    pub fn make_room(&mut self, most: usize) {
        self.most = most.min(MOST);
        if self.reserve().is_err() {
            self.most = 0;
        }
    }

    fn reserve(&mut self) -> Result<(), TryReserveError> {
        if self.first.len() < self.most_first() {
            if self.first.len() == self.first.capacity() {
                // Most functions of a large program are called once or twice.
                self.first.try_reserve_exact(self.first.len().max(1))?;
            }
            return Ok(());
        }
        if self.last.len() < self.most_last() {
            self.last.try_reserve(1)?;
        }
        if self.highest.len() < self.most_highest() {
            self.highest.try_reserve(1)?;
        }
        Ok(())
    }

    fn most_first(&self) -> usize {
        self.of(FIRST, self.first.capacity())
    }

    fn most_last(&self) -> usize {
        self.of(FIRST, self.last.capacity())
    }

    fn most_highest(&self) -> usize {
        self.of(MOST - 2 * FIRST, self.highest.capacity())
    }

    /// How many calls of a kind are kept of which there are `usual` if there is room for all. Room that has been taken
    /// is used.
    fn of(&self, usual: usize, capacity: usize) -> usize {
        (usual * self.most / MOST).max(capacity).min(usual)
    }

    /// How many calls there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.first.capacity() + self.last.capacity() + self.highest.capacity()
    }

    /// From which height on a call is worth adding, although it is neither one of the first nor of the last:
    /// it is higher than all, or not low and among the highest.
    #[must_use]
    pub fn least_height(&self) -> u64 {
        let first = self.first.iter().map(|(_, call)| call.height());
        let highest = self.highest.last().map(|(_, call)| call.height());
        let beaten = first.chain(highest).max().map_or(0, |top| top + 1);
        let full = self.highest.len() >= self.most_highest();
        let lowest = self.highest.first().filter(|_| full);
        let least = lowest.map(|(_, call)| call.height() + 1);
        beaten.min(LOW).max(least.unwrap_or(0))
    }

    /// Keeps `call` if it is one of the highest.
    pub fn add_if_high(&mut self, call: Call) {
        self.ended += 1;
        self.keep_if_high(&(self.ended, call));
    }

    /// Keeps `call` if it is one of those to keep.
    pub fn add(&mut self, call: Call) {
        self.ended += 1;
        let numbered = (self.ended, call);
        if self.first.len() < self.most_first() {
            self.first.push(numbered);
            return;
        }
        self.keep_if_high(&numbered);
        if self.most_last() == 0 {
            return;
        }
        while self.last.len() >= self.most_last() {
            self.last.pop_front();
        }
        self.last.push_back(numbered);
    }

    fn keep_if_high(&mut self, numbered: &(u64, Call)) {
        if self.most_highest() == 0 {
            return;
        }
        let rank = numbered.1.rank();
        while self.highest.len() >= self.most_highest() {
            if self.highest[0].1.rank() >= rank {
                return;
            }
            self.highest.remove(0);
        }
        let at = self
            .highest
            .partition_point(|(_, kept)| kept.rank() <= rank);
        self.highest.insert(at, numbered.clone());
    }

    /// How many calls have been added.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// The kept calls among those that were added after the first `ended`, in that order.
    #[must_use]
    pub fn since(&self, ended: u64) -> Vec<Call> {
        let all = self.first.iter().chain(&self.last).chain(&self.highest);
        let mut kept: Vec<&(u64, Call)> = all.filter(|(number, _)| *number > ended).collect();
        kept.sort_by_key(|(number, _)| *number);
        kept.dedup_by_key(|(number, _)| *number);
        kept.into_iter().map(|(_, call)| call.clone()).collect()
    }

    /// All kept calls, each once, in the order of their ends.
    #[must_use]
    pub fn records(&self) -> Vec<Call> {
        self.since(0)
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.room() * size_of::<(u64, Call)>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::HeapFigures;
    use crate::function::Outcome;

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
            others_rss: 0,
            heap: None,
            only_counted: false,
        }
    }

    /// The system gives no memory: what there is room for is kept, and nothing asks for more.
    #[test]
    fn without_room_calls_are_only_numbered() {
        let mut kept = KeptCalls::default();
        kept.make_room(MOST);
        kept.add(call(1, 10));
        let room = kept.room();
        for number in 2..100 {
            kept.make_room(0);
            kept.add(call(number, number));
            kept.add_if_high(call(number, 1_000 + number));
            let _ = kept.least_height();
        }
        assert_eq!((kept.room(), kept.ended()), (room, 197));
        assert_eq!(kept.records().len(), room);
    }

    /// A call whose heap peak is `peak`, and whose RSS is not known.
    fn counted(number: u64, peak: u64) -> Call {
        Call {
            heap: Some(HeapFigures {
                peak,
                ..HeapFigures::default()
            }),
            only_counted: true,
            ..call(number, 0)
        }
    }

    #[test]
    fn a_call_ranks_by_its_heap_peak_where_the_heap_is_counted() {
        let mut kept = KeptCalls::default();
        for number in 0..1_000 {
            let high = Call {
                peak_rss: 1 << 30,
                ..counted(number, 1)
            };
            kept.add(high);
        }
        kept.add_if_high(counted(1_000, 2));
        let records = kept.records();
        let highest = records.iter().max_by_key(|call| call.height());
        assert_eq!(highest, Some(&counted(1_000, 2)));
        assert_eq!((kept.ended(), kept.since(1_000).len()), (1_001, 1));
    }

    #[test]
    fn of_low_calls_only_the_highest_is_worth_adding_and_of_others_the_highest_fifty() {
        let mut kept = KeptCalls::default();
        assert_eq!(kept.least_height(), 0);
        kept.add(counted(0, 100));
        assert_eq!(kept.least_height(), 101);
        kept.add_if_high(counted(1, 300));
        assert_eq!(kept.least_height(), 301);
        kept.add_if_high(counted(2, 1 << 20));
        assert_eq!(kept.least_height(), LOW);
        for number in 0..48 {
            kept.add_if_high(counted(number, LOW + number));
        }
        assert_eq!(kept.least_height(), LOW.max(301), "there are 50");
        kept.add_if_high(counted(0, LOW + 100));
        assert_eq!(kept.least_height(), LOW + 1);
        kept.add_if_high(counted(0, LOW + 1));
        assert_eq!(kept.least_height(), LOW + 2);
    }

    #[test]
    fn of_each_kind_a_few_are_kept_where_there_is_little_room() {
        let mut kept = KeptCalls::default();
        for number in 0..300 {
            kept.make_room(10);
            kept.add(call(number, if number == 150 { 1 << 20 } else { 0 }));
        }
        let starts: Vec<u64> = kept.records().iter().map(|call| call.start_ns).collect();
        assert!(starts.len() <= 12, "{starts:?}");
        assert_eq!(starts[..4], [0, 1, 2, 3]);
        assert_eq!(starts[starts.len() - 4..], [296, 297, 298, 299]);
        assert!(starts.contains(&150), "{starts:?}");
    }

    #[test]
    fn where_room_has_been_taken_it_is_used_and_does_not_grow() {
        let mut kept = KeptCalls::default();
        for number in 0..120 {
            kept.make_room(MOST);
            kept.add(call(number, 0));
        }
        let room = kept.room();
        for number in 120..400 {
            kept.make_room(10);
            kept.add(call(number, 0));
        }
        assert_eq!(kept.room(), room);
        let starts: Vec<u64> = kept.records().iter().map(|call| call.start_ns).collect();
        assert!(starts.len() > 120, "{}", starts.len());
        assert_eq!(starts.last(), Some(&399));
    }

    #[test]
    fn keeps_the_first_the_last_and_the_highest() {
        let mut kept = KeptCalls::default();
        let peak = |number: u64| {
            if number.is_multiple_of(1_000) {
                number
            } else {
                0
            }
        };
        for number in 0..100_000 {
            kept.add(call(number, peak(number)));
        }
        let starts: Vec<u64> = kept.records().iter().map(|call| call.start_ns).collect();
        assert!(starts.is_sorted());
        assert!(starts.len() <= MOST);
        for number in (0..100).chain(99_900..100_000) {
            assert!(starts.contains(&number), "{number}");
        }
        for number in (50_000..100_000).step_by(1_000) {
            assert!(starts.contains(&number), "{number}");
        }
    }
}
