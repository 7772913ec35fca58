//! A run in the formats of others (feature `export`).
//!
//! | function | format | for |
//! |---|---|---|
//! | [`samples_csv`], [`lines_csv`] | CSV | spreadsheets, pandas, R |
//! | [`trace`] | Chrome trace, JSON | ui.perfetto.dev, speedscope, chrome://tracing |
//! | [`pprof`] | profile.proto, gzipped | `go tool pprof`, speedscope, Pyroscope, Parca |
//! | [`summary_markdown`](crate::summary_markdown()) | Markdown | a pull request |
//!
//! Each is a plain function of a [`Run`]. [`write()`] makes files of them, and with
//! `MEMPROF_EXPORT=csv,trace,pprof,markdown` a program writes them beside its reports.
//!
//! ```
//! use memprof::report::export;
//!
//! # let dir = std::env::temp_dir().join("memprof-doc");
//! # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
//! #[memprof::profile_memory]
//! fn work() -> Vec<u8> {
//!     vec![1; 1 << 20]
//! }
//!
//! work();
//! let run = memprof::snapshot().expect("a call was made");
//! let csv = export::lines_csv(&run)?;
//! assert!(csv.starts_with("function,label,file,line,source,hits,"));
//! # Ok::<(), memprof::report::ReportError>(())
//! ```

mod csv;
mod files;
mod format;
mod pprof;
mod proto;
mod slices;
mod trace;

pub use self::csv::{lines_csv, samples_csv};
pub use self::files::write;
pub use self::format::{Format, UnknownFormat};
pub use self::pprof::pprof;
pub use self::trace::trace;

#[cfg(doc)]
use memprof_model::run::Run;
