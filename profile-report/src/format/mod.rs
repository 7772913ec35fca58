//! The two formats that a run is kept in: JSON, and the lines of Python's mprof.

pub mod json;
pub mod mprof;
