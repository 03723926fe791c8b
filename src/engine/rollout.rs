//! How attention rollout joins heads and blocks.
//!
//! Receives names; gives a [`Rollout`]. Following the attention is the method's.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Problem, Result, by_name};

/// What becomes of several heads, which attention is discarded, and where rollout begins.
///
/// As text the heads, `mean`, `max` or `min`, and after commas `discard=SHARE` and `from=BLOCK`.
///
/// ```
/// use burncam_engine::{Heads, Rollout};
///
/// # fn main() -> Result<(), burncam_graph::error::Error> {
/// let rollout: Rollout = "max,discard=0.9".parse()?;
/// assert_eq!((rollout.heads, rollout.discard, rollout.from), (Heads::Max, 0.9, 1));
/// assert_eq!(Rollout::default().to_string(), "mean");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rollout {
    /// What becomes of a block's heads.
    pub heads: Heads,
    /// The share of each block's attention that is set to zero, the weakest; 0 or more, below 1.
    pub discard: f64,
    /// The first block that takes part, from 1.
    pub from: usize,
}

/// What the attention of several heads becomes, for each query and key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Heads {
    /// Their mean: the paper's.
    #[default]
    Mean,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

const HEADS: [(&str, Heads); 3] = [("mean", Heads::Mean), ("max", Heads::Max), ("min", Heads::Min)];

impl Default for Rollout {
    /// The paper's: the mean of all heads, all attention, all blocks.
    fn default() -> Self {
        Self { heads: Heads::Mean, discard: 0.0, from: 1 }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = HEADS.iter().find(|(_, heads)| *heads == self.heads).map_or("", |(name, _)| name);
        formatter.write_str(heads)?;
        if self.discard > 0.0 {
            write!(formatter, ",discard={}", self.discard)?;
        }
        if self.from > 1 {
            write!(formatter, ",from={}", self.from)?;
        }
        Ok(())
    }
}

impl FromStr for Rollout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.split(',').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let heads = by_name("head fusion", name, HEADS.iter().copied())?;
        let mut rollout = Self { heads, ..Self::default() };
        for part in parts {
            let read = match part.split_once('=') {
                Some(("discard", share)) => {
                    share.parse().ok().filter(|share| (0.0..1.0).contains(share)).map(|share| {
                        rollout.discard = share;
                    })
                }
                Some(("from", block)) => block.parse().ok().filter(|block| *block > 0).map(|block| {
                    rollout.from = block;
                }),
                _ => None,
            };
            let expected = "discard= and a share from 0 to below 1, or from= and a block from 1 on";
            read.ok_or_else(|| Error::request(Problem::expected_but(expected, format!("'{part}'"))))?;
        }
        Ok(rollout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        for text in ["mean", "max,discard=0.9", "min,from=3", "max,discard=0.5,from=2"] {
            assert_eq!(text.parse::<Rollout>().unwrap().to_string(), text);
        }
        assert_eq!("mean, discard=0".parse::<Rollout>().unwrap(), Rollout::default());
        for text in
            ["", "sum", "max,0.9", "max,discard=1", "max,discard=-0.1", "max,discard=x", "max,from=0", "max,"]
        {
            assert!(text.parse::<Rollout>().is_err(), "{text}");
        }
    }
}
