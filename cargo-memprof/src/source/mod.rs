//! Source files of a package: where its functions are, and edits that insert or remove text and touch
//! nothing else.

mod allocator;
mod edit;
mod functions;
mod manifest;
mod modules;
mod package;
mod parsed;
mod pattern;
pub(crate) mod registry;
mod strip;
#[cfg(test)]
mod tests;

pub(crate) use allocator::has_global_allocator;
pub(crate) use edit::Edit;
pub(crate) use functions::{Found, annotate};
pub(crate) use manifest::{Source, Wanted, add_dependency, remove_dependency};
pub(crate) use modules::{Module, modules};
pub(crate) use package::{Package, packages};
pub(crate) use pattern::Pattern;
pub(crate) use strip::strip;
