//! A folder of runs: where each one's files go, what lists them, and what becomes of the old and the killed.

pub(crate) mod file_names;
pub(crate) mod folder_lock;
mod index;
pub(crate) mod last_write;
pub(crate) mod owner;
pub(crate) mod process;
pub(crate) mod prune;
pub(crate) mod recover;
mod run_before;
mod run_folder;
mod strangers;
mod write;

pub use file_names::assign as function_file_names;
pub use index::refresh_index;
pub use recover::{live, recover};
pub use run_folder::RunFolder;
pub use write::write;
