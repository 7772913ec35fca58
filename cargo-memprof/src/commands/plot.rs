//! `cargo memprof plot`: runs over time, over each other.

use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use memprof_report::{Curve, PlotOptions, plot, plot_page, png};

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Entry, Loaded, Store};

const EXAMPLES: &str = "\
Examples:
  cargo memprof plot                                   # the newest run, in the browser
  cargo memprof plot -2 -1 -o both.svg                 # the last two over each other
  cargo memprof plot mprofile_20260301140509.dat -o a.png --window 0,20.5 --slope
  cargo memprof plot 3 -n --title 'After the fix' -o fix.html";

/// Draws one or several runs or .dat files over each other, as SVG, PNG or a page
///
/// A single run has the calls of its functions below the chart.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Plot {
    /// Folders, numbers, `latest`, programs or .dat files [default: latest]
    #[arg(allow_negative_numbers = true)]
    runs: Vec<String>,
    /// What stands above the chart
    #[arg(long, short)]
    title: Option<String>,
    /// Only from one time to another, in seconds since the start: `0,20.5`
    #[arg(long, short, value_name = "FROM,TO", value_parser = window)]
    window: Option<Range<u64>>,
    /// Draw the line that fits best, and print by how many MiB a second it rises
    #[arg(long, short)]
    slope: bool,
    /// Leave out when functions were called
    #[arg(long, short = 'n')]
    no_function_ts: bool,
    /// Write into this file; its ending says what: svg, png or html [default: open plot.html]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Plot {
    /// Draws, writes or opens.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let entries = store.lookup_all(&self.runs)?;
        let curves = entries.iter().map(curve).collect::<Outcome<Vec<_>>>()?;
        let options = PlotOptions {
            title: self.title.clone(),
            window: self.window.clone(),
            slope: self.slope,
            functions: !self.no_function_ts,
        };
        let chart = plot(&curves, &options)?;
        if self.slope {
            for slope in curves.iter().filter_map(Curve::slope) {
                output::say(format_args!("slope {slope:.5} MiB/s"))?;
            }
        }
        self.write(store, &chart)
    }

    fn write(&self, store: &Store, chart: &str) -> Outcome<()> {
        let page = || plot_page(self.title.as_deref().unwrap_or("plot"), chart);
        let Some(file) = &self.output else {
            let file = store.root().join("plot.html");
            std::fs::create_dir_all(store.root()).map_err(|error| {
                let tried = format!("write {}", file.display());
                Failure::new(tried, error, "name a file with -o")
            })?;
            output::write(&file, page()?.as_bytes())?;
            output::say(file.display())?;
            return super::open::open(&file);
        };
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => output::write(file, chart.as_bytes()),
            Some("png") => output::write(file, &png(chart)?),
            Some("html" | "htm") => output::write(file, page()?.as_bytes()),
            _ => Err(Failure::new(
                format!("write {}", file.display()),
                "its ending does not say what it is to be",
                "name a file that ends in .svg, .png or .html",
            )),
        }
    }
}

fn curve(entry: &Entry) -> Outcome<Curve> {
    let name = entry.name();
    match entry.load()? {
        Loaded::Run(run) => Ok(Curve::of_run(&name, &run)),
        Loaded::Dat(file) if file.memory.is_empty() => Err(Failure::new(
            format!("plot {}", entry.path.display()),
            "there is no memory in it",
            "its program ended before the first reading; `cargo memprof rm` removes it",
        )),
        Loaded::Dat(file) => Ok(Curve::of_dat(&name, &file)),
    }
}

/// `0,20.5` in nanoseconds.
fn window(text: &str) -> Result<Range<u64>, String> {
    let wanted = || "expected two times in seconds, the second one later: 0,20.5".to_owned();
    let (from, to) = text.split_once(',').ok_or_else(wanted)?;
    let time = |text: &str| match text.trim().parse::<f64>() {
        Ok(seconds) if (0.0..1e9).contains(&seconds) => Ok((seconds * 1e9) as u64),
        _ => Err(wanted()),
    };
    let window = time(from)?..time(to)?;
    if window.is_empty() {
        Err(wanted())
    } else {
        Ok(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_seconds() {
        assert_eq!(window("0,20.5"), Ok(0..20_500_000_000));
        assert_eq!(window("0.5, 1"), Ok(500_000_000..1_000_000_000));
        for text in ["", "1", "2,1", "1,1", "-1,1", "a,b", "0,NaN"] {
            assert!(window(text).is_err(), "{text}");
        }
    }
}
