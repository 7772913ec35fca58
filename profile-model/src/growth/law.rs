//! The laws that a figure may follow, and which of them a name stands for.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How a figure grows with `n`, but for a factor and a constant part.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Law {
    /// It does not grow: by less than a tenth over the whole range.
    Constant,
    /// With the logarithm of `n`.
    Log,
    /// With this power of `n`.
    Power(f64),
    /// With `n` times its logarithm.
    NLogN,
}

/// The laws that are told by name, in order of growth.
pub(super) const NAMED: [Law; 8] = [
    Law::Constant,
    Law::Log,
    Law::Power(0.5),
    Law::Power(1.0),
    Law::NLogN,
    Law::Power(1.5),
    Law::Power(2.0),
    Law::Power(3.0),
];

impl Law {
    /// What the factor is multiplied with at `n`.
    pub(super) fn term(self, n: f64) -> f64 {
        match self {
            Law::Constant => 0.0,
            Law::Log => n.ln(),
            Law::Power(k) => n.powf(k),
            Law::NLogN => n * n.ln(),
        }
    }

    /// The factor and the constant part, where there are two.
    pub(super) fn parameters(self) -> f64 {
        if self == Law::Constant { 1.0 } else { 2.0 }
    }
}

/// As mathematicians write it: `n^1.5`.
impl fmt::Display for Law {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Law::Constant => formatter.write_str("constant"),
            Law::Log => formatter.write_str("log n"),
            Law::NLogN => formatter.write_str("n log n"),
            Law::Power(1.0) => formatter.write_str("n"),
            Law::Power(k) => {
                let digits = format!("{k:.2}");
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                write!(formatter, "n^{digits}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Law, NAMED};

    #[test]
    fn names() {
        let names: Vec<String> = NAMED.iter().map(Law::to_string).collect();
        assert_eq!(
            names,
            [
                "constant", "log n", "n^0.5", "n", "n log n", "n^1.5", "n^2", "n^3"
            ]
        );
        assert_eq!(Law::Power(1.996).to_string(), "n^2");
        assert_eq!(Law::Power(2.376).to_string(), "n^2.38");
    }
}
