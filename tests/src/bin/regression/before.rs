//! The function as it was.

use memprof::profile_memory;
use memprof_tests::mapping::Mapping;

use crate::{KIB, count};

#[profile_memory]
pub(crate) fn parse() -> usize {
    let header = Mapping::new(64 * KIB);
    let names = Mapping::new(128 * KIB);
    let sizes = Mapping::new(192 * KIB);
    let kinds = Mapping::new(64 * KIB);
    let flags = Mapping::new(128 * KIB);
    let roots = Mapping::new(192 * KIB);
    let leaves = Mapping::new(64 * KIB);
    let edges = Mapping::new(128 * KIB);
    let marks = Mapping::new(192 * KIB);
    let words = Mapping::new(64 * KIB);
    let lines = Mapping::new(128 * KIB);
    let pages = Mapping::new(192 * KIB);
    let links = Mapping::new(64 * KIB);
    let notes = Mapping::new(128 * KIB);
    let index = Mapping::new(192 * KIB);
    let order = Mapping::new(64 * KIB);
    let depth = Mapping::new(128 * KIB);
    let width = Mapping::new(192 * KIB);
    let height = Mapping::new(64 * KIB);
    let scale = Mapping::new(128 * KIB);
    let units = Mapping::new(192 * KIB);
    let spans = Mapping::new(64 * KIB);
    let mut parts = 0;
    parts += count(&[&header, &names, &sizes, &kinds, &flags]);
    parts += count(&[&roots, &leaves, &edges, &marks, &words]);
    parts += count(&[&lines, &pages, &links, &notes, &index]);
    parts += count(&[&order, &depth, &width, &height, &scale]);
    parts + count(&[&units, &spans])
}
