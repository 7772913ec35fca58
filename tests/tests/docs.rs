//! What the pages for readers name is there.

use std::fs;
use std::path::Path;

use memprof_tests::house;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn files_that_how_it_works_names_are_there() {
    if let Err(missing) = house::check_named_files(workspace(), house::PAGE) {
        panic!("\n{missing}\n");
    }
}

#[test]
fn links_between_pages_and_sources_lead_somewhere() {
    let docs = fs::read_dir(workspace().join("docs")).unwrap();
    let docs = docs.map(|file| format!("docs/{}", file.unwrap().file_name().to_str().unwrap()));
    let pages: Vec<_> = docs.filter(|page| page.ends_with(".md")).collect();
    assert!(pages.len() > 3, "{pages:?}");
    for page in pages
        .iter()
        .map(String::as_str)
        .chain(["README.md", "benches/notes.md"])
    {
        if let Err(missing) = house::check_links(workspace(), page) {
            panic!("\n{missing}\n");
        }
    }
}
