//! docs/how-it-works.md names every file with unsafe code, and in how many places it is.

use std::path::Path;

use memprof_tests::house;

#[test]
fn the_table_of_unsafe_code_is_true() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    if let Err(findings) = house::check_unsafe_table(workspace) {
        panic!("\n{findings}\n");
    }
}
