//! Figures against the size of the input, both logarithmic, with the fitted curves: a power is a
//! straight line, and its exponent the slope.

use memprof_model::run::FunctionProfile;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement, Text};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle};

use super::canvas::{Align, Drawn, Root, SCALE, TEXT_SIZE, WIDTH, finish, stroke, text_style};
use super::palette::Role;
use crate::error::ReportError;
use crate::words::growth::{Grown, Kind, heading, size};

const HEIGHT: i32 = 400;
/// The first row of the legends, which stand above the plots: three rows at most.
const LEGEND: i32 = 70;
const TOP: i32 = 122;
const BOTTOM: i32 = 352;
/// Left and right edges of the two plots.
const MEMORY: (i32, i32) = (72, 470);
const TIME: (i32, i32) = (560, 780);
/// Straight pieces of a curve.
const PIECES: u32 = 60;

/// The chart of what grew in `profile`: memory on the left, time on the right.
pub(crate) fn growth_chart(
    profile: &FunctionProfile,
    name: &str,
    grown: &[Grown],
) -> Result<String, ReportError> {
    let of = |time: bool| -> Vec<&Grown> {
        let whole = grown.iter().filter(|grown| grown.source.is_none());
        whole
            .filter(|grown| (grown.kind == Kind::Time) == time)
            .collect()
    };
    let title = format!("{name}: growth {}", heading(profile));
    let mut drawn = String::new();
    let paint = |drawn: &mut String| -> Drawn {
        let area = ((WIDTH * SCALE) as u32, (HEIGHT * SCALE) as u32);
        let root = SVGBackend::with_string(drawn, area).into_drawing_area();
        let pen = Pen { root: &root };
        pen.titles(name, &heading(profile))?;
        pen.plot(MEMORY, &of(false))?;
        pen.plot(TIME, &of(true))?;
        root.present()
    };
    paint(&mut drawn).map_err(|error| ReportError::render("draw a chart", error.to_string()))?;
    Ok(finish(&drawn, HEIGHT, &title))
}

fn role(kind: Kind) -> Role {
    match kind {
        Kind::Peak => Role::Peak,
        Kind::Net => Role::Rss,
        Kind::Heap => Role::Heap,
        Kind::Time => Role::Call,
    }
}

/// A stretch of a logarithmic axis, in CSS pixels.
struct Axis {
    from: f64,
    to: f64,
    start: i32,
    end: i32,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64> + Clone, start: i32, end: i32) -> Axis {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(0.0, f64::max);
        // A factor of two at least, and some room at both ends.
        let (from, to) = (low.log2() - 0.4, (high.log2() + 0.4).max(low.log2() + 1.0));
        Axis {
            from,
            to,
            start,
            end,
        }
    }

    /// In plotters' pixels, which are finer than those of the page.
    fn at(&self, value: f64) -> i32 {
        let part = (value.log2() - self.from) / (self.to - self.from);
        let length = f64::from((self.end - self.start) * SCALE);
        self.start * SCALE + (part * length).round() as i32
    }

    fn holds(&self, value: f64) -> bool {
        value > 0.0 && (self.from..=self.to).contains(&value.log2())
    }

    /// Round values, six at most: `base` to whole powers.
    fn ticks(&self, base: f64) -> Vec<f64> {
        let step = base.log2();
        let (first, last) = ((self.from / step).ceil(), (self.to / step).floor());
        let every = ((last - first) / 6.0).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut power = first;
        while power <= last {
            ticks.push((power * step).exp2());
            power += every;
        }
        ticks
    }
}

struct Pen<'a, 'b> {
    root: &'b Root<'a>,
}

impl Pen<'_, '_> {
    fn titles(&self, title: &str, subtitle: &str) -> Drawn {
        self.text_in(
            title,
            (16, 22),
            Align::Start,
            text_style(Role::Ink, 16.0, true),
        )?;
        self.text(subtitle, (16, 43), Role::Muted, Align::Start)
    }

