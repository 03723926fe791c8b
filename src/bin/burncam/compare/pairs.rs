//! What of two runs belongs together: pictures with the same bytes, and methods of the same name.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, bail};

use super::side::{Seen, Side};

/// The pictures of two runs.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    pub(super) both: Vec<(&'a Seen, &'a Seen)>,
    pub(super) only_first: Vec<&'a Seen>,
    pub(super) only_second: Vec<&'a Seen>,
}

/// Whether two pictures with the same bytes belong together.
type IsClose<'a> = &'a dyn Fn(&Seen, &Seen) -> bool;

impl<'a> Pairs<'a> {
    /// Pairs by the hash of the file. Of several with the same bytes those of the same path belong together, then those of the same
    /// file name.
    pub(super) fn of(first: &'a Side, second: &'a Side) -> Self {
        let mut by_hash: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, seen) in second.pictures.iter().enumerate() {
            by_hash.entry(&seen.sha256).or_default().push(at);
        }
        let mut partner: Vec<Option<usize>> = vec![None; first.pictures.len()];
        let name = |seen: &Seen| Path::new(&seen.path).file_name().map(std::ffi::OsStr::to_owned);
        let closeness: [IsClose; 3] = [&|a, b| a.path == b.path, &|a, b| name(a) == name(b), &|_, _| true];
        // The closest first over all pictures, so that no copy takes another's partner.
        for is_close in closeness {
            for (seen, partner) in
                first.pictures.iter().zip(&mut partner).filter(|(_, partner)| partner.is_none())
            {
                let Some(left) = by_hash.get_mut(seen.sha256.as_str()) else { continue };
                let found = left.iter().position(|at| is_close(seen, &second.pictures[*at]));
                *partner = found.map(|at| left.remove(at));
            }
        }
        let mut left: Vec<usize> = by_hash.into_values().flatten().collect();
        left.sort_unstable();
        let pairs = || first.pictures.iter().zip(&partner);
        Self {
            both: pairs().filter_map(|(seen, at)| Some((seen, &second.pictures[(*at)?]))).collect(),
            only_first: pairs().filter(|(_, at)| at.is_none()).map(|(seen, _)| seen).collect(),
            only_second: left.into_iter().map(|at| &second.pictures[at]).collect(),
        }
    }

    /// Refuses runs without a common picture.
    pub(super) fn check(&self, first: &Side, second: &Side) -> Result<()> {
        if !self.both.is_empty() {
            return Ok(());
        }
        let same_path = |seen: &&&Seen| self.only_second.iter().any(|other| other.path == seen.path);
        let changed = match self.only_first.iter().filter(same_path).count() {
            0 => String::new(),
            count => format!("; {count} have the same path, but other bytes"),
        };
        bail!(
            "runs '{}' and '{}': have no picture in common, by the hashes of their files{changed}",
            first.directory.display(),
            second.directory.display()
        )
    }
}

/// The methods that are compared: those of both runs, or of two runs with one method each these two.
///
/// # Errors
/// When there are none.
pub(super) fn methods(first: &Side, second: &Side) -> Result<Vec<(String, String)>> {
    let common: Vec<_> =
        first.methods.intersection(&second.methods).map(|name| (name.clone(), name.clone())).collect();
    if !common.is_empty() {
        return Ok(common);
    }
    let names = |side: &Side| side.methods.iter().cloned().collect::<Vec<_>>();
    match (&names(first)[..], &names(second)[..]) {
        ([one], [other]) => Ok(vec![(one.clone(), other.clone())]),
        (some, others) => bail!(
            "runs '{}' and '{}': have no method in common, got {} and {} (runs with one method each are compared, too)",
            first.directory.display(),
            second.directory.display(),
            some.join(", "),
            others.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn side(pictures: &[(&str, &str)], methods: &[&str]) -> Side {
        let seen = |(path, sha256): &(&str, &str)| Seen {
            path: (*path).to_owned(),
            sha256: (*sha256).to_owned(),
            records: BTreeMap::new(),
        };
        let methods: BTreeSet<String> = methods.iter().map(|name| (*name).to_owned()).collect();
        Side::of_parts(pictures.iter().map(seen).collect(), methods)
    }

    #[test]
    fn pictures_belong_together_by_their_bytes_and_copies_by_their_names() {
        let first = side(&[("a/1.png", "x"), ("a/2.png", "x"), ("a/3.png", "y"), ("a/4.png", "z")], &[]);
        let second =
            side(&[("b/2.png", "x"), ("b/1.png", "x"), ("b/moved.png", "y"), ("a/4.png", "other")], &[]);
        let pairs = Pairs::of(&first, &second);
        let both: Vec<_> = pairs.both.iter().map(|(a, b)| (a.path.as_str(), b.path.as_str())).collect();
        assert_eq!(both, [("a/1.png", "b/1.png"), ("a/2.png", "b/2.png"), ("a/3.png", "b/moved.png")]);
        assert_eq!(
            (pairs.only_first[0].path.as_str(), pairs.only_second[0].path.as_str()),
            ("a/4.png", "a/4.png")
        );
        let nothing = Pairs::of(&side(&[("a", "x")], &[]), &second).check(&first, &second);
        assert!(nothing.is_ok());
        let (one, other) = (side(&[("a", "p")], &[]), side(&[("a", "q")], &[]));
        let error = Pairs::of(&one, &other).check(&one, &other).unwrap_err().to_string();
        assert!(error.ends_with("; 1 have the same path, but other bytes"), "{error}");
    }

    #[test]
    fn methods_of_both_runs_are_compared_and_two_alone_with_each_other() {
        let of = |first: &[&str], second: &[&str]| methods(&side(&[], first), &side(&[], second));
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(of(&["a", "b"], &["b", "c"]).unwrap(), [pair("b", "b")]);
        assert_eq!(of(&["a"], &["c"]).unwrap(), [pair("a", "c")]);
        assert!(of(&["a", "b"], &["c"]).unwrap_err().to_string().contains("got a, b and c"));
    }
}
