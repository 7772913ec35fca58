//! The folders of each package stand in an order and import only downwards, as docs/how-it-works.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use memprof_tests::house;

/// Packages that nobody imports: they try the others out.
const WITHOUT_FLOORS: [&str; 3] = ["benches", "demo", "tests"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[track_caller]
fn imports_lead_down(package: &str) {
    if let Err(findings) = house::check(workspace(), package) {
        panic!("\n{findings}\n");
    }
}

#[test]
fn cargo_memprof() {
    imports_lead_down("cargo-memprof");
}

#[test]
fn profile_counting() {
    imports_lead_down("profile-counting");
}

#[test]
fn profile_macro() {
    imports_lead_down("profile-macro");
}

#[test]
fn profile_model() {
    imports_lead_down("profile-model");
}

#[test]
fn profile_report() {
    imports_lead_down("profile-report");
}

#[test]
fn profile_runtime() {
    imports_lead_down("profile-runtime");
}

/// A package that is new gets a table, and a test above.
#[test]
fn every_package_has_a_table() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let members: BTreeSet<_> = members.iter().filter_map(toml::Value::as_str).collect();
    let tables = house::packages(workspace()).unwrap();
    let tables: BTreeSet<_> = tables.iter().map(String::as_str).collect();
    let without: Vec<_> = members
        .difference(&tables)
        .filter(|member| !WITHOUT_FLOORS.contains(member))
        .collect();
    assert!(
        without.is_empty(),
        "{} has no table for {without:?}",
        house::PAGE
    );
    let tested = [
        "cargo-memprof",
        "profile-counting",
        "profile-macro",
        "profile-model",
        "profile-report",
        "profile-runtime",
    ];
    assert_eq!(
        tables,
        BTreeSet::from(tested),
        "a table and no test, or a test and no table"
    );
}
