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

/// Each row of a table whose last column is `test` names files of tests, and functions in the file named before, or
/// programs that it runs.
#[test]
fn tests_that_your_process_names_are_there() {
    let page = fs::read_to_string(workspace().join("docs/your-process.md")).unwrap();
    let mut is_of_tests = false;
    let mut rows = 0;
    for line in page.lines() {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').collect();
        let Some(last) = cells.last().filter(|_| line.starts_with('|')) else {
            is_of_tests = false;
            continue;
        };
        if last.trim() == "test" {
            is_of_tests = true;
        } else if is_of_tests && !last.trim().starts_with("---") {
            rows += 1;
            check_named_tests(line, last);
        }
    }
    assert!(rows > 15, "{rows} rows");
}

#[track_caller]
fn check_named_tests(row: &str, cell: &str) {
    let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
    assert!(!names.is_empty(), "{row}");
    let mut text = String::new();
    for name in names {
        let file = workspace().join(format!("tests/tests/{name}.rs"));
        match fs::read_to_string(file) {
            Ok(of_file) => text = of_file,
            Err(_) => {
                let places = [format!("\nfn {name}()"), format!("\"{name}\"")];
                let is_there = places.iter().any(|place| text.contains(place));
                assert!(is_there, "{name}\n{row}");
            }
        }
    }
}
