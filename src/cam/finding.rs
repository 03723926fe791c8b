//! Why a map shows nothing, told instead of drawn.
//!
//! Dividing a map by its maximum turns any crumb of it bright red, so a map without evidence must be recognised
//! before it is normalised. The cases are told apart by what is zero.

use crate::engine::{Evidence, Features};
use crate::heatmap::Heatmap;

/// A map whose values differ by less than this share of the greatest is flat: that is rounding, not evidence.
const FLAT: f32 = 1e-6;

/// The reason for an empty map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Activations, gradients or the map hold NaN or infinity.
    NotFinite,
    /// The class score is a probability that rounds to one.
    Saturated,
    /// Every activation of the layer is zero.
    NoActivation,
    /// The class score does not change with the layer.
    NoGradient,
    /// Nothing is above zero: the layer speaks against the class everywhere.
    AllNegative,
    /// The same value everywhere.
    Flat,
}

impl Finding {
    /// A sentence for the record and the terminal.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotFinite => "the map is not finite",
            Self::Saturated => {
                "the gradient is zero because the softmax is saturated: the probability rounds to 1 \
                 (explain the logit with --score logit)"
            }
            Self::NoActivation => "every activation of the layer is zero (try an earlier layer)",
            Self::NoGradient => {
                "the gradient is zero: the class score does not change with the layer (try another score or layer)"
            }
            Self::AllNegative => {
                "all weighted activations are negative: nothing at this layer speaks for the class \
                 (try another layer or class)"
            }
            Self::Flat => "the map is flat: every position counts the same (try an earlier layer)",
        }
    }
}

/// Looks for the reason why `raw`, a map before ReLU, has nothing to show.
pub(super) fn of(evidence: &Evidence, raw: Option<&Heatmap>, saturated: bool) -> Option<Finding> {
    let all_zero = |features: &Features| features.values.iter().all(|value| *value == 0.0);
    let finite = |features: &Features| features.values.iter().all(|value| value.is_finite());
    let Some(raw) = raw else { return Some(Finding::NotFinite) };
    let stats = raw.stats();
    let several = raw.values().len() > 1;
    match () {
        () if !finite(&evidence.activations) || !finite(&evidence.gradients) => Some(Finding::NotFinite),
        () if saturated => Some(Finding::Saturated),
        () if all_zero(&evidence.activations) => Some(Finding::NoActivation),
        () if all_zero(&evidence.gradients) => Some(Finding::NoGradient),
        () if stats.max < 0.0 || (stats.max == 0.0 && stats.min < 0.0) => Some(Finding::AllNegative),
        () if several && stats.max - stats.min <= FLAT * stats.max.abs() => Some(Finding::Flat),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Method;
    use super::*;

    fn finding(activations: [f32; 4], gradients: [f32; 4], saturated: bool) -> (Option<Finding>, Vec<f32>) {
        let features =
            |values: [f32; 4]| Features { channels: 1, height: 2, width: 2, values: values.to_vec() };
        let evidence = Evidence { activations: features(activations), gradients: features(gradients) };
        let map = Method::GradCam.class_map(&evidence, saturated).unwrap();
        (map.finding, map.heatmap.values().to_vec())
    }

    #[test]
    fn every_reason_is_told_and_none_is_drawn() {
        let ones = [1.0; 4];
        let ramp = [1.0, 2.0, 3.0, 4.0];
        let cases = [
            (ramp, [0.0; 4], false, Finding::NoGradient),
            ([0.0; 4], ones, false, Finding::NoActivation),
            (ramp, [-1.0; 4], false, Finding::AllNegative),
            (ones, ones, false, Finding::Flat),
            ([1.0, f32::NAN, 1.0, 1.0], ones, false, Finding::NotFinite),
            (ramp, [f32::INFINITY; 4], false, Finding::NotFinite),
            (ramp, ones, true, Finding::Saturated),
        ];
        for (activations, gradients, saturated, expected) in cases {
            let (found, values) = finding(activations, gradients, saturated);
            assert_eq!(found, Some(expected));
            assert_eq!(values, [0.0; 4], "{expected:?} must not be drawn");
        }
    }

    #[test]
    fn a_map_with_evidence_has_no_finding() {
        assert_eq!(finding([0.0, 0.0, 0.0, 2.0], [1.0; 4], false), (None, vec![0.0, 0.0, 0.0, 1.0]));
    }
}
