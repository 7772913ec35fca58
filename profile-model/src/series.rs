//! Samples over time in a fixed number of points, with every minimum and maximum kept.
//!
//! Points are stored as they come. When the room is used up, time is cut into equal slices, and each
//! slice keeps its first, lowest, highest and last point. That halves the number at least, so a
//! point costs constant time on average, and a series of any length keeps its extremes and an even
//! resolution in time.

use crate::figures::Sample;

/// Points that a whole series holds at most.
const CAPACITY: usize = 1024;

/// Something with a time and a value.
pub trait SeriesPoint: Copy {
    /// The moment, nanoseconds since the run's start.
    fn t_ns(&self) -> u64;
    /// What counts as high or low.
    fn value(&self) -> u64;
}

impl SeriesPoint for Sample {
    fn t_ns(&self) -> u64 {
        self.t_ns
    }
    fn value(&self) -> u64 {
        self.rss
    }
}

/// Samples over time in bounded room: at most 1,024 points, of which first, last, lowest and highest are
/// always kept, evenly spread over time.
///
/// ```
/// # extern crate memprof_model as memprof;
/// use memprof::run::{Sample, Series};
///
/// let sample = |t_ns, rss| {
///     let mut sample = Sample::default();
///     (sample.t_ns, sample.rss) = (t_ns, rss);
///     sample
/// };
/// let mut series = Series::new(sample(0, 0));
/// (0..100_000).for_each(|n| series.push(sample(n, n % 77)));
/// assert!(series.points().len() <= 1_024);
/// ```
#[derive(Debug, Clone)]
pub struct Series<P> {
    points: Vec<P>,
    /// How many it holds at most.
    most: usize,
}

impl<P: SeriesPoint> Series<P> {
    /// An empty series, with all the memory that it will ever need. The memory is written to once,
    /// so that its pages are resident before the first reading and not in the middle of a line.
    pub fn new(filler: P) -> Series<P> {
        Series::of_at_most(CAPACITY, filler)
    }

    /// The same with fewer points: at most so many, of which there are 8 at least.
    #[doc(hidden)]
    pub fn of_at_most(most: usize, filler: P) -> Series<P> {
        let mut points = Vec::with_capacity(most);
        // Not `vec![filler; n]`, which for zeroes asks for memory that is not resident yet.
        points.extend((0..most).map(|_| filler));
        points.clear();
        Series { points, most }
    }

    /// Adds a point. One that comes too late is left out: the sampler hands its samples over a moment
    /// after it took them, and a reading of the thread's own may have come in between.
    pub fn push(&mut self, point: P) {
        if self
            .points
            .last()
            .is_some_and(|last| last.t_ns() > point.t_ns())
        {
            return;
        }
        if self.points.len() >= self.most {
            self.thin();
        }
        self.points.push(point);
    }

    /// What was kept, in order of time.
    pub fn points(&self) -> &[P] {
        &self.points
    }

    /// Empties the series and keeps its memory.
    #[doc(hidden)]
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// An empty series with room for so many points of another.
    #[doc(hidden)]
    pub fn with_room_for(points: usize) -> Series<P> {
        Series {
            points: Vec::with_capacity(points),
            most: points,
        }
    }

    /// Takes over the points of `other`: to be kept, not to be pushed to.
    #[doc(hidden)]
    pub fn copy(&mut self, other: &Series<P>) {
        self.points.clone_from(&other.points);
    }

    /// Keeps no more room than its points need.
    #[doc(hidden)]
    pub fn give_room_back(&mut self) {
        self.points.shrink_to_fit();
    }

    /// Whether it can hold so many points without asking for memory.
    #[doc(hidden)]
    pub fn has_room_for(&self, points: usize) -> bool {
        self.points.capacity() >= points
    }

    /// Whether it is of the usual size, not one of fewer points.
    #[doc(hidden)]
    pub fn is_whole(&self) -> bool {
        self.most == CAPACITY
    }

    /// Bytes that it holds.
    #[doc(hidden)]
    pub fn bytes(&self) -> u64 {
        (self.points.capacity() * size_of::<P>()) as u64
    }

