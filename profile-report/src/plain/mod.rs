//! Documents of plain text: for terminals, for files, and as Markdown.

pub(crate) mod columns;
pub(crate) mod function_columns;
mod line_table;
mod summary;
mod summary_markdown;
pub(crate) mod text_page;

pub use line_table::{LineTable, LineTableParts, line_table};
pub use summary::summary;
pub use summary_markdown::summary_markdown;
