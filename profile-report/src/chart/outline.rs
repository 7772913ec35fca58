//! The run's RSS as a small picture for table cells, with the parts in which a function ran.

use std::fmt::Write as _;

use memprof_model::run::{FunctionProfile, Run};

use crate::facts::shown_call::unlisted;

/// Width of the box that the paths are in; the page's `viewBox` says the same.
const WIDTH: usize = 120;
/// Its height.
const HEIGHT: f64 = 24.0;

/// The highest RSS in each slice of a run.
pub(crate) struct Outline {
    end_ns: u64,
    heights: [f64; WIDTH],
}

impl Outline {
    /// The outline of `run`, its highest sample touching the upper edge.
    pub(crate) fn new(run: &Run) -> Self {
        let end_ns = run
            .series
            .last()
            .map_or(0, |s| s.t_ns)
            .max(run.duration_ns)
            .max(1);
        let mut outline = Self {
            end_ns,
            heights: [0.0; WIDTH],
        };
        let mut highest = [0_u64; WIDTH];
        for sample in &run.series {
            let slice = outline.slice(sample.t_ns);
            highest[slice] = highest[slice].max(sample.rss);
        }
        let top = run.process.peak_rss.max(1) as f64;
        // A slice without a sample is as high as the one before.
        let mut rss = run.process.baseline_rss;
        for (height, highest) in outline.heights.iter_mut().zip(highest) {
            rss = if highest > 0 { highest } else { rss };
            *height = (HEIGHT * rss as f64 / top).min(HEIGHT);
        }
        outline
    }

    /// The slice in which a moment lies.
    fn slice(&self, t_ns: u64) -> usize {
        let slice = u128::from(t_ns) * WIDTH as u128 / u128::from(self.end_ns);
        usize::try_from(slice).unwrap_or(WIDTH).min(WIDTH - 1)
    }

    /// The whole run.
    pub(crate) fn whole(&self) -> String {
        self.path(&[true; WIDTH])
    }

    /// The parts in which `function` was being called. Calls that are not listed are somewhere between those that are.
    pub(crate) fn during(&self, function: &FunctionProfile) -> String {
        let mut active = [false; WIDTH];
        let listed = function.read_calls();
        let listed = listed.map(|call| (call.start_ns, call.end_ns));
        let rest = unlisted(function).map(|stretch| (stretch.from_ns, stretch.to_ns));
        for (from_ns, to_ns) in listed.chain(rest) {
            let (from, to) = (self.slice(from_ns), self.slice(to_ns));
            active[from..=to.max(from)].fill(true);
        }
        self.path(&active)
    }

    /// Bars standing on the lower edge in the slices that are wanted; neighbours of one height become
    /// one.
    fn path(&self, wanted: &[bool; WIDTH]) -> String {
        let height = |x: usize| wanted[x].then(|| format!("{:.1}", HEIGHT - self.heights[x]));
        let slices: Vec<_> = (0..WIDTH).map(height).collect();
        let mut path = String::new();
        let mut x = 0;
        for stretch in slices.chunk_by(|a, b| a.is_some() == b.is_some()) {
            if stretch[0].is_some() {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{x} {HEIGHT}");
                for bars in stretch.chunk_by(|a, b| a == b) {
                    let _ = write!(
                        path,
                        "V{}h{}",
                        bars[0].as_deref().unwrap_or_default(),
                        bars.len()
                    );
                }
                let _ = write!(path, "V{HEIGHT}z");
            }
            x += stretch.len();
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_function_is_where_its_calls_are() {
        let run = fixture::nested();
        let outline = Outline::new(&run);
        let [outer, inner] = [0, 1].map(|i| outline.during(&run.functions[i]));
        assert!(outline.whole().starts_with("M0 24V21.6h3V"));
        assert!(outer.len() <= outline.whole().len() && inner.len() <= outer.len());
    }

    #[test]
    fn every_fixture_has_one() {
        for (name, run) in fixture::all() {
            let outline = Outline::new(&run);
            for function in &run.functions {
                let path = outline.during(function);
                assert_eq!(
                    path.is_empty(),
                    function.read_calls().next().is_none(),
                    "{name}"
                );
                assert!(
                    !path.contains("NaN") && !path.contains("inf"),
                    "{name}: {path}"
                );
            }
        }
    }
}
