//! The figures of a function's calls by their size, `by = …`: how memory grows with the input.

/// How many sizes are kept. Of more, those go whose neighbours are nearest.
const ROOM: usize = 128;

use crate::growth::{self, Exponent, Point};
use crate::heap::is_counted;
use crate::run::{HeapFigures, LineAtSize, SizeFigures};
use crate::site::Registered;
use crate::watch::LineFigures;

/// How far a peak of RSS may be off: two pages.
pub(crate) const RSS_RESOLUTION: f64 = 8192.0;
/// What heap figures are exact to.
pub(crate) const HEAP_RESOLUTION: f64 = 16.0;

/// The sizes of one site, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct SizeBook {
    sizes: Vec<Size>,
}

#[derive(Debug, Clone)]
struct Size {
    n: f64,
    calls: u64,
    peak: u64,
    net: i64,
    time_ns: u64,
    heap: HeapFigures,
    lines: Vec<LineFigures>,
}

/// What one call had.
#[derive(Debug)]
pub(crate) struct CallAtSize<'call> {
    pub n: f64,
    pub peak: u64,
    pub net: i64,
    pub time_ns: u64,
    pub heap: HeapFigures,
    pub lines: &'call [LineFigures],
}

impl SizeBook {
    /// Adds a call. Of several calls of one size the highest memory counts, because what a call frees
    /// the next one may get again; and the shortest time, because others disturb.
    pub(crate) fn add(&mut self, call: &CallAtSize<'_>) {
        if !call.n.is_finite() {
            return;
        }
        match self
            .sizes
            .binary_search_by(|size| size.n.total_cmp(&call.n))
        {
            Ok(at) => self.sizes[at].merge(call),
            Err(at) => {
                self.sizes.insert(at, Size::new(call));
                if self.sizes.len() > ROOM {
                    self.thin_out();
                }
            }
        }
    }

    fn thin_out(&mut self) {
        let gap = |at: usize| self.sizes[at + 1].n.abs().ln() - self.sizes[at - 1].n.abs().ln();
        let inner = 1..self.sizes.len() - 1;
        if let Some(at) = inner.min_by(|&a, &b| gap(a).total_cmp(&gap(b))) {
            self.sizes.remove(at);
        }
    }

    /// The exponent of its peaks, if that is surely higher than `limit`: of heap bytes where they are
    /// counted, of RSS elsewhere.
    pub(crate) fn grows_faster_than(&self, limit: f64) -> Option<Exponent> {
        let counted = is_counted();
        let points = self.sizes.iter().map(|size| Point {
            n: size.n,
            value: if counted { size.heap.peak } else { size.peak } as f64,
        });
        let points: Vec<Point> = points.collect();
        let resolution = if counted {
            HEAP_RESOLUTION
        } else {
            RSS_RESOLUTION
        };
        growth::faster_than(&points, resolution, limit)
    }

    /// As data; the lines of `site` have numbers there.
    pub(crate) fn figures(&self, site: &Registered) -> Vec<SizeFigures> {
        let counted = is_counted();
        let figures = |size: &Size| SizeFigures {
            n: size.n,
            calls: size.calls,
            peak_rss: size.peak,
            net_rss: size.net,
            time_ns: size.time_ns,
            heap: counted.then_some(size.heap),
            lines: (0..)
                .zip(&size.lines)
                .filter_map(|(at, line)| {
                    Some(LineAtSize {
                        line: site.line_number(at)?,
                        peak_rss: line.peak,
                        net_rss: line.net,
                        time_ns: line.time_ns,
                        heap: counted.then(|| line.heap_figures()),
                    })
                })
                .collect(),
        };
        self.sizes.iter().map(figures).collect()
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let lines = self
            .sizes
            .iter()
            .map(|size| size.lines.capacity())
            .sum::<usize>();
        let fixed = self.sizes.capacity() * size_of::<Size>();
        (fixed + lines * size_of::<LineFigures>()) as u64
    }
}

impl Size {
    fn new(call: &CallAtSize<'_>) -> Size {
        Size {
            n: call.n,
            calls: 1,
            peak: call.peak,
            net: call.net,
            time_ns: call.time_ns,
            heap: call.heap,
            lines: call.lines.to_vec(),
        }
    }

    fn merge(&mut self, call: &CallAtSize<'_>) {
        self.calls += 1;
        self.peak = self.peak.max(call.peak);
        self.net = self.net.max(call.net);
        self.time_ns = self.time_ns.min(call.time_ns);
        self.heap = higher(self.heap, call.heap);
        for (line, new) in self.lines.iter_mut().zip(call.lines) {
            line.net = line.net.max(new.net);
            line.peak = line.peak.max(new.peak);
            line.time_ns = line.time_ns.min(new.time_ns);
            line.heap_peak = line.heap_peak.max(new.heap_peak);
            if new.heap.allocated > line.heap.allocated {
                line.heap = new.heap;
            }
        }
    }
}

fn higher(a: HeapFigures, b: HeapFigures) -> HeapFigures {
    HeapFigures {
        allocated: a.allocated.max(b.allocated),
        freed: a.freed.max(b.freed),
        net: a.net.max(b.net),
        peak: a.peak.max(b.peak),
        allocations: a.allocations.max(b.allocations),
    }
}
