//! `cargo memprof peak`: the highest memory of runs, as mprof prints it.

use clap::Args;
use memprof_model::run::{FunctionProfile, Run};
use memprof_report::DatFile;
use memprof_report::text::visible;
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Entry, Loaded, Store, matching};

const EXAMPLES: &str = "\
Examples:
  cargo memprof peak                       # the newest run
  cargo memprof peak 0 1 2
  cargo memprof peak --func inverse        # while functions ran whose path contains `inverse`
  cargo memprof peak mprofile_20260301140509.dat";

const MIB: f64 = 1_048_576.0;

/// Prints the highest memory of runs or .dat files
///
/// With --func, the highest memory while the function ran, and the largest rise above its entry.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Peak {
    /// Folders, numbers, `latest`, programs or .dat files [default: latest]
    #[arg(allow_negative_numbers = true)]
    runs: Vec<String>,
    /// Only while this function ran: its path, or a part of it
    #[arg(long, value_name = "FUNCTION")]
    func: Option<String>,
    /// Print JSON; sizes in bytes
    #[arg(long)]
    json: bool,
}

/// A figure as `--json` prints it.
#[derive(Serialize)]
struct Figure {
    run: String,
    /// The function, or the child process.
    of: Option<String>,
    peak_rss: u64,
    /// The same, not rounded to a byte: a file of mprof's need not hold whole ones.
    #[serde(skip)]
    mib: f64,
    /// A function's largest rise above its entry.
    rise: Option<u64>,
}

impl Peak {
    /// Prints a line for each run, function and child process.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let mut figures = Vec::new();
        for entry in store.lookup_all(&self.runs)? {
            figures.extend(self.of(&entry)?);
        }
        if self.json {
            return output::json(&figures);
        }
        figures
            .iter()
            .try_for_each(|figure| output::say(figure.text()))
    }

    fn of(&self, entry: &Entry) -> Outcome<Vec<Figure>> {
        let name = entry.name();
        match (entry.load()?, &self.func) {
            (Loaded::Dat(file), None) => of_file(&name, &file),
            (Loaded::Dat(file), Some(function)) if file.peak_of(function).is_some() => {
                let peak = file.peak_of(function).unwrap_or_default();
                Ok(vec![Figure::of_mib(&name, Some(function), peak)])
            }
            (loaded, None) => Ok(of_run(&name, &loaded.into_run())),
            (loaded, Some(pattern)) => of_functions(&name, &loaded.into_run(), pattern),
        }
    }
}

/// What mprof finds in such a file: the process, and its children.
fn of_file(name: &str, file: &DatFile) -> Outcome<Vec<Figure>> {
    let peak = file.peak().ok_or_else(|| {
        let reason = "there is no memory in it";
        Failure::new(
            format!("tell the peak of {name}"),
            reason,
            "its program ended too soon",
        )
    })?;
    let children = file.children.iter().map(|child| {
        let of = format!("child {}", child.child);
        Figure::of_mib(name, Some(&of), child.peak().unwrap_or_default())
    });
    Ok([Figure::of_mib(name, None, peak)]
        .into_iter()
        .chain(children)
        .collect())
}

fn of_run(name: &str, run: &Run) -> Vec<Figure> {
    let children = run.watched.iter().flat_map(|watched| &watched.children);
    let children = children.map(|child| {
        let of = format!("{} {}", child.program, child.pid);
        Figure::new(name, Some(&of), child.peak_rss)
    });
    [Figure::new(name, None, run.process.peak_rss)]
        .into_iter()
        .chain(children)
        .collect()
}

fn of_functions(name: &str, run: &Run, pattern: &str) -> Outcome<Vec<Figure>> {
    let functions = matching(run, pattern)?.into_iter();
    let figure = |function: &FunctionProfile| Figure {
        rise: Some(function.peak_rss),
        ..Figure::new(name, Some(&function.name), function.max_rss)
    };
    Ok(functions.map(figure).collect())
}

impl Figure {
    fn new(run: &str, of: Option<&str>, peak_rss: u64) -> Self {
        Self::of_mib(run, of, peak_rss as f64 / MIB)
    }

    fn of_mib(run: &str, of: Option<&str>, mib: f64) -> Self {
        Self {
            run: run.to_owned(),
            of: of.map(str::to_owned),
            peak_rss: (mib * MIB).round() as u64,
            mib,
            rise: None,
        }
    }

    fn text(&self) -> String {
        let mut text = visible(&self.run);
        if let Some(of) = &self.of {
            text.push_str(&format!("\t{}", visible(of)));
        }
        text.push_str(&format!("\t{:.3} MiB", self.mib));
        if let Some(rise) = self.rise {
            text.push_str(&format!("\t(+{:.3})", rise as f64 / MIB));
        }
        text
    }
}
