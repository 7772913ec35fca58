//! The suspended calls of futures: they are on no thread's stack.

use std::sync::{Mutex, MutexGuard};

use slab::Slab;

use super::open_call::OpenCall;
use crate::heap;
use crate::sync::lock;
use memprof_model::run::Call;

/// Calls of different sites seldom wait for one another's lock.
const SHARDS: usize = 16;

/// All suspended calls of the process.
#[derive(Debug, Default)]
pub(crate) struct SuspendedCalls {
    shards: [Mutex<Slab<OpenCall>>; SHARDS],
}

/// Where a suspended call is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SuspendedKey {
    site: usize,
    at: usize,
}

impl SuspendedCalls {
    /// Keeps `call`; gives the key to have it back.
    pub(crate) fn put(&self, call: OpenCall) -> SuspendedKey {
        let site = call.site.id;
        let at = heap::without_counting(|| self.shard(site).insert(call));
        SuspendedKey { site, at }
    }

    /// Takes the call with this key out: it is resumed, or ends.
    pub(crate) fn take(&self, key: SuspendedKey) -> Option<OpenCall> {
        self.shard(key.site).try_remove(key.at)
    }

    /// The suspended calls of the site with this number, as data, as if the process ended now.
    pub(crate) fn of_site(&self, site: usize) -> Vec<Call> {
        let shard = self.shard(site);
        let calls = shard.iter().map(|(_, call)| call);
        let calls = calls.filter(|call| call.site.id == site);
        calls.map(OpenCall::record_suspended).collect()
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let rooms = self.shards.iter().map(|shard| lock(shard).capacity());
        (rooms.sum::<usize>() * size_of::<OpenCall>()) as u64
    }

    /// Locks the shard of this site.
    fn shard(&self, site: usize) -> MutexGuard<'_, Slab<OpenCall>> {
        lock(&self.shards[site % SHARDS])
    }
}
