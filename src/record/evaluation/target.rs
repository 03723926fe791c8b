//! The figures of single targets and mosaics.

use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// One explained class of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedTarget {
    /// The image, as the caller named it.
    pub path: String,
    /// SHA-256 of its file, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of what was evaluated: the network's input, the true classes and the objects that were known. `--resume` keeps figures of the same.
    pub input_sha256: String,
    /// Index of the class.
    pub target: usize,
    /// Name of the class.
    pub class_name: String,
    /// The score of the unchanged image that metrics look at.
    pub score: f64,
    /// Share of the network's input that the objects of the class cover: the chance level of some metrics; `null` where none is known.
    pub area: Option<f64>,
    /// One per row of [`Evaluation::rows`].
    pub rows: Vec<TargetFigures>,
    /// Of each pair of [`Evaluation::agreement`], in its order, the similarities of the two maps: Spearman, Pearson and SSIM; `null` where one
    /// is not defined. Empty unless it was asked for.
    pub agreement: Vec<[Option<f64>; 3]>,
}

impl EvaluatedTarget {
    /// Refuses what JSON has no number for.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn check_finite(&self) -> Result<(), Problem> {
        let values = self.rows.iter().flat_map(|row| &row.values).flatten().copied();
        match values.chain([self.score]).find(|number| !number.is_finite()) {
            Some(number) => {
                Err(Problem::new(format!("the evaluation holds {number}")).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

/// A row's figures for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFigures {
    /// Why the map is blank, if it is; then there are no values.
    pub blank: Option<String>,
    /// Share of pixels whose value others have, too, so that their order is not by relevance alone; `null` without a curve.
    pub tied_share: Option<f64>,
    /// One per metric, `null` where it is not defined; empty for a blank map.
    pub values: Vec<Option<f64>>,
    /// Curves of deletion and insertion, and of boxes by their threshold.
    pub curves: Vec<CurveRecord>,
}

/// Several pictures of different classes in one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedMosaic {
    /// The pictures of the cells, row by row, as the caller named them.
    pub paths: Vec<String>,
    /// One per cell: the class of its picture is explained.
    pub cells: Vec<MosaicCell>,
    /// DiFull: the class of the first picture is explained, by a network whose score reads the first cell alone. One per row, the share of the
    /// heat that is in the other cells; `null` where it is not defined, for baselines, and when it was not asked for.
    pub leaks: Vec<Option<f64>>,
}

/// The class of one cell of a mosaic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MosaicCell {
    /// Index of the class.
    pub target: usize,
    /// Its name.
    pub class_name: String,
    /// Share of the input that the cell covers: the chance level.
    pub area: f64,
    /// One per row, the share of the heat that is in the cell; `null` for a blank map.
    pub shares: Vec<Option<f64>>,
}

/// An image whose maps were compared with those of networks with random weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedSanity {
    /// The image, as the caller named it.
    pub path: String,
    /// One per row: the mean rank correlation of its maps before and after; `null` where every map was constant.
    pub similarities: Vec<Option<f64>>,
}

/// A score while pixels change, or whether a box is right at each threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRecord {
    /// `deletion`, `insertion` or `boxes`.
    pub metric: String,
    /// Shares of pixels that have changed, 0 to 1; of `boxes` thresholds as shares of the map's maximum.
    pub shares: Vec<f32>,
    /// The score at each; of `boxes` 1 where the box is right.
    pub scores: Vec<f32>,
}
