//! The numbers that a page shows large at its top.

use crate::text::units::{mib_unit, signed_mib};

/// A number that a page shows large.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) detail: String,
    /// Bytes, so that the script can show them in another unit.
    pub(super) size: Option<i128>,
    /// Whether a plus is shown.
    pub(super) signed: bool,
    /// Whether it is what the page is about.
    pub(super) leads: bool,
}

impl Figure {
    pub(super) fn new(
        name: &'static str,
        value: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            name,
            value: value.into(),
            detail: detail.into(),
            size: None,
            signed: false,
            leads: false,
        }
    }

    /// The same as what the page is about.
    pub(super) fn leading(self) -> Self {
        Self {
            leads: true,
            ..self
        }
    }

    pub(super) fn size(name: &'static str, bytes: u64, detail: impl Into<String>) -> Self {
        Self {
            size: Some(bytes.into()),
            ..Self::new(name, mib_unit(bytes), detail)
        }
    }

    pub(super) fn change(name: &'static str, bytes: i64, detail: impl Into<String>) -> Self {
        let value = format!("{} MiB", signed_mib(bytes));
        Self {
            size: Some(bytes.into()),
            signed: true,
            ..Self::new(name, value, detail)
        }
    }
}
