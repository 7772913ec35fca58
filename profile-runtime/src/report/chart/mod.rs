//! Charts: seconds against MiB, as SVG that stands alone and follows the reader's colour scheme.

mod axis;
mod canvas;
mod function_chart;
mod palette;
mod run_chart;
mod thin;

pub(crate) use function_chart::function_chart;
pub(crate) use run_chart::run_chart;
