//! Baselines: what functions took, kept in a file, and compared with what they take now.
//!
//! Everything here is a function of runs and text. When a file is read and written, and what becomes of
//! the process, is the recorder's matter.

mod compare;
mod entries;
mod entry;
mod error;
mod figure;
mod file;
mod key;
mod markdown;
mod message;
mod parse;
mod text;
mod tolerance;

pub use compare::{Comparison, Verdict, Worse};
pub use entries::Baseline;
pub use entry::{Entry, Record};
pub use error::BaselineError;
pub use figure::Figure;
pub use key::{Key, test_program};
pub use tolerance::EXPECTED as EXPECTED_TOLERANCE;
pub use tolerance::Tolerance;

#[cfg(test)]
mod tests;
