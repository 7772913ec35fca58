//! The figures of a function's calls by size (`by = …`): how memory grows with the input.

/// How many sizes are kept. When there are more, the size whose neighbours are nearest is dropped.
const ROOM: usize = 128;
/// Bytes that a site allocates ahead for lines' figures: enough for 29 sizes of a function of 20 lines.
const ROOM_FOR_LINES: usize = 32 << 10;

use memprof_model::data;
use memprof_model::internal::{HEAP_RESOLUTION, RSS_RESOLUTION, faster_than};

use crate::heap::is_counted;
use crate::site::figures::{CallFigures, LineFigures};
use crate::site::resident::resident;
use memprof_model::growth::{Exponent, Point};
use memprof_model::run::{CallMaxima, HeapFigures, LineAtSize, SizeFigures};

/// If more than this was split between a call and other threads by an estimate, its peak is perhaps not its own.
/// The pages of memprof's own threads, and of a test harness, are less.
const UNSURE: u64 = 256 << 10;

/// The figures of one site's calls by size.
#[derive(Debug, Clone, Default)]
pub(crate) struct FiguresBySize {
    /// Ascending.
    sizes: Vec<FiguresAtSize>,
    /// Allocated ahead: the lines of sizes to come.
    room: Vec<Vec<LineFigures>>,
}

/// What the calls of size `n` took.
#[derive(Debug, Clone)]
struct FiguresAtSize {
    n: f64,
    most: Extremes,
}

/// What several calls took: the most memory, because a later call may reuse what an earlier one freed, and the
/// least time, because other programs disturb.
#[derive(Debug, Clone)]
pub(crate) struct Extremes {
    calls: u64,
    /// Calls whose peaks are perhaps not their own.
    shared: u64,
    peak: u64,
    net: i64,
    time_ns: u64,
    heap: HeapFigures,
    lines: Vec<LineFigures>,
}

impl FiguresBySize {
    /// For a site with `by = …` and so many lines. Room for the first sizes is allocated here: a block of ours
    /// that is allocated between calls can lie above the program's, and keep those resident when they are
    /// freed.
    pub(crate) fn with_room_for(lines: usize) -> FiguresBySize {
        let bytes = lines * size_of::<LineFigures>();
        let rooms = (ROOM_FOR_LINES / bytes.max(1)).min(ROOM + 1);
        FiguresBySize {
            sizes: resident(ROOM + 1),
            room: vec![vec![LineFigures::default(); lines]; rooms],
        }
    }

    /// Adds a call of the size `n`. If it is the first of that size and no room is left, takes the memory of
    /// `lines`.
    pub(crate) fn add(&mut self, n: f64, call: &CallFigures, lines: &mut Vec<LineFigures>) {
        if !n.is_finite() {
            return;
        }
        match self.sizes.binary_search_by(|size| size.n.total_cmp(&n)) {
            Ok(at) => self.sizes[at].most.add(call, lines),
            Err(at) => {
                let kept = self.room.pop();
                let mut most = Extremes::with_lines(kept.unwrap_or_else(|| std::mem::take(lines)));
                most.add(call, lines);
                self.sizes.insert(at, FiguresAtSize { n, most });
                if self.sizes.len() > ROOM {
                    self.thin_out();
                }
            }
        }
    }

    /// Drops the inner size whose neighbours are nearest.
    fn thin_out(&mut self) {
        let gap = |at: usize| self.sizes[at + 1].n.abs().ln() - self.sizes[at - 1].n.abs().ln();
        let inner = 1..self.sizes.len() - 1;
        if let Some(at) = inner.min_by(|&a, &b| gap(a).total_cmp(&gap(b))) {
            let gone = self.sizes.remove(at);
            self.room.push(gone.most.lines);
        }
    }

    /// The exponent by which peaks grow with the size, if it is surely higher than `limit`. Peaks are of heap
    /// bytes with the counting allocator, and of RSS without.
    pub(crate) fn grows_faster_than(&self, limit: f64) -> Option<Exponent> {
        let counted = is_counted();
        let points = self.sizes.iter().map(|size| Point {
            n: size.n,
            value: if counted {
                size.most.heap.peak
            } else {
                size.most.peak
            } as f64,
        });
        let points: Vec<Point> = points.collect();
        let resolution = if counted {
            HEAP_RESOLUTION
        } else {
            RSS_RESOLUTION
        };
        faster_than(&points, resolution, limit)
    }

