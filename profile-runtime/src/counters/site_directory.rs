//! By site, what its counted calls on this lane count on: found without the lane's lock.

use std::sync::OnceLock;

use crate::counters::site::SiteCounters;
use crate::counters::static_cell::StaticCell;

/// Sites in the first page; every page has twice as many as the one before.
const FIRST: usize = 32;

/// Enough for two million sites; calls of further ones are never counted.
const PAGES: usize = 16;

/// Written by the lane's thread alone, a page at a time, so that what was found stays in its place.
#[derive(Debug)]
pub(crate) struct SiteDirectory {
    pages: [OnceLock<Box<[StaticCell<SiteCounters>]>>; PAGES],
}

impl SiteDirectory {
    pub(crate) fn new() -> SiteDirectory {
        SiteDirectory {
            pages: [const { OnceLock::new() }; PAGES],
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: usize) -> Option<&'static SiteCounters> {
        let (page, at) = place(id);
        self.pages.get(page)?.get()?.get(at)?.get()
    }

    pub(crate) fn set(&self, id: usize, counters: &'static SiteCounters) {
        let (page, at) = place(id);
        let Some(page_cell) = self.pages.get(page) else {
            return;
        };
        let page =
            page_cell.get_or_init(|| (0..FIRST << page).map(|_| StaticCell::new()).collect());
        page[at].set(Some(counters));
    }

    /// Bytes that it holds beside itself.
    pub(crate) fn bytes(&self) -> u64 {
        let pages = self.pages.iter().filter_map(OnceLock::get);
        pages.map(|page| size_of_val::<[_]>(page) as u64).sum()
    }
}

/// Page and place in it.
#[inline]
fn place(id: usize) -> (usize, usize) {
    let number = id + FIRST;
    let page = (number.ilog2() - FIRST.ilog2()) as usize;
    (page, number - (FIRST << page))
}

#[cfg(test)]
mod tests {
    use super::{FIRST, place};

    #[test]
    fn every_site_has_a_place_of_its_own() {
        let mut expected = (0, 0);
        for id in 0..10_000 {
            assert_eq!(place(id), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }
}