    fn thin(&mut self) {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return;
        };
        let begin = first.t_ns();
        // Four points are left of each slice.
        let slices = (self.most as u64 / 8).max(1);
        let width = (last.t_ns().saturating_sub(begin) / slices + 1).max(1);
        let slice_of = |point: &P| point.t_ns().saturating_sub(begin) / width;
        // Kept points are moved to the front: a slice's four never overtake what is still unread.
        let (mut read, mut write) = (0, 0);
        while read < self.points.len() {
            let slice = slice_of(&self.points[read]);
            let length = self.points[read..]
                .iter()
                .take_while(|point| slice_of(point) == slice)
                .count();
            for at in extremes(&self.points[read..read + length]) {
                self.points[write] = self.points[read + at];
                write += 1;
            }
            read += length;
        }
        self.points.truncate(write);
    }
}

/// About `most` of `points`: in each of even slices of their number the extremes.
pub fn thinned<P: SeriesPoint>(points: &[P], most: usize) -> Vec<P> {
    if points.len() <= most {
        return points.to_vec();
    }
    let slices = points.chunks(points.len().div_ceil((most / 4).max(1)));
    slices
        .flat_map(|slice| extremes(slice).map(|at| slice[at]))
        .collect()
}

/// Positions of the first, lowest, highest and last of `points`, ascending, each once.
fn extremes<P: SeriesPoint>(points: &[P]) -> impl Iterator<Item = usize> + use<P> {
    let mut lowest = 0;
    let mut highest = 0;
    for (at, point) in points.iter().enumerate() {
        if point.value() < points[lowest].value() {
            lowest = at;
        }
        if point.value() > points[highest].value() {
            highest = at;
        }
    }
    let mut kept = [0, lowest, highest, points.len() - 1];
    kept.sort_unstable();
    let mut previous = None;
    kept.into_iter()
        .filter(move |&at| previous.replace(at) != Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(t_ns: u64, rss: u64) -> Sample {
        Sample {
            t_ns,
            rss,
            heap: None,
        }
    }

    fn series(values: &[(u64, u64)]) -> Series<Sample> {
        let mut t_ns = 0;
        let mut series = Series::new(point(1, 1));
        for &(step, rss) in values {
            t_ns += step;
            series.push(point(t_ns, rss));
        }
        series
    }

    proptest! {
        #[test]
        fn bounded_ordered_and_true_to_the_extremes(
            values in prop::collection::vec((0_u64..1_000_000, 0_u64..1_000), 1..20_000)
        ) {
            let series = series(&values);
            let points = series.points();
            prop_assert!(points.len() <= CAPACITY);
            prop_assert!(points.is_sorted_by_key(|point| point.t_ns));
            let kept = points.iter().map(|point| point.rss);
            let given = values.iter().map(|value| value.1);
            prop_assert_eq!(kept.clone().max(), given.clone().max());
            prop_assert_eq!(kept.min(), given.clone().min());
            prop_assert_eq!(points[0].rss, values[0].1);
            prop_assert_eq!(points.last().map(|point| point.rss), values.last().map(|value| value.1));
        }
    }

    #[test]
    fn many_points_at_one_moment_fit() {
        let series = series(&vec![(0, 5); 3 * CAPACITY]);
        assert!(series.points().len() <= CAPACITY);
    }

    /// A sample every 20 ms, since those of a day at 1 ms take this test a minute without optimisation: it
    /// is thinned some eight thousand times all the same.
    #[test]
    fn the_samples_of_a_day_need_no_more_room() {
        let mut series = Series::new(point(0, 0));
        let room = series.bytes();
        let samples = 86_400 * 50;
        for number in 0..samples {
            let rss = match number {
                2_000_000 => 9_999,
                _ => 1_000 + number % 7_919,
            };
            series.push(point(number * 20_000_000, rss));
        }
        assert_eq!(series.bytes(), room);
        let highest = series.points().iter().map(|point| point.rss).max();
        assert_eq!(highest, Some(9_999), "one sample of the whole day");
    }

    #[test]
    fn a_long_series_keeps_an_even_resolution() {
        let series = series(&vec![(1_000, 7); 100 * CAPACITY]);
        let gaps = series
            .points()
            .windows(2)
            .map(|pair| pair[1].t_ns - pair[0].t_ns);
        let longest = gaps.max().unwrap();
        assert!(longest <= 2 * 100 * CAPACITY as u64 * 1_000 / (CAPACITY as u64 / 8));
    }
}
