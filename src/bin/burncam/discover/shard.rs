//! Division of a batch into shards that need no communication.
//!
//! Receives paths and assigns each to a shard. The shard depends on the path alone, not on the order or number of
//! inputs.

use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

use burncam_graph::error::Problem;
use sha2::{Digest as _, Sha256};

/// Shard `index` of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: u64,
    pub(crate) count: u64,
}

impl Shard {
    /// More shards than anyone would start; bounds the arithmetic.
    const MOST: u64 = 65_536;

    /// Whether a path is in this shard.
    pub(crate) fn has(self, relative: &Path) -> bool {
        fingerprint(relative) % self.count == self.index - 1
    }
}

/// The first eight bytes, big-endian, of the SHA-256 of the path's bytes with components joined by `/`. This must
/// never change, because shards of one batch may run with different versions of burncam.
fn fingerprint(path: &Path) -> u64 {
    let mut hash = Sha256::new();
    for (at, part) in path.components().filter(|part| *part != Component::CurDir).enumerate() {
        // Separators are not the same on every system; shards of one batch may run on several.
        if at > 0 {
            hash.update(b"/");
        }
        hash.update(part.as_os_str().as_encoded_bytes());
    }
    hash.finalize().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let numbers =
            text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((index, count)) if (1..=count).contains(&index) && count <= Self::MOST => {
                Ok(Self { index, count })
            }
            _ => {
                let expected = format!("K/N with K from 1 to N and N at most {}, such as 1/8", Self::MOST);
                Err(Problem::expected_but(expected, format!("'{text}'")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shard_is_a_number_of_a_number() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, count: 8 }));
        assert_eq!("65536/65536".parse(), Ok(Shard { index: 65_536, count: 65_536 }));
        for wrong in ["", "3", "0/8", "9/8", "1/0", "0/0", "-1/8", "1/65537", "1/8/2", "a/b", "1 /8"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    /// The values are those of `printf cats/a.jpg | sha256sum`. They must not change, because shards of one batch may
    /// run with different versions.
    #[test]
    fn the_fingerprint_stays_what_it_is() {
        assert_eq!(fingerprint(Path::new("cats/a.jpg")), CATS_A);
        assert_eq!(fingerprint(Path::new("./cats//a.jpg")), CATS_A);
        assert_eq!(fingerprint(Path::new("")), 0xe3b0_c442_98fc_1c14);
    }

    const CATS_A: u64 = 0xb0c3_d230_28b8_6116;

    proptest! {
        #[test]
        fn every_path_is_in_exactly_one_part(path in "[a-z/.é]{0,24}", count in 1..=200_u64) {
            let holders = (1..=count).filter(|index| Shard { index: *index, count }.has(Path::new(&path)));
            prop_assert_eq!(holders.count(), 1);
        }
    }

    #[test]
    fn parts_are_of_about_one_size() {
        let shard = Shard { index: 2, count: 4 };
        let inside = (0..4000).filter(|n| shard.has(Path::new(&format!("photos/{n:05}.jpg")))).count();
        // 1000 expected, standard deviation 27.
        assert!((850..1150).contains(&inside), "{inside}");
    }
}
