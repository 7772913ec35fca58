//! A card with a title, two axes and room for curves, drawn by plotters and finished as one SVG
//! element.
//!
//! Plotters places things on whole pixels. Everything is therefore drawn [`SCALE`] times larger and
//! shrunk by the `viewBox`, which makes curves smooth.

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{Cartesian2d, DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, IntoTextStyle, ShapeStyle, TextStyle};

use super::axis::{MemoryAxis, TimeAxis};
use super::palette::{Role, style_sheet};
use crate::error::ReportError;
use crate::text::visible::{truncate, visible};

/// How much larger than the picture plotters draws.
pub(super) const SCALE: i32 = 4;
/// Width of every chart, in CSS pixels.
pub(super) const WIDTH: i32 = 800;
/// Title, subtitle, and a row for the legend.
const TITLE_AREA: i32 = 84;
const AXIS_AREA: i32 = 46;
const RIGHT: i32 = 20;
const TITLE_SIZE: f64 = 16.0;
pub(super) const TEXT_SIZE: f64 = 12.0;

pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;
pub(super) type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plot<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What surrounds the curves.
pub(super) struct Frame {
    /// Set bold at the top.
    pub(super) title: String,
    /// Set small below it.
    pub(super) subtitle: String,
    /// The stretch of time.
    pub(super) time: TimeAxis,
    /// The heights.
    pub(super) memory: MemoryAxis,
    /// Height of the plot with its axes, without title and lanes, in CSS pixels.
    pub(super) height: i32,
    /// Room on the left for labels, in CSS pixels.
    pub(super) left: i32,
    /// Room under the time axis, in CSS pixels.
    pub(super) below: i32,
}

/// Horizontal placement of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// The text begins at the point.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point.
    End,
}

/// A place to draw on, in moments and bytes or in CSS pixels of the card.
pub(super) struct Canvas<'a, 'b> {
    root: &'b Root<'a>,
    plot: &'b Plot<'a>,
    time: &'b TimeAxis,
}

/// Draws `frame`, lets `paint` fill it, and returns an `<svg>` element.
pub(super) fn draw(
    frame: &Frame,
    paint: impl FnOnce(&Canvas<'_, '_>) -> Drawn,
) -> Result<String, ReportError> {
    let height = TITLE_AREA + frame.height + frame.below;
    let mut drawn = String::new();
    draw_on(&mut drawn, height, frame, paint)
        .map_err(|e| ReportError::render("draw a chart", e.to_string()))?;
    Ok(finish(
        &drawn,
        height,
        &format!("{}: {}", frame.title, frame.subtitle),
    ))
}

fn draw_on(
    drawn: &mut String,
    height: i32,
    frame: &Frame,
    paint: impl FnOnce(&Canvas<'_, '_>) -> Drawn,
) -> Drawn {
    let size = ((WIDTH * SCALE) as u32, (height * SCALE) as u32);
    let root = SVGBackend::with_string(drawn, size).into_drawing_area();
    draw_titles(&root, frame)?;
    let mut chart = ChartBuilder::on(&root)
        .margin_top(TITLE_AREA * SCALE)
        .margin_right(RIGHT * SCALE)
        .margin_bottom(frame.below * SCALE)
        .x_label_area_size(AXIS_AREA * SCALE)
        .y_label_area_size(frame.left * SCALE)
        .build_cartesian_2d(frame.time.range(), frame.memory.range())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(Role::Grid.colour().stroke_width(SCALE as u32))
        .light_line_style(Role::Card.colour().mix(0.0))
        .axis_style(Role::Grid.colour().stroke_width(SCALE as u32))
        .label_style(text_style(Role::Muted, TEXT_SIZE, false))
        .x_labels(9)
        .y_labels(6)
        .x_label_formatter(&|x| frame.time.label(*x))
        .y_label_formatter(&|y| frame.memory.label(*y))
        .set_all_tick_mark_size(5 * SCALE)
        .draw()?;
    let canvas = Canvas {
        root: &root,
        plot: chart.plotting_area(),
        time: &frame.time,
    };
    let middle = canvas.left() + (canvas.right() - canvas.left()) / 2;
    canvas.text(
        &frame.time.title(),
        (middle, height - frame.below - 14),
        Role::Muted,
        Align::Middle,
    )?;
    canvas.text(
        "MiB",
        (canvas.left() - 10, canvas.top() - 17),
        Role::Muted,
        Align::End,
    )?;
    paint(&canvas)?;
    root.present()
}

