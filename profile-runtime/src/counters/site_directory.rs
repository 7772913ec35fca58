//! Finds a site's counters on this thread by the site's number, without a lock.

use std::sync::OnceLock;

use crate::counters::site::SiteCounters;
use crate::counters::static_cell::StaticCell;

/// Sites in the first page; every page has twice as many as the one before.
const FIRST: usize = 32;

/// Enough for two million sites. Calls of further sites are always measured, never counted.
const PAGES: usize = 16;

/// From a site's number to its counters.
///
/// Grows by whole pages, so that an entry never moves. Only the recorder's own thread writes.
#[derive(Debug)]
pub(crate) struct SiteDirectory {
    pages: [OnceLock<Box<[StaticCell<SiteCounters>]>>; PAGES],
}

/// Where a site's counters are in every directory. Reckoned once: a call only looks there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    page: usize,
    at: usize,
}

impl SiteDirectory {
    pub(crate) fn new() -> SiteDirectory {
        SiteDirectory {
            pages: [const { OnceLock::new() }; PAGES],
        }
    }

    #[inline]
    pub(crate) fn get(&self, place: Place) -> Option<&'static SiteCounters> {
        self.pages.get(place.page)?.get()?.get(place.at)?.get()
    }

    pub(crate) fn set(&self, place: Place, counters: &'static SiteCounters) {
        let Some(page) = self.pages.get(place.page) else {
            return;
        };
        let page = page.get_or_init(|| {
            (0..FIRST << place.page)
                .map(|_| StaticCell::new())
                .collect()
        });
        page[place.at].set(Some(counters));
    }

    /// Bytes that it holds beside itself.
    pub(crate) fn bytes(&self) -> u64 {
        let pages = self.pages.iter().filter_map(OnceLock::get);
        pages.map(|page| size_of_val::<[_]>(page) as u64).sum()
    }
}

impl Place {
    /// The place of the site with this number.
    pub(crate) fn of(id: usize) -> Place {
        let number = id + FIRST;
        let page = (number.ilog2() - FIRST.ilog2()) as usize;
        Place {
            page,
            at: number - (FIRST << page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, Place};

    #[test]
    fn site_directory_gives_every_site_a_place_of_its_own() {
        let mut expected = (0, 0);
        for id in 0..10_000 {
            let place = Place::of(id);
            assert_eq!((place.page, place.at), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }
}
