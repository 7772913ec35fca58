//! Moments at which a thread of the program is in memprof's code and holds no lock of memprof's. Where memprof has no
//! threads, what these would do is done then.

use std::sync::OnceLock;

/// Work that waits for such moments, once there is any.
#[derive(Debug, Default)]
pub(crate) struct SpareMoment {
    work: OnceLock<fn()>,
}

impl SpareMoment {
    /// From now on `work` is done at each of these moments. It looks by itself whether anything is due.
    #[cfg(feature = "report")]
    pub(crate) fn use_for(&self, work: fn()) {
        // Never set before: recording is started once.
        let _ = self.work.set(work);
    }

    /// Such a moment has come.
    #[inline]
    pub(crate) fn come(&self) {
        if let Some(work) = self.work.get() {
            work();
        }
    }
}