fn draw_titles(root: &Root<'_>, frame: &Frame) -> Drawn {
    let title = truncate(&visible(&frame.title), 82);
    let subtitle = truncate(&visible(&frame.subtitle), 116);
    let at = |x: i32, y: i32| (x * SCALE, y * SCALE);
    root.draw(&Text::new(
        title,
        at(16, 15),
        text_style(Role::Ink, TITLE_SIZE, true),
    ))?;
    root.draw(&Text::new(
        subtitle,
        at(16, 37),
        text_style(Role::Muted, TEXT_SIZE, false),
    ))
}

/// Sans-serif text of `size` CSS pixels. Plotters divides sizes by 1.24 for SVG.
pub(super) fn text_style(role: Role, size: f64, bold: bool) -> TextStyle<'static> {
    let font = ("sans-serif", size * 1.24 * f64::from(SCALE)).into_font();
    let font = if bold {
        font.style(FontStyle::Bold)
    } else {
        font
    };
    font.color(&role.colour())
}

/// Replaces plotters' opening tag by one with a style sheet, a card and a description.
pub(super) fn finish(drawn: &str, height: i32, description: &str) -> String {
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    let (w, h) = (WIDTH * SCALE, height * SCALE);
    let description = escape(&visible(description));
    let style = style_sheet(body);
    let card = format!("#{:06X}", 0xFF_FF_FF);
    format!(
        "<svg class=\"memprof\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {w} {h}\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title>{description}</title>\n<style>{style}</style>\n\
         <rect width=\"{w}\" height=\"{h}\" rx=\"{}\" fill=\"{card}\"/>\n{body}",
        8 * SCALE
    )
}

/// Text for an XML document.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

impl Canvas<'_, '_> {
    /// A curve through moments and bytes, `width` CSS pixels wide.
    pub(super) fn curve(&self, points: &[(u64, u64)], role: Role, width: f64) -> Drawn {
        let style = stroke(role, width, 1.0);
        self.plot
            .draw(&PathElement::new(self.coordinates(points), style))
    }

