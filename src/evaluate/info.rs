//! What is known of a metric, and what all metrics of a kind have in common. The metrics themselves are in `table.rs`.

use burncam_metrics::localisation::RightBoxes;
use burncam_metrics::{Better, Convention};

use super::measured::Measured;

/// What a metric asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Does the network depend on what the map marks?
    Faithfulness,
    /// Is the heat on the object? That the network uses something else is no fault of a map.
    Localisation,
    /// Does the map stay when the picture hardly changes? A constant map does, and a baseline.
    Stability,
    /// How concentrated is the map? That says nothing of whether it is right.
    Complexity,
    /// Does the map depend on the weights at all?
    Sanity,
}

/// What is computed once for all metrics that read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The map alone.
    Map,
    /// The map and the place of the object.
    Place,
    /// The box around the heat at every threshold, and the object's.
    Boxes,
    /// The score of the input multiplied by the map.
    Masked,
    /// The score while pixels are deleted.
    Deletion,
    /// The score while pixels are inserted.
    Insertion,
    /// The score while pixels are removed and filled in.
    Road,
    /// The same at the four shares of ARCC.
    RoadOfArcc,
    /// The score without each part of the input.
    Single,
    /// The map of the input multiplied by the map.
    Again,
    /// The score of noisy inputs.
    Infidelity,
    /// The maps of noisy inputs.
    Sensitivity,
}

/// What one value of a metric is of, and how it comes about.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// A target, by what is measured of its map.
    Target(fn(&Measured, Convention) -> Option<f64>),
    /// All targets, by their boxes. Not `resampled` where copies of one target would meet in a resample.
    Boxes { figure: fn(&[RightBoxes]) -> Option<f64>, resampled: bool },
    /// A cell of a mosaic: the share of the heat in it.
    Cell,
    /// A mosaic of which the score reads one cell: the share of the heat in the others.
    Leak,
    /// An image: its maps before and after weights are randomised.
    Weights,
}

/// Everything that is known of a metric.
pub(super) struct MetricInfo {
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) families: &'static [Family],
    /// `None` where neither is better.
    pub(super) better: Option<Better>,
    /// Least and greatest possible value of a probability's figures.
    pub(super) range: [Option<f64>; 2],
    pub(super) chance: &'static str,
    pub(super) description: &'static str,
    /// Whether it is computed unless others are asked for.
    pub(super) usual: bool,
    /// Whether it counts where methods are ranked: of figures that say nearly the same, one does.
    pub(super) votes: bool,
    pub(super) rule: Rule,
}

const UNIT: [Option<f64>; 2] = [Some(0.0), Some(1.0)];
pub(super) const EITHER_SIGN: [Option<f64>; 2] = [Some(-1.0), Some(1.0)];

/// What most metrics have in common.
pub(super) const USUAL: MetricInfo = MetricInfo {
    name: "",
    group: Group::Faithfulness,
    families: &[],
    better: Some(Better::Higher),
    range: UNIT,
    chance: "that of the random map",
    description: "",
    usual: false,
    votes: false,
    rule: Rule::Target(|_, _| None),
};

/// What metrics of localisation have in common.
pub(super) const ON_OBJECTS: MetricInfo =
    MetricInfo { group: Group::Localisation, families: &[Family::Place], ..USUAL };
