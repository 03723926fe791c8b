//! A quick look at which architectures a file's weights may be.
//!
//! Receives the tensors of a file; says of an architecture whether its first layers are among them. It never rules out an
//! architecture that fits, and does not say that one fits: that is what a [`super::candidate::Candidate`] is for, which
//! builds the whole network twice.

use std::collections::HashMap;

use super::names::{Convention, Parameter, Source, parameters};
use crate::arch::Architecture;

/// Stem and first block in most networks: enough to separate families and widths, and every network has more layers before
/// its head.
const LAYERS: usize = 12;

/// The tensors of a file by name and by every end of a name: what stands before is a prefix that is not known yet.
pub(super) struct Screen<'a> {
    first_sides: HashMap<&'a str, Vec<Option<usize>>>,
    convention: Convention,
}

impl<'a> Screen<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let mut first_sides: HashMap<&str, Vec<Option<usize>>> = HashMap::new();
        for (name, tensor) in &source.tensors.tensors {
            let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
            for start in starts {
                first_sides.entry(&name[start..]).or_default().push(tensor.shape().first().copied());
            }
        }
        Self { first_sides, convention: source.convention }
    }

    /// Those of the architectures whose first layers are in the file.
    pub(super) fn among(
        self,
        asked: impl Iterator<Item = &'static Architecture>,
    ) -> impl Iterator<Item = &'static Architecture> {
        asked.filter(move |architecture| self.may_be(architecture))
    }

    fn may_be(&self, architecture: &Architecture) -> bool {
        // What cannot be cut is left to the full comparison.
        let Ok(begin) = architecture.beginning(LAYERS) else { return true };
        // Only the first extent: others depend on the colours and the size of the pictures, and a file may leave out
        // extents of 1.
        let is_there = |(name, shape): &(String, Vec<usize>)| {
            let found = self.first_sides.get(name.as_str());
            found.is_some_and(|found| found.contains(&shape.first().copied()))
        };
        parameters(&begin, self.convention)
            .iter()
            .flat_map(Parameter::sources)
            .all(|source| is_there(&source))
    }
}