    /// The area under a curve.
    pub(super) fn area(&self, points: &[(u64, u64)], role: Role, opacity: f64) -> Drawn {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Ok(());
        };
        let mut outline = self.coordinates(points);
        outline.extend([self.coordinate(last.0, 0), self.coordinate(first.0, 0)]);
        self.plot
            .draw(&Polygon::new(outline, role.colour().mix(opacity)))
    }

    fn coordinates(&self, points: &[(u64, u64)]) -> Vec<(f64, f64)> {
        points
            .iter()
            .map(|&(t_ns, bytes)| self.coordinate(t_ns, bytes))
            .collect()
    }

    /// A point in the plot's coordinates, moved to its edge if it lies outside: plotters counts
    /// pixels in 32 bits and must not be asked for more.
    fn coordinate(&self, t_ns: u64, bytes: u64) -> (f64, f64) {
        let (x, y) = (self.plot.get_x_range(), self.plot.get_y_range());
        (
            self.time.at(t_ns).clamp(x.start, x.end),
            MemoryAxis::at(bytes).clamp(y.start, y.end),
        )
    }

    /// The place of a moment and a size, in CSS pixels.
    pub(super) fn place(&self, t_ns: u64, bytes: u64) -> (i32, i32) {
        let (x, y) = self.plot.map_coordinate(&self.coordinate(t_ns, bytes));
        (x / SCALE, y / SCALE)
    }

    /// The plot's left edge, in CSS pixels.
    pub(super) fn left(&self) -> i32 {
        self.plot.get_pixel_range().0.start / SCALE
    }

    /// The plot's right edge.
    pub(super) fn right(&self) -> i32 {
        self.plot.get_pixel_range().0.end / SCALE
    }

    /// The plot's upper edge.
    pub(super) fn top(&self) -> i32 {
        self.plot.get_pixel_range().1.start / SCALE
    }

    /// The plot's lower edge.
    pub(super) fn bottom(&self) -> i32 {
        self.plot.get_pixel_range().1.end / SCALE
    }

    /// A thin line through places.
    pub(super) fn stroke(
        &self,
        places: &[(i32, i32)],
        role: Role,
        width: f64,
        opacity: f64,
    ) -> Drawn {
        let places: Vec<_> = places
            .iter()
            .map(|&(x, y)| (x * SCALE, y * SCALE))
            .collect();
        self.root
            .draw(&PathElement::new(places, stroke(role, width, opacity)))
    }

    /// A dashed vertical or horizontal line.
    pub(super) fn dashes(&self, from: (i32, i32), to: (i32, i32), role: Role) -> Drawn {
        const DASH: i32 = 4;
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        for start in (0..length).step_by(2 * DASH as usize) {
            let end = (start + DASH).min(length);
            let at = |n: i32| {
                (
                    from.0 + (to.0 - from.0) * n / length,
                    from.1 + (to.1 - from.1) * n / length,
                )
            };
            self.stroke(&[at(start), at(end)], role, 1.0, 0.9)?;
        }
        Ok(())
    }

    /// Names of curves, each behind a piece of its line, above the plot.
    pub(super) fn legend(&self, entries: &[(&str, Role)]) -> Drawn {
        let (mut x, y) = (self.left(), self.top() - 17);
        for &(name, role) in entries {
            self.stroke(&[(x, y), (x + 14, y)], role, 2.0, 1.0)?;
            self.text(name, (x + 20, y), Role::Muted, Align::Start)?;
            x += 20 + text_width(name) + 22;
        }
        Ok(())
    }

    /// A filled rectangle between two corners.
    pub(super) fn bar(&self, from: (i32, i32), to: (i32, i32), role: Role, opacity: f64) -> Drawn {
        let corners = [
            (from.0 * SCALE, from.1 * SCALE),
            (to.0 * SCALE, to.1 * SCALE),
        ];
        self.root.draw(&Rectangle::new(
            corners,
            role.colour().mix(opacity).filled(),
        ))
    }

    /// A dot with a rim of the card's colour.
    pub(super) fn dot(&self, at: (i32, i32), role: Role) -> Drawn {
        let at = (at.0 * SCALE, at.1 * SCALE);
        self.root
            .draw(&Circle::new(at, 6 * SCALE, Role::Card.colour().filled()))?;
        self.root
            .draw(&Circle::new(at, 4 * SCALE, role.colour().filled()))
    }

    /// A text whose vertical middle is at the place.
    pub(super) fn text(&self, text: &str, at: (i32, i32), role: Role, align: Align) -> Drawn {
        let h_pos = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let style =
            text_style(role, TEXT_SIZE, matches!(role, Role::Peak)).into_text_style(self.root);
        let style = style.pos(Pos::new(h_pos, VPos::Center));
        self.root.draw(&Text::new(
            visible(text),
            (at.0 * SCALE, at.1 * SCALE),
            style,
        ))
    }
}

pub(super) fn stroke(role: Role, width: f64, opacity: f64) -> ShapeStyle {
    role.colour()
        .mix(opacity)
        .stroke_width((width * f64::from(SCALE)).round() as u32)
}

/// Estimated width of a text in CSS pixels: the font is the reader's, so nobody knows.
pub(super) fn text_width(text: &str) -> i32 {
    (crate::text::visible::width(text) as f64 * TEXT_SIZE * 0.56) as i32
}