    /// Points and curves between the edges.
    fn plot(&self, (left, right): (i32, i32), grown: &[&Grown]) -> Drawn {
        let shown = |grown: &&Grown| {
            let points = grown.points.iter();
            let points = points.filter(|point| point.n > 0.0 && point.value > 0.0);
            points
                .map(|point| (point.n, point.value))
                .collect::<Vec<_>>()
        };
        let all: Vec<(f64, f64)> = grown.iter().flat_map(shown).collect();
        let Some(kind) = grown
            .first()
            .map(|grown| grown.kind)
            .filter(|_| !all.is_empty())
        else {
            return Ok(());
        };
        let x = Axis::new(all.iter().map(|point| point.0), left, right);
        let y = Axis::new(all.iter().map(|point| point.1), BOTTOM, TOP);
        self.grid(&x, &y, kind)?;
        for (at, grown) in grown.iter().enumerate() {
            let role = role(grown.kind);
            self.curve(grown, &x, &y)?;
            for (n, value) in shown(grown) {
                let place = (x.at(n), y.at(value));
                self.root
                    .draw(&Circle::new(place, 3 * SCALE, role.colour().filled()))?;
            }
            // The longest text is wider than the plot of times.
            let indent = if kind == Kind::Time { -40 } else { 0 };
            self.legend(grown, (left + indent, LEGEND + 17 * at as i32))?;
        }
        Ok(())
    }

    fn grid(&self, x: &Axis, y: &Axis, kind: Kind) -> Drawn {
        let base = if kind == Kind::Time { 10.0 } else { 4.0 };
        for value in y.ticks(base) {
            let at = y.at(value);
            let ends = [(x.start * SCALE, at), (x.end * SCALE, at)];
            self.line(&ends, Role::Grid, 1.0)?;
            let place = (x.start - 8, at / SCALE);
            self.text(&kind.show(value), place, Role::Muted, Align::End)?;
        }
        for value in x.ticks(2.0) {
            let at = x.at(value);
            self.line(&[(at, TOP * SCALE), (at, BOTTOM * SCALE)], Role::Grid, 1.0)?;
            let place = (at / SCALE, BOTTOM + 14);
            self.text(&size(value), place, Role::Muted, Align::Middle)?;
        }
        let middle = (x.start + x.end) / 2;
        self.text("n", (middle, BOTTOM + 33), Role::Muted, Align::Middle)
    }

    /// The fitted curve, thin where it is no law.
    fn curve(&self, grown: &Grown, x: &Axis, y: &Axis) -> Drawn {
        let Some(curve) = grown.growth.curve else {
            return Ok(());
        };
        let (low, high) = (grown.growth.from.log2(), x.to);
        let at = |piece: u32| low + (high - low) * f64::from(piece) / f64::from(PIECES);
        let values = (0..=PIECES).map(|piece| {
            let n = at(piece).exp2();
            (n, curve.at(n))
        });
        let inside: Vec<(i32, i32)> = values
            .filter(|&(_, value)| y.holds(value))
            .map(|(n, value)| (x.at(n), y.at(value)))
            .collect();
        let width = if grown.growth.law.is_some() { 2.0 } else { 1.0 };
        self.line(&inside, role(grown.kind), width)
    }

    fn legend(&self, grown: &Grown, (x, y): (i32, i32)) -> Drawn {
        let law = match grown.growth.law {
            Some(law) => law.to_string(),
            None => "law not known".to_owned(),
        };
        let exponent = grown.growth.exponent.map_or_else(String::new, |exponent| {
            let half = (exponent.high - exponent.low) / 2.0;
            format!(", k = {:.2} ± {half:.2}", exponent.value)
        });
        let sample = [(x * SCALE, y * SCALE), ((x + 14) * SCALE, y * SCALE)];
        self.line(&sample, role(grown.kind), 2.0)?;
        let text = format!("{}: {law}{exponent}", grown.name);
        self.text(&text, (x + 20, y), Role::Ink, Align::Start)
    }

    fn line(&self, places: &[(i32, i32)], role: Role, width: f64) -> Drawn {
        let path = PathElement::new(places.to_vec(), stroke(role, width, 1.0));
        self.root.draw(&path)
    }

    fn text(&self, text: &str, at: (i32, i32), role: Role, align: Align) -> Drawn {
        self.text_in(text, at, align, text_style(role, TEXT_SIZE, false))
    }

    fn text_in(
        &self,
        text: &str,
        (x, y): (i32, i32),
        align: Align,
        style: plotters::style::TextStyle<'_>,
    ) -> Drawn {
        let h_pos = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let style = style
            .into_text_style(self.root)
            .pos(Pos::new(h_pos, VPos::Center));
        let text = crate::text::visible::visible(text);
        self.root
            .draw(&Text::new(text, (x * SCALE, y * SCALE), style))
    }
}
