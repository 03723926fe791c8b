//! Evaluations of parts of the pictures as one.
//!
//! Receives evaluations; gives the one that a run over all their pictures would have given, byte for byte. Reads no files.

use std::path::Path;

use super::columns::Columns;
use super::metric::Metric;
use crate::error::{Error, Problem, Result};
use crate::record::{EvaluatedTarget, Evaluation, EvaluationSettings, check_shards};

/// Joins the evaluations of the shards of one run, or of runs over different pictures.
///
/// # Errors
/// As [`join`], and when two have the same picture.
pub fn merge(parts: Vec<Evaluation>) -> Result<Evaluation> {
    let (whole, targets) = join(parts)?;
    let of_part =
        |(part, targets): (usize, Vec<EvaluatedTarget>)| targets.into_iter().map(move |one| (part, one));
    let mut targets: Vec<(usize, EvaluatedTarget)> =
        targets.into_iter().enumerate().flat_map(of_part).collect();
    // Stable: the targets of one picture keep their order.
    targets.sort_by(|(_, one), (_, other)| Path::new(&one.path).cmp(Path::new(&other.path)));
    let is_double =
        |pair: &&[(usize, EvaluatedTarget)]| pair[0].0 != pair[1].0 && pair[0].1.path == pair[1].1.path;
    if let Some([(_, target), ..]) = targets.windows(2).find(is_double) {
        return Err(double(&target.path));
    }
    let mut columns = Columns::new(&whole)?;
    targets.iter().for_each(|(_, target)| columns.add(target));
    let targets = targets.into_iter().map(|(_, target)| target).collect();
    Ok(columns.summarise(whole)?.with_targets(targets))
}

/// Joins all of evaluations but their targets, which are given back in the order of the parts: the whole lacks what [`Columns::summarise`] makes
/// of them.
///
/// # Errors
/// When there are none, when versions, networks, settings, methods or metrics differ, and when shards are missing or there twice. Mosaics and
/// images of all pictures are joined for shards of one run only.
pub fn join<T>(parts: Vec<Evaluation<T>>) -> Result<(Evaluation<()>, Vec<T>)> {
    let none = || Error::request(Problem::new("there are no evaluations to merge"));
    let first = parts.first().ok_or_else(none)?;
    if let Some(what) = parts.iter().find_map(|part| part.difference(first)) {
        let problem = Problem::new(format!("evaluations have different {what}"));
        return Err(Error::request(problem.hint("evaluate all with the same model and options")));
    }
    check_shards(parts.iter().map(|part| part.shard.as_deref()), "evaluations")?;
    check_together(&parts)?;
    let (mut heads, targets): (Vec<Evaluation<()>>, Vec<T>) =
        parts.into_iter().map(|part| part.replace_targets(())).unzip();
    heads.sort_by_key(|head| number(head.shard.as_deref()));
    let mosaics = dealt(heads.iter_mut().map(|head| std::mem::take(&mut head.mosaics)));
    let sanity = dealt(heads.iter_mut().map(|head| std::mem::take(&mut head.sanity)));
    // A shard without any of the images did not randomise weights.
    let randomised = heads.iter().find_map(|head| head.settings.sanity.clone());
    let mut whole = heads.into_iter().reduce(joined).ok_or_else(none)?;
    (whole.mosaics, whole.sanity, whole.settings.sanity) = (mosaics, sanity, randomised);
    whole.shard = None;
    whole.failures.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
    Ok((whole, targets))
}

/// That a picture is in two parts, where it would count twice.
pub fn double(path: &str) -> Error {
    Problem::new("is in two of the evaluations").hint("name each directory once").of_image(path)
}

fn joined(mut whole: Evaluation<()>, part: Evaluation<()>) -> Evaluation<()> {
    whole.images += part.images;
    whole.failed += part.failed;
    whole.interrupted |= part.interrupted;
    whole.failures.extend(part.failures);
    whole
}

/// K of the shard K/N, 0 of an undivided run.
fn number(shard: Option<&str>) -> usize {
    shard.and_then(|shard| shard.split_once('/')?.0.parse().ok()).unwrap_or_default()
}

/// What was dealt out one by one, in its first order.
fn dealt<T>(hands: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    let mut hands: Vec<_> = hands.map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(hands.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

/// Refuses parts whose mosaics and images were not chosen from the same pictures.
fn check_together<T>(parts: &[Evaluation<T>]) -> Result<()> {
    let [first, _, ..] = parts else { return Ok(()) };
    let Some(metric) = Metric::all_of(first)?.into_iter().find(|metric| metric.needs_all_pictures()) else {
        return Ok(());
    };
    let refused = |what: &'static str, hint: &'static str| {
        Err(Error::request(Problem::new(what).named("metric", metric).hint(hint)))
    };
    if first.shard.is_none() {
        return refused(
            "is of all pictures together, and undivided runs cannot be joined",
            "evaluate all pictures in one run, or in shards of one",
        );
    }
    if parts.iter().any(|part| part.interrupted) {
        return refused("is missing in a shard that was interrupted", "run it again");
    }
    let mosaics = |part: &Evaluation<T>| part.settings.mosaics.clone();
    let sanity: Vec<_> = parts.iter().filter_map(|part| part.settings.sanity.as_ref()).collect();
    if parts.iter().any(|part| mosaics(part) != mosaics(first))
        || sanity.windows(2).any(|two| two[0] != two[1])
    {
        return refused(
            "is of different pictures in the shards",
            "evaluate the same pictures in all of them",
        );
    }
    Ok(())
}

impl<T> Evaluation<T> {
    /// What keeps figures of two evaluations from standing in one: `networks`, `settings` and so on; `None` when nothing does.
    #[must_use]
    pub fn difference<U>(&self, other: &Evaluation<U>) -> Option<&'static str> {
        let rows = self.rows.iter().map(|row| &row.name).eq(other.rows.iter().map(|row| &row.name));
        match () {
            () if self.burncam != other.burncam => Some("versions of burncam"),
            () if self.network() != other.network() => Some("networks"),
            () if self.settings_of_one() != other.settings_of_one() => Some("settings"),
            () if !rows => Some("methods"),
            () if self.metrics != other.metrics => Some("metrics"),
            () => None,
        }
    }

    /// The network by its content: a model file may have another name on another machine.
    fn network(&self) -> (&Option<String>, &Option<String>, usize) {
        (&self.model.sha256, &self.model.card_sha256, self.model.num_classes)
    }

    /// The settings of single pictures: what several share is known at the end of a run only.
    fn settings_of_one(&self) -> EvaluationSettings {
        EvaluationSettings { mosaics: None, sanity: None, ..self.settings.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dealt_out_comes_back_in_its_first_order() {
        for count in 0..12 {
            let hands = (0..5).map(|hand| (hand..count).step_by(5).collect::<Vec<usize>>());
            assert_eq!(dealt(hands), (0..count).collect::<Vec<_>>());
        }
        assert_eq!([Some("10/12"), Some("2/12"), None].map(number), [10, 2, 0]);
    }
}
