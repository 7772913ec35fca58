//! Charts: seconds against MiB, as SVG that stands alone and follows the reader's colour scheme.

mod axis;
mod canvas;
mod function_chart;
mod growth_chart;
mod outline;
mod palette;
mod plot;
#[cfg(feature = "png")]
mod png;
mod run_chart;
mod spark;
mod thin;

pub use function_chart::function_chart;
pub(crate) use function_chart::{FunctionWindow, chart_called};
pub(crate) use growth_chart::growth_chart;
pub(crate) use outline::Outline;
pub use plot::{Curve, PlotOptions, plot};
#[cfg(feature = "png")]
pub use png::png;
pub use run_chart::run_chart;
pub(crate) use run_chart::{child_name, children, lanes};
pub(crate) use spark::activity;
pub(crate) use thin::thin;

#[cfg(test)]
pub(crate) use palette::contrast;