    /// As data; `numbers` are the line numbers of the site's lines.
    pub(crate) fn figures(&self, numbers: &[u32]) -> Vec<SizeFigures> {
        let figures = |size: &FiguresAtSize| {
            data!(SizeFigures {
                n: size.n,
                calls: size.most.calls,
                peak_rss: size.most.peak,
                net_rss: size.most.net,
                time_ns: size.most.time_ns,
                heap: is_counted().then_some(size.most.heap),
                lines: size.most.lines(numbers),
            })
        };
        self.sizes.iter().map(figures).collect()
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let kept = self.sizes.iter().map(|size| &size.most.lines);
        let lines = kept.chain(&self.room).map(lines_bytes);
        (self.sizes.capacity() * size_of::<FiguresAtSize>()) as u64 + lines.sum::<u64>()
    }
}

impl Extremes {
    /// Of no call yet, with room for so many lines.
    pub(crate) fn with_room_for(lines: usize) -> Extremes {
        Extremes::with_lines(vec![LineFigures::default(); lines])
    }

    fn with_lines(lines: Vec<LineFigures>) -> Extremes {
        Extremes {
            calls: 0,
            shared: 0,
            peak: 0,
            net: i64::MIN,
            time_ns: u64::MAX,
            heap: data!(HeapFigures {
                net: i64::MIN,
                ..HeapFigures::default()
            }),
            lines,
        }
    }

    /// Adds a call with its lines.
    pub(crate) fn add(&mut self, call: &CallFigures, lines: &[LineFigures]) {
        let first = self.calls == 0;
        for (line, new) in self.lines.iter_mut().zip(lines) {
            if first {
                *line = *new;
            } else {
                line.merge(new);
            }
        }
        self.calls += 1;
        self.shared += u64::from(call.unsure > UNSURE);
        self.peak = self.peak.max(call.peak);
        self.net = self.net.max(call.net);
        self.time_ns = self.time_ns.min(call.time_ns);
        self.heap = higher(self.heap, call.heap);
    }

    /// As data; `numbers` are the line numbers of the site's lines. `None` before the first call.
    pub(crate) fn maxima(&self, numbers: &[u32]) -> Option<CallMaxima> {
        (self.calls > 0).then(|| {
            data!(CallMaxima {
                calls: self.calls,
                shared: self.shared,
                peak_rss: self.peak,
                heap: is_counted().then_some(self.heap),
                lines: self.lines(numbers),
            })
        })
    }

    /// The lines as data, with their numbers.
    fn lines(&self, numbers: &[u32]) -> Vec<LineAtSize> {
        let lines = numbers.iter().zip(&self.lines).map(|(&number, line)| {
            data!(LineAtSize {
                line: number,
                peak_rss: line.peak,
                net_rss: line.net,
                time_ns: line.time_ns,
                heap: is_counted().then(|| line.heap_figures()),
            })
        });
        lines.collect()
    }

    /// Bytes that it holds beside itself.
    pub(crate) fn bytes(&self) -> u64 {
        lines_bytes(&self.lines)
    }
}

fn lines_bytes(lines: &Vec<LineFigures>) -> u64 {
    (lines.capacity() * size_of::<LineFigures>()) as u64
}

/// The higher of both, figure by figure.
fn higher(a: HeapFigures, b: HeapFigures) -> HeapFigures {
    data!(HeapFigures {
        allocated: a.allocated.max(b.allocated),
        freed: a.freed.max(b.freed),
        net: a.net.max(b.net),
        peak: a.peak.max(b.peak),
        allocations: a.allocations.max(b.allocations),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(net: i64) -> LineFigures {
        LineFigures {
            net,
            ..LineFigures::default()
        }
    }

    /// Twice as many sizes as are kept, and more than are allocated ahead: each has the figures of its own
    /// call's lines, whichever size had the memory before.
    #[test]
    fn by_size_figures_by_size_keep_the_lines_of_each_size_apart() {
        const LINES: usize = 20;
        let call = CallFigures {
            unsure: 0,
            peak: 0,
            net: 0,
            time_ns: 1,
            heap: HeapFigures::default(),
        };
        let mut by_size = FiguresBySize::with_room_for(LINES);
        let mut lines = Vec::new();
        let mut taken = 0;
        for n in 1..=2 * ROOM as i64 {
            lines.clear();
            lines.resize(LINES, line(n));
            by_size.add(n as f64, &call, &mut lines);
            taken += usize::from(lines.is_empty());
        }
        assert_eq!(by_size.sizes.len(), ROOM);
        assert_eq!(
            taken,
            ROOM + 1 - ROOM_FOR_LINES / (LINES * size_of::<LineFigures>())
        );
        for size in &by_size.sizes {
            let nets: Vec<i64> = size.most.lines.iter().map(|line| line.net).collect();
            assert_eq!(nets, [size.n as i64; LINES]);
        }
    }
}
