//! memprof: one attribute on a function tells what its memory did, over time and line by line.
#[cfg(feature = "report")]
pub mod report;
pub mod run;
