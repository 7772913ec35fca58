//! The pages: templates filled with text that is ready to be shown. Askama escapes it.

pub(crate) mod assets;
mod bar;
mod changes_page;
mod chart_data;
mod figure;
mod fill;
mod function_page;
mod growth_section;
mod highlight;
mod href;
mod index_page;
mod plot_page;
mod run_data;
mod run_page;
mod trend;

pub use changes_page::page as changes_page;
pub(crate) use changes_page::page_in_folder;
pub(crate) use function_page::function_page;
pub(crate) use index_page::index_page;
pub use plot_page::plot_page;
pub(crate) use run_page::run_page;
