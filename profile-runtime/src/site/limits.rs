//! The limits that the attribute sets on a call: `max_peak` and the like.

/// The limits on each call of a site. Built by generated code only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub(crate) peak: Option<u64>,
    pub(crate) net: Option<u64>,
    pub(crate) heap_peak: Option<u64>,
    pub(crate) leak: Option<u64>,
    pub(crate) allocated: Option<u64>,
    pub(crate) allocations: Option<u64>,
    pub(crate) growth: Option<f64>,
    pub(crate) warn: bool,
}

impl Limits {
    /// No limits.
    pub const NONE: Limits = Limits {
        peak: None,
        net: None,
        heap_peak: None,
        leak: None,
        allocated: None,
        allocations: None,
        growth: None,
        warn: false,
    };

    /// `max_peak`: RSS, above that at the entry.
    #[must_use]
    pub const fn peak(mut self, bytes: u64) -> Limits {
        self.peak = Some(bytes);
        self
    }

    /// `max_net`: RSS at the exit less that at the entry.
    #[must_use]
    pub const fn net(mut self, bytes: u64) -> Limits {
        self.net = Some(bytes);
        self
    }

    /// `max_heap_peak`: live heap bytes above those at the entry.
    #[must_use]
    pub const fn heap_peak(mut self, bytes: u64) -> Limits {
        self.heap_peak = Some(bytes);
        self
    }

    /// `max_leak`: heap bytes allocated less those freed.
    #[must_use]
    pub const fn leak(mut self, bytes: u64) -> Limits {
        self.leak = Some(bytes);
        self
    }

    /// `max_allocated`: heap bytes.
    #[must_use]
    pub const fn allocated(mut self, bytes: u64) -> Limits {
        self.allocated = Some(bytes);
        self
    }

    /// `max_allocations`.
    #[must_use]
    pub const fn allocations(mut self, allocations: u64) -> Limits {
        self.allocations = Some(allocations);
        self
    }

    /// `max_growth`: the exponent.
    #[must_use]
    pub const fn growth(mut self, exponent: f64) -> Limits {
        self.growth = Some(exponent);
        self
    }

    /// `on_exceed = "warn"`.
    #[must_use]
    pub const fn warn(mut self) -> Limits {
        self.warn = true;
        self
    }

    /// Whether there is any limit.
    pub(crate) const fn any(&self) -> bool {
        self.peak.is_some()
            || self.net.is_some()
            || self.growth.is_some()
            || self.needs_heap().is_some()
    }

    /// The argument that needs heap figures, if there is one.
    pub(crate) const fn needs_heap(&self) -> Option<&'static str> {
        match self {
            Limits {
                heap_peak: Some(_), ..
            } => Some("max_heap_peak"),
            Limits { leak: Some(_), .. } => Some("max_leak"),
            Limits {
                allocated: Some(_), ..
            } => Some("max_allocated"),
            Limits {
                allocations: Some(_),
                ..
            } => Some("max_allocations"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_limits_every_limit_is_one() {
        const ALL: [Limits; 7] = [
            Limits::NONE.peak(0),
            Limits::NONE.net(0),
            Limits::NONE.heap_peak(0),
            Limits::NONE.leak(0),
            Limits::NONE.allocated(0),
            Limits::NONE.allocations(0),
            Limits::NONE.growth(1.0),
        ];
        assert!(ALL.iter().all(Limits::any));
        assert!(!Limits::NONE.any());
        assert!(!Limits::NONE.warn().any(), "there is nothing to warn of");
    }

    #[test]
    fn site_limits_each_argument_sets_its_own_limit() {
        let limits = Limits::NONE
            .peak(1)
            .net(2)
            .heap_peak(3)
            .leak(4)
            .allocated(5)
            .allocations(6)
            .growth(7.0)
            .warn();
        let expected = Limits {
            peak: Some(1),
            net: Some(2),
            heap_peak: Some(3),
            leak: Some(4),
            allocated: Some(5),
            allocations: Some(6),
            growth: Some(7.0),
            warn: true,
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn site_limits_the_first_argument_that_needs_the_heap_is_named() {
        let none = Limits::NONE;
        assert_eq!(none.peak(1).net(1).growth(1.0).needs_heap(), None);
        for (limits, expected) in [
            (none.heap_peak(1), "max_heap_peak"),
            (none.leak(1), "max_leak"),
            (none.allocated(1), "max_allocated"),
            (none.allocations(1), "max_allocations"),
            (none.allocations(1).leak(1), "max_leak"),
            (none.leak(1).heap_peak(1), "max_heap_peak"),
        ] {
            assert_eq!(limits.needs_heap(), Some(expected));
        }
    }
}
