//! The data of a memory profile, and what follows from data alone.
//!
//! A [`run::Run`] is what one process recorded. The crate `memprof` records runs and hands this crate's
//! modules on as `memprof::run` and `memprof::growth`; `memprof-report` shows, compares and keeps them.
//! Programs depend on `memprof`.
//!
//! The feature `serde` has the types of a run implement its traits: a run is then `run.json`.

#![forbid(unsafe_code)]

mod amount;
mod data;
mod figures;
mod function;
pub mod growth;
mod histogram;
mod kept_calls;
pub mod run;
mod series;
mod sized;
mod sized_growth;
mod visible;

/// What memprof's own packages share beside the data. Not for others: it may change in any release.
#[doc(hidden)]
pub mod internal {
    pub use crate::amount::{bytes, short};
    pub use crate::function::untouched;
    pub use crate::growth::fit::faster_than;
    pub use crate::histogram::{BUCKETS, Histogram, bucket};
    pub use crate::kept_calls::{FIRST, KeptCalls, MOST};
    pub use crate::series::thinned;
    pub use crate::sized_growth::{HEAP_RESOLUTION, RSS_RESOLUTION, grown, points};
    pub use crate::visible::{is_deceptive, visible};
}
