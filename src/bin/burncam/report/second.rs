//! A second run on the page: its maps and classes next to those of the first.
//!
//! Receives what `compare` finds of a picture in both runs; adds it to the card of the picture.

use anyhow::{Result, bail};
use burncam::record::Prediction;

use super::Page;
use super::head::Runs;
use super::rows::{self, Second};
use crate::compare::against::{Counterpart, Matched};

impl Page {
    /// Names the two runs whose pictures stand next to each other.
    pub(crate) fn name_runs(&mut self, runs: Runs) {
        self.runs = Some(runs);
    }

    /// Adds what the second run has of the picture of the last card.
    ///
    /// # Errors
    /// When one run gives probabilities and the other something else: the page has one kind of number.
    pub(crate) fn add_second(&mut self, found: &Counterpart) -> Result<()> {
        let picture = &found.picture;
        let kinds = [&picture.first, &picture.second].map(|top| top.as_ref().map(kind));
        if let [Some(first), Some(second)] = kinds
            && first != second
        {
            bail!(
                "picture '{}': has {first} in one run and {second} in the other, expected the same in both",
                picture.path
            );
        }
        let (mut views, mut maps) = (vec![], vec![]);
        for Matched { record, directory, method, targets } in &found.records {
            let method = self.methods.place(method.clone());
            let place = |(one, other, alike): &(usize, usize, Option<f64>)| {
                ((method, *one), (views.len() + other, alike.map(rows::rounded)))
            };
            maps.extend(targets.iter().map(place));
            views.extend((0..record.targets.len()).map(|at| self.view(record, at, directory, None)));
        }
        let top = found.records.first().map_or_else(Vec::new, |first| self.top(&first.record));
        let second = Second {
            top,
            changed: picture.same_class == Some(false),
            right: picture.second_right,
            alike: picture.similarity.map(rows::rounded),
            views,
        };
        self.cards.second(second, &maps);
        Ok(())
    }
}

/// What is said of a class.
fn kind(prediction: &Prediction) -> &'static str {
    match (prediction.number, prediction.share) {
        (Some(_), _) => "numbers",
        (None, Some(_)) => "shares of the picture",
        (None, None) => "probabilities",
    }
}
