//! The list of crates to try.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A crate of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    /// What kind of code it is, for the table.
    #[serde(default)]
    pub(crate) style: String,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    /// Whether its tests make so many millions of calls that memprof is compiled with optimization.
    #[serde(default)]
    pub(crate) hot: bool,
    /// Whether it is small enough for every run of CI.
    #[serde(default)]
    pub(crate) quick: bool,
    /// Tests that behave differently for a reason outside of memprof: their names and the reason.
    #[serde(default)]
    pub(crate) explained: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "crate")]
    crates: Vec<Entry>,
}

pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let list: List =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(list.crates)
}
