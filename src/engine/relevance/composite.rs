//! Which rule of relevance propagation a linear layer gets, by its kind and its place.
//!
//! Receives names; gives [`Composite`]s. The rules themselves are in `linear`.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, by_name};

/// The rules of a network: epsilon for linear layers, one rule for convolutions, and perhaps another for the first layer.
///
/// Names are those of the library zennit: `epsilon`, then the rule of convolutions, then that of the first layer, for example
/// `epsilon-plus-flat`; zennit's spelling `EpsilonPlusFlat` is read too.
///
/// ```
/// use burncam_engine::Composite;
///
/// # fn main() -> Result<(), burncam_graph::error::Error> {
/// let composite: Composite = "EpsilonGammaBox".parse()?;
/// assert_eq!(composite.to_string(), "epsilon-gamma-box");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Composite {
    pub(super) convolutions: Rule,
    /// The rule of layers that no other linear layer stands before; `None` for the same as elsewhere.
    pub(super) first: Option<FirstRule>,
}

/// A rule for any linear layer. `docs/methods.md` has the equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Epsilon,
    /// Only what is positive: alpha 1, beta 0.
    Plus,
    Gamma,
    Alpha2Beta1,
}

/// A rule for the layer that reads the picture, whose zero is no absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstRule {
    Flat,
    Squares,
    Box,
}

const RULES: [(&str, Rule); 4] = [
    ("epsilon", Rule::Epsilon),
    ("epsilon-plus", Rule::Plus),
    ("epsilon-gamma", Rule::Gamma),
    ("epsilon-alpha2-beta1", Rule::Alpha2Beta1),
];

const FIRST: [(&str, Option<FirstRule>); 4] = [
    ("", None),
    ("-flat", Some(FirstRule::Flat)),
    ("-w-square", Some(FirstRule::Squares)),
    ("-box", Some(FirstRule::Box)),
];

impl Composite {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |convolutions| FIRST.iter().map(move |(_, first)| Self { convolutions, first: *first });
        RULES.iter().flat_map(move |(_, rule)| of(*rule))
    }
}

impl Default for Composite {
    /// `epsilon-plus-flat`, which needs neither the range of pixels nor a setting, and fits all convolutional networks.
    fn default() -> Self {
        Self { convolutions: Rule::Plus, first: Some(FirstRule::Flat) }
    }
}

impl fmt::Display for Composite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = RULES.iter().find(|(_, rule)| *rule == self.convolutions);
        let first = FIRST.iter().find(|(_, first)| *first == self.first);
        let names = [rule.map(|(name, _)| *name), first.map(|(name, _)| *name)];
        names.into_iter().flatten().try_for_each(|name| formatter.write_str(name))
    }
}

impl FromStr for Composite {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names: Vec<String> = Self::all().map(|composite| composite.to_string()).collect();
        by_name("composite", text, names.iter().map(String::as_str).zip(Self::all()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_composite_is_read_from_its_name() {
        let all: Vec<Composite> = Composite::all().collect();
        assert_eq!(all.len(), 16);
        for composite in all {
            assert_eq!(composite.to_string().parse::<Composite>().unwrap(), composite);
        }
        for (text, name) in [
            ("EpsilonPlus", "epsilon-plus"),
            ("EpsilonAlpha2Beta1Flat", "epsilon-alpha2-beta1-flat"),
            ("epsilon_gamma_box", "epsilon-gamma-box"),
        ] {
            assert_eq!(text.parse::<Composite>().unwrap().to_string(), name);
        }
        assert!("gamma".parse::<Composite>().is_err());
    }
}
