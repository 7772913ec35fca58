//! A site is one annotated function: what is known of it at compile time, and what is kept of its calls.

pub(crate) mod annotated;
pub(crate) mod by_size;
pub(crate) mod calls;
pub(crate) mod figures;
pub(crate) mod limits;
pub(crate) mod registered;
mod resident;
pub(crate) mod spec;
