//! Evaluations of parts of the pictures as one.
//!
//! Receives evaluations; gives the one that a run over all their pictures would have given, byte for byte. Reads no files.

use std::collections::HashSet;
use std::path::Path;

use super::metric::Metric;
use super::summary::summarised;
use crate::error::{Error, Problem, Result};
use crate::record::{Evaluation, EvaluationSettings, check_shards};

/// Joins the evaluations of the shards of one run, or of runs over different pictures.
///
/// # Errors
/// When there are none, when versions, networks, settings, methods or metrics differ, when shards are missing or there twice, when two have the
/// same picture, and for metrics that need all pictures at once.
pub fn merge(parts: Vec<Evaluation>) -> Result<Evaluation> {
    let none = || Error::request(Problem::new("there are no evaluations to merge"));
    let first = parts.first().ok_or_else(none)?;
    if let Some(what) = parts.iter().find_map(|part| part.difference(first)) {
        let problem = Problem::new(format!("evaluations have different {what}"));
        return Err(Error::request(problem.hint("evaluate all with the same model and options")));
    }
    check_shards(parts.iter().map(|part| part.shard.as_deref()), "evaluations")?;
    if let Some(metric) = Metric::all_of(first)?.iter().find(|metric| metric.needs_all_pictures()) {
        let problem = Problem::new("is of all pictures together, and parts cannot be joined");
        return Err(Error::request(problem.named("metric", metric).hint("evaluate all pictures in one run")));
    }
    refuse_doubles(&parts)?;
    let mut whole = parts.into_iter().reduce(joined).ok_or_else(none)?;
    whole.shard = None;
    whole.failures.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
    summarised(whole)
}

fn joined(mut whole: Evaluation, part: Evaluation) -> Evaluation {
    whole.images += part.images;
    whole.failed += part.failed;
    whole.interrupted |= part.interrupted;
    whole.failures.extend(part.failures);
    whole.targets.extend(part.targets);
    whole
}

/// A picture in two parts would count twice.
fn refuse_doubles(parts: &[Evaluation]) -> Result<()> {
    let mut seen = HashSet::new();
    for part in parts {
        let own: HashSet<&str> = part.targets.iter().map(|target| target.path.as_str()).collect();
        if let Some(path) = own.iter().find(|path| seen.contains(*path)) {
            let problem = Problem::new("is in two of the evaluations").hint("name each directory once");
            return Err(problem.of_image(*path));
        }
        seen.extend(own);
    }
    Ok(())
}

impl Evaluation {
    /// What keeps figures of two evaluations from standing in one: `networks`, `settings` and so on; `None` when nothing does.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        // A model file may have another name on another machine.
        let network =
            |one: &'_ Self| (one.model.sha256.clone(), one.model.card_sha256.clone(), one.model.num_classes);
        // What several pictures share is known at the end of a run only.
        let settings =
            |one: &Self| EvaluationSettings { mosaics: None, sanity: None, ..one.settings.clone() };
        let rows = |one: &Self| one.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        match () {
            () if self.burncam != other.burncam => Some("versions of burncam"),
            () if network(self) != network(other) => Some("networks"),
            () if settings(self) != settings(other) => Some("settings"),
            () if rows(self) != rows(other) => Some("methods"),
            () if self.metrics != other.metrics => Some("metrics"),
            () => None,
        }
    }
}
