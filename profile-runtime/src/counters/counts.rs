//! Bytes allocated and freed, as plain numbers.

/// What one thread, or all threads together, allocated and freed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Bytes.
    pub allocated: u64,
    /// Bytes.
    pub freed: u64,
    /// Number of allocations; a reallocation is none.
    pub allocations: u64,
}

impl Counts {
    /// Live bytes. Negative for a thread that frees what other threads allocated.
    pub(crate) fn live(self) -> i64 {
        self.allocated.wrapping_sub(self.freed) as i64
    }

    /// What happened between `before` and this.
    pub(crate) fn since(self, before: Counts) -> Counts {
        Counts {
            allocated: self.allocated.wrapping_sub(before.allocated),
            freed: self.freed.wrapping_sub(before.freed),
            allocations: self.allocations.wrapping_sub(before.allocations),
        }
    }

    pub(crate) fn plus(self, other: Counts) -> Counts {
        Counts {
            allocated: self.allocated.wrapping_add(other.allocated),
            freed: self.freed.wrapping_add(other.freed),
            allocations: self.allocations.wrapping_add(other.allocations),
        }
    }
}
