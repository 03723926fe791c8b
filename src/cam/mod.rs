//! From a layer's evidence to a heatmap, one method a file.
//!
//! Receives activations and gradients as plain numbers, hands on a [`Heatmap`] with what is to be said about it.
//! Every method's file opens with its paper and equation. Knows nothing of Burn: sums are taken in double
//! precision, in one order, so a device's threads cannot change them.

mod finding;
mod grad_cam;

pub use finding::Finding;

use crate::engine::Evidence;
use crate::error::{Error, Result};
use crate::heatmap::{Heatmap, Stats};

/// A way of turning evidence into a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Gradient-weighted class activation mapping.
    GradCam,
}

/// What `burncam methods` prints and the record repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodInfo {
    /// As written on the command line and in file names.
    pub name: &'static str,
    /// As written in papers, and as eli5 has it in its records.
    pub title: &'static str,
    /// One line of mathematics.
    pub formula: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// What it costs, in passes through the network.
    pub cost: &'static str,
}

/// A method's result for one class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMap {
    /// Values 0 to 1, the greatest 1; or all zero, and then [`ClassMap::finding`] says why.
    pub heatmap: Heatmap,
    /// Of the map before ReLU and normalisation; `None` when it is not finite.
    pub raw: Option<Stats>,
    /// Why there is nothing to see, when there is nothing to see.
    pub finding: Option<Finding>,
}

impl Method {
    /// All methods, the default first.
    pub const ALL: &'static [Self] = &[Self::GradCam];

    /// Name, formula, paper and cost.
    #[must_use]
    pub fn info(self) -> &'static MethodInfo {
        match self {
            Self::GradCam => &grad_cam::INFO,
        }
    }

    /// The signed map before ReLU and normalisation, `[height, width]` of the layer, row-major.
    ///
    /// # Errors
    /// When activations and gradients do not have the same shape.
    pub fn raw_map(self, evidence: &Evidence) -> Result<Vec<f32>> {
        let (a, g) = (&evidence.activations, &evidence.gradients);
        let count = a.channels * a.height * a.width;
        let same = (a.channels, a.height, a.width) == (g.channels, g.height, g.width);
        if !same || a.values.len() != count || g.values.len() != count || count == 0 {
            return Err(Error::internal("activations and gradients differ in shape"));
        }
        Ok(match self {
            Self::GradCam => grad_cam::map(evidence),
        })
    }

    /// The finished map: ReLU, divided by its maximum; or zeros with the reason.
    ///
    /// `saturated` says that the class score is a probability that rounds to one, so that its gradient is noise.
    ///
    /// # Errors
    /// As [`Method::raw_map`].
    pub fn class_map(self, evidence: &Evidence, saturated: bool) -> Result<ClassMap> {
        let (height, width) = (evidence.activations.height, evidence.activations.width);
        let raw = Heatmap::new(height, width, self.raw_map(evidence)?);
        let finding = finding::of(evidence, raw.as_ref(), saturated);
        let heatmap = match (&raw, finding) {
            (Some(raw), None) => raw.rectified_to_unit(),
            _ => Heatmap::new(height, width, vec![0.0; height * width])
                .ok_or_else(|| Error::internal("a layer has no extent"))?,
        };
        Ok(ClassMap { heatmap, raw: raw.map(|raw| raw.stats()), finding })
    }
}

impl std::str::FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.iter();
        all.find(|method| method.info().name == text)
            .copied()
            .ok_or_else(|| Error::unknown("method", text, Self::ALL.iter().map(|method| method.info().name)))
    }
}
