//! Compares the weights of a file with those a network needs, and suggests what to do.
//!
//! Receives the tensors that a graph needs and those that a file has, by name and shape in the same convention; gives
//! a [`Diagnosis`] to inspect or print. Knows neither files nor frameworks.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::error::{OptionName, Phrase, Problem, nearest};

/// Number of tensors listed of each kind; the rest is only counted.
const LISTED: usize = 10;

/// The result of comparing needed with found tensors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Number of tensors with the right name and shape.
    pub applied: usize,
    /// Tensors that the network needs and the file does not have.
    pub missing: Vec<Missing>,
    /// Name and shape of tensors that the file has and the network does not need.
    pub unused: Vec<(String, Vec<usize>)>,
    /// Tensors with the right name and another shape.
    pub wrong_shape: Vec<WrongShape>,
    /// Suggestions, as whole clauses.
    pub hints: Vec<Phrase>,
}

/// A missing tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// Its expected shape.
    pub expected: Vec<usize>,
    /// An unused tensor of that shape with a similar name; only searched for tensors that are listed.
    pub near: Option<String>,
}

/// A tensor of the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongShape {
    /// The tensor.
    pub name: String,
    /// The shape that the network needs.
    pub expected: Vec<usize>,
    /// The shape in the file.
    pub found: Vec<usize>,
}

impl Diagnosis {
    /// Compares by name, then by shape. `expected` is in graph order, so that it ends with the last layer.
    #[must_use]
    pub fn compare(expected: &[(String, Vec<usize>)], found: &[(String, Vec<usize>)]) -> Self {
        let shapes: BTreeMap<&str, &Vec<usize>> =
            found.iter().map(|(name, shape)| (name.as_str(), shape)).collect();
        let wanted: HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let mut diagnosis = Self {
            unused: found.iter().filter(|(name, _)| !wanted.contains(name.as_str())).cloned().collect(),
            ..Self::default()
        };
        for (name, shape) in expected {
            match shapes.get(name.as_str()) {
                Some(found) if *found == shape => diagnosis.applied += 1,
                Some(found) => diagnosis.wrong_shape.push(WrongShape {
                    name: name.clone(),
                    expected: shape.clone(),
                    found: found.to_vec(),
                }),
                None => diagnosis.miss(name, shape),
            }
        }
        diagnosis.hints.extend(diagnosis.class_hint(expected));
        diagnosis
    }

