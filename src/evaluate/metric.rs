//! A metric by its name: what callers choose, and what evaluations say of it.

use std::fmt;
use std::str::FromStr;

use burncam_metrics::{Better, Convention, CurveSettings};

use super::info::{Family, Group, MetricInfo, Rule};
use super::table::TABLE;
use crate::engine::Score;
use crate::error::{Error, Result, by_name};
use crate::record::{Evaluation, MetricRecord};

/// A metric, by the name that the table of metrics gives it.
///
/// ```
/// use burncam::evaluate::Metric;
///
/// # fn main() -> burncam::Result<()> {
/// let deletion: Metric = "deletion".parse()?;
/// assert_eq!(deletion.to_string(), "deletion");
/// assert!(Metric::all().any(|metric| metric == deletion));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Metric(&'static MetricInfo);

impl Metric {
    /// All metrics, in the order of tables.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(Self)
    }

    /// Those that are computed unless others are asked for.
    pub fn usual() -> impl Iterator<Item = Self> {
        Self::all().filter(|metric| metric.0.usual)
    }

    /// Whether it needs to know where objects are.
    #[must_use]
    pub fn needs_objects(self) -> bool {
        self.is_of_place() || self.reads(Family::Boxes)
    }

    /// The metrics of an evaluation, in its order.
    ///
    /// # Errors
    /// When one is not of this version.
    pub(super) fn all_of<T>(evaluation: &Evaluation<T>) -> Result<Vec<Self>> {
        evaluation.metrics.iter().map(|metric| metric.name.parse()).collect()
    }

    /// Whether it is made after all pictures were measured, of some of them, as mosaics are.
    #[must_use]
    pub fn needs_all_pictures(self) -> bool {
        self.is_of_mosaics() || matches!(self.0.rule, Rule::Weights)
    }

    /// Whether it is made of mosaics.
    pub(super) fn is_of_mosaics(self) -> bool {
        matches!(self.0.rule, Rule::Cell | Rule::Leak)
    }

    /// Whether it compares the map with where the object is. Those that do are usual where that is known.
    pub(super) fn is_of_place(self) -> bool {
        self.reads(Family::Place)
    }

    pub(super) fn reads(self, family: Family) -> bool {
        self.0.families.contains(&family)
    }

    pub(super) fn info(self) -> &'static MetricInfo {
        self.0
    }

    /// Whether a convention defines it: pytorch-grad-cam has no deletion and insertion.
    pub(super) fn is_defined(self, convention: Convention) -> bool {
        match self.0.rule {
            // Their maps have signs, which libraries' maps lose.
            Rule::Leak | Rule::Weights => convention == Convention::Paper,
            _ => !self.is_curve() || CurveSettings::of(convention).is_some(),
        }
    }

    pub(super) fn is_curve(self) -> bool {
        self.reads(Family::Deletion) || self.reads(Family::Insertion)
    }

    /// Whether it fills removed pixels in.
    pub(super) fn is_road(self) -> bool {
        self.reads(Family::Road) || self.reads(Family::RoadOfArcc)
    }

    /// The metric in records. The ranges of faithfulness are those of probabilities.
    pub(super) fn record(self, score: Score) -> MetricRecord {
        let MetricInfo { name, group, better, range: [least, most], chance, description, .. } = self.0;
        let is_bounded = *group != Group::Faithfulness || score.name() == Score::Prob.name();
        let bound = |bound: Option<f64>| bound.filter(|_| is_bounded);
        let group = match group {
            Group::Faithfulness => "faithfulness",
            Group::Localisation => "localisation",
            Group::Stability => "stability",
            Group::Complexity => "complexity",
            Group::Sanity => "sanity",
        };
        let of = match self.0.rule {
            Rule::Target(_) => "target",
            Rule::Cell => "cell",
            Rule::Leak => "mosaic",
            Rule::Weights => "image",
            Rule::Boxes { .. } => "set",
        };
        let better = better.map(|better| match better {
            Better::Higher => "higher".to_owned(),
            Better::Lower => "lower".to_owned(),
        });
        MetricRecord {
            name: (*name).to_owned(),
            group: group.to_owned(),
            of: of.to_owned(),
            better,
            least: bound(*least),
            most: bound(*most),
            chance: (*chance).to_owned(),
            description: (*description).to_owned(),
        }
    }
}

impl FromStr for Metric {
    type Err = Error;

    /// The metric of this name.
    fn from_str(text: &str) -> Result<Self> {
        by_name("metric", text, Self::all().map(|metric| (metric.0.name, metric)))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name)
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}
