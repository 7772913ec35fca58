//! A chart as pixels, for places that show no SVG. Feature `png`.
//!
//! The picture is the SVG, drawn by resvg with DejaVu Sans, which is part of the program then: a
//! container has no fonts. Its licence (Bitstream Vera's, and public domain) allows that. Scripts that
//! DejaVu lacks, Chinese for example, are left blank; the SVG has them.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use crate::error::ReportError;

/// Pixels for each CSS pixel: sharp on the screens of today.
const DENSITY: f32 = 2.0;

/// Reading the fonts takes longer than drawing a small chart.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// A chart, as [`function_chart`](crate::function_chart) or [`run_chart`](crate::run_chart) made it,
/// as a PNG file: light, 1,600 pixels wide. It needs no font on the machine.
///
/// Reports hold no PNG: one takes some 50 ms to draw, without optimisation 1 s.
///
/// # Errors
/// When `svg` is no SVG.
///
/// ```no_run
/// let run = memprof::report::read_run("target/memprof/latest")?;
/// let chart = memprof::report::run_chart(&run)?;
/// std::fs::write("run.png", memprof::report::png(&chart)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn png(svg: &str) -> Result<Vec<u8>, ReportError> {
    let failed = |reason: String| ReportError::render("draw a PNG", reason);
    let options = Options {
        fontdb: Arc::clone(&FONTS),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|e| failed(e.to_string()))?;
    let size = tree.size().to_int_size().scale_by(DENSITY);
    let pixels = size.and_then(|size| Pixmap::new(size.width(), size.height()));
    let mut pixels = pixels.ok_or_else(|| failed("a chart without a size".to_owned()))?;
    let scale = Transform::from_scale(DENSITY, DENSITY);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{function_chart, run_chart};
    use crate::fixture;
    use memprof_model::run::Run;

    /// The chart of the run's first function, as pixels.
    fn pixels(run: &Run) -> Pixmap {
        let svg = function_chart(run, &run.functions[0]).unwrap();
        Pixmap::decode_png(&png(&svg).unwrap()).unwrap()
    }

    #[test]
    fn twice_the_size_of_the_svg() {
        assert_eq!(pixels(&fixture::inverse()).width(), 1600);
    }

    #[test]
    fn charts_of_runs_can_be_drawn_whatever_their_names() {
        for run in [fixture::hostile(), fixture::nothing(), fixture::heap()] {
            png(&run_chart(&run).unwrap()).unwrap();
        }
    }

    /// The title stands alone in the top left corner: without a font that corner would be blank.
    #[test]
    fn text_is_drawn_without_any_font_of_the_machine() {
        let pixels = pixels(&fixture::inverse());
        let corner = (20..60).flat_map(|y| (30..300).map(move |x| (x, y)));
        let dark = corner.filter(|&(x, y)| pixels.pixel(x, y).is_some_and(|p| p.red() < 100));
        assert!(dark.count() > 500);
    }

    #[test]
    fn what_is_no_chart_is_an_error() {
        let error = png("no chart").unwrap_err().to_string();
        assert!(error.contains("draw a PNG"), "{error}");
    }
}