    /// Whether the network can be built: nothing is missing and every shape is correct.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.wrong_shape.is_empty()
    }

    /// Whether it [`fits`](Self::fits) and nothing is unused.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.fits() && self.unused.is_empty()
    }

    /// Adds a suggestion.
    #[must_use]
    pub(super) fn with_hint(mut self, hint: Option<Phrase>) -> Self {
        self.hints.extend(hint);
        self
    }

    fn miss(&mut self, name: &str, shape: &[usize]) {
        let near = match self.missing.len() {
            // Each search compares with every unused name; beyond those that are listed it would be wasted.
            0..LISTED => {
                // A card's graph alone does not determine the expected shape.
                let same_shape = self.unused.iter().filter(|(_, found)| shape.is_empty() || found == shape);
                nearest(name, same_shape.map(|(name, _)| name.as_str())).first().map(|&near| near.to_owned())
            }
            _ => None,
        };
        self.missing.push(Missing { name: name.into(), expected: shape.to_vec(), near });
    }

    /// The last tensor of a classifier is the bias of its last layer, with one value per class.
    fn class_hint(&self, expected: &[(String, Vec<usize>)]) -> Option<Phrase> {
        let (last, _) = expected.last()?;
        let wrong = self.wrong_shape.iter().find(|wrong| wrong.name == *last)?;
        match (wrong.expected.as_slice(), wrong.found.as_slice()) {
            ([_], [classes]) => {
                let words = Phrase::from(format!("the weights have {classes} classes: use "));
                Some(words.set(OptionName::NumClasses, classes))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Diagnosis {
    /// A line of counts, then up to ten lines for each kind of problem, then a line of hints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem("").to_string())
    }
}

impl Diagnosis {
    /// As an error's problem, with words before it.
    pub(crate) fn problem(&self, lead: &str) -> Problem {
        let problem = Problem::new(format!("{lead}{}", Lists(self)));
        match self.hints.split_first() {
            Some((first, more)) => {
                let join = |hints: Phrase, more: &Phrase| hints.text("; ").phrase(more.clone());
                problem.hint(more.iter().fold(first.clone(), join))
            }
            None => problem,
        }
    }
}

/// What a diagnosis has found, without what may help.
struct Lists<'a>(&'a Diagnosis);

impl fmt::Display for Lists<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnosis { applied, missing, unused, wrong_shape, .. } = self.0;
        let needed = applied + missing.len() + wrong_shape.len();
        write!(f, "{applied} of {needed} tensors fit")?;
        let kinds =
            [(missing.len(), "missing"), (wrong_shape.len(), "of the wrong shape"), (unused.len(), "unused")];
        for (count, kind) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {kind}")?;
        }
        list(f, "missing", missing, |Missing { name, expected, near }| {
            let hint = near
                .as_ref()
                .map_or_else(String::new, |near| format!(" (did you mean '{}'?)", one_line(near)));
            // A card does not say shapes; an empty one means unknown, not a single number.
            let shape = if expected.is_empty() { String::new() } else { format!(" {expected:?}") };
            format!("'{}'{shape}{hint}", one_line(name))
        })?;
        list(f, "wrong shape", wrong_shape, |WrongShape { name, expected, found }| {
            format!("'{}' has shape {found:?}, expected {expected:?}", one_line(name))
        })?;
        list(f, "unused", unused, |(name, shape)| format!("'{}' {shape:?}", one_line(name)))
    }
}

/// A name from a file must not start a new line of the message.
pub(super) fn one_line(name: &str) -> String {
    name.replace('\n', "\\n")
}

fn list<T>(f: &mut fmt::Formatter<'_>, kind: &str, items: &[T], line: impl Fn(&T) -> String) -> fmt::Result {
    for item in items.iter().take(LISTED) {
        write!(f, "\n  {kind}: {}", line(item))?;
    }
    match items.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => write!(f, "\n  {kind}: and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(list: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        list.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
    }

    #[test]
    fn every_kind_of_trouble_is_told_apart() {
        let expected =
            tensors(&[("stem.weight", &[8, 3, 3, 3]), ("fc.weight", &[8, 10]), ("fc.bias", &[10])]);
        let found = tensors(&[
            ("stm.weight", &[8, 3, 3, 3]),
            ("fc.weight", &[8, 10]),
            ("fc.bias", &[7]),
            ("x", &[1]),
        ]);
        let diagnosis = Diagnosis::compare(&expected, &found);
        assert!(!diagnosis.fits());
        assert_eq!(
            diagnosis.to_string(),
            "1 of 3 tensors fit, 1 missing, 1 of the wrong shape, 2 unused\n  \
             missing: 'stem.weight' [8, 3, 3, 3] (did you mean 'stm.weight'?)\n  \
             wrong shape: 'fc.bias' has shape [7], expected [10]\n  \
             unused: 'stm.weight' [8, 3, 3, 3]\n  unused: 'x' [1]\n  \
             (the weights have 7 classes: use ImportRequest::num_classes = 7)"
        );
    }

    #[test]
    fn leftovers_alone_do_not_hinder() {
        let expected = tensors(&[("a", &[1])]);
        assert!(Diagnosis::compare(&expected, &expected).is_clean());
        let more = Diagnosis::compare(&expected, &tensors(&[("a", &[1]), ("b", &[2])]));
        assert!(more.fits() && !more.is_clean());
    }

    #[test]
    fn long_lists_are_cut() {
        let many: Vec<_> = (0..25).map(|index| (format!("t{index}"), vec![1])).collect();
        let text = Diagnosis::compare(&many, &[]).to_string();
        assert_eq!(text.lines().count(), 1 + 10 + 1);
        assert!(text.ends_with("missing: and 15 more"), "{text}");
    }
}
