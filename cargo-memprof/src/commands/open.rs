//! `cargo memprof open`: a run's page in the browser.

use clap::Args;
use memprof_report::function_file_names;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Store, matching};

const EXAMPLES: &str = "\
Examples:
  cargo memprof open
  cargo memprof open -2 inverse
  cargo memprof open --print        # only the page's path, to copy it from a server for example";

/// Opens a run's page, or a function's, in the browser
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Open {
    /// Folder, number, `latest` or program [default: latest]
    #[arg(allow_negative_numbers = true)]
    run: Option<String>,
    /// A function's path, or a part of it
    function: Option<String>,
    /// Print the page's path instead
    #[arg(long)]
    print: bool,
}

impl Open {
    /// Opens the page.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let entry = store.lookup(self.run.as_deref())?;
        let page = match &self.function {
            None => "index.html".to_owned(),
            Some(pattern) => {
                let run = entry.load()?.into_run();
                let function = matching(&run, pattern)?.remove(0);
                let names = function_file_names(&run.functions);
                let mut pairs = run.functions.iter().zip(names);
                pairs
                    .find(|(f, _)| std::ptr::eq(*f, function))
                    .map_or("index.html".to_owned(), |(_, name)| format!("{name}.html"))
            }
        };
        let path = entry.path.join(page);
        if !path.is_file() {
            return Err(Failure::new(
                format!("open {}", path.display()),
                "there is no such page",
                "`cargo memprof plot -o chart.html` draws a .dat file",
            ));
        }
        if self.print {
            return output::say(path.display());
        }
        open(&path)
    }
}

/// Opens `page` with whatever the desktop opens pages with.
pub(crate) fn open(page: &std::path::Path) -> Outcome<()> {
    opener::open_browser(page).map_err(|error| {
        Failure::new(
            format!("open {}", page.display()),
            error,
            "open that file in a browser, on this machine or on another: it loads nothing from elsewhere",
        )
    })
}
