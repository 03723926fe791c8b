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
    /// The map is zero: a method that asks about a class found nothing that counts for it.
    Nothing,
    /// The layers' maps have evidence, but nowhere all of them.
    NothingShared,
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
            Self::Nothing => {
                "the map is zero: nothing that the method looks at counts for the class (try another score or layer)"
            }
            Self::NothingShared => "the layers agree nowhere: their product is zero (use --aggregate mean)",
            Self::Flat => "the map is flat: every position counts the same (try an earlier layer)",
        }
    }
}

/// Looks for the reason why a finished map has nothing to show.
///
/// `raw` are the maps before ReLU, one a layer; `evidence` is the first layer's, of a method that looks at gradients;
/// `uses_class` is the method's.
pub(super) fn of(
    evidence: Option<&Evidence>,
    raw: &[Heatmap],
    finished: &Heatmap,
    uses_class: bool,
    saturated: bool,
) -> Option<Finding> {
    let all_zero = |features: &Features| features.values.iter().all(|value| *value == 0.0);
    let finite = |features: &Features| features.values.iter().all(|value| value.is_finite());
    if let Some(evidence) = evidence {
        match () {
            () if !finite(&evidence.activations) || !finite(&evidence.gradients) => {
                return Some(Finding::NotFinite);
            }
            () if saturated => return Some(Finding::Saturated),
            () if all_zero(&evidence.activations) => return Some(Finding::NoActivation),
            () if all_zero(&evidence.gradients) => return Some(Finding::NoGradient),
            () => {}
        }
    }
    let never_above = raw.iter().all(|map| map.stats().max <= 0.0);
    let below = raw.iter().any(|map| map.stats().min < 0.0);
    let nothing = uses_class && raw.iter().all(|map| map.magnitude() == 0.0);
    let flat = |map: &Heatmap| {
        let stats = map.stats();
        map.values().len() > 1 && stats.max - stats.min <= FLAT * map.magnitude()
    };
    match () {
        () if saturated => Some(Finding::Saturated),
        () if never_above && below && finished.magnitude() == 0.0 => Some(Finding::AllNegative),
        // There is a gradient, and a method that keeps only its positive part has nothing left.
        () if nothing && evidence.is_some() => Some(Finding::AllNegative),
        () if nothing => Some(Finding::Nothing),
        () if raw.iter().all(flat) => Some(Finding::Flat),
        () if finished.magnitude() == 0.0 => Some(Finding::NothingShared),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(
        activations: [f32; 4],
        gradients: [f32; 4],
        raw: [f32; 4],
        saturated: bool,
    ) -> Option<Finding> {
        let features =
            |values: [f32; 4]| Features { channels: 1, height: 2, width: 2, values: values.to_vec() };
        let evidence = Evidence { activations: features(activations), gradients: features(gradients) };
        let raw = Heatmap::new(2, 2, raw.to_vec()).unwrap();
        of(Some(&evidence), std::slice::from_ref(&raw), &raw.rectified(), true, saturated)
    }

    #[test]
    fn every_reason_is_told() {
        let ones = [1.0; 4];
        let ramp = [1.0, 2.0, 3.0, 4.0];
        let cases = [
            (ramp, [0.0; 4], [0.0; 4], false, Finding::NoGradient),
            ([0.0; 4], ones, [0.0; 4], false, Finding::NoActivation),
            (ramp, [-1.0; 4], [-1.0, -2.0, -3.0, -4.0], false, Finding::AllNegative),
            (ramp, [-1.0; 4], [0.0; 4], false, Finding::AllNegative),
            (ones, ones, ones, false, Finding::Flat),
            ([1.0, f32::NAN, 1.0, 1.0], ones, ramp, false, Finding::NotFinite),
            (ramp, [f32::INFINITY; 4], ramp, false, Finding::NotFinite),
            (ramp, ones, ramp, true, Finding::Saturated),
        ];
        for (activations, gradients, raw, saturated, expected) in cases {
            assert_eq!(finding(activations, gradients, raw, saturated), Some(expected));
        }
    }

    #[test]
    fn a_map_with_evidence_has_no_finding() {
        assert_eq!(finding([0.0, 0.0, 0.0, 2.0], [1.0; 4], [0.0, 0.0, 0.0, 2.0], false), None);
    }

    #[test]
    fn layers_that_agree_nowhere_are_told_apart() {
        let maps = [[1.0, 0.0], [0.0, 1.0]].map(|values| Heatmap::new(1, 2, values.to_vec()).unwrap());
        assert_eq!(of(None, &maps, &Heatmap::zeros(1, 2), true, false), Some(Finding::NothingShared));
    }

    #[test]
    fn zeros_are_about_the_class_only_where_a_method_asks_it() {
        let zeros = Heatmap::zeros(2, 2);
        let found = |uses_class| of(None, std::slice::from_ref(&zeros), &zeros, uses_class, false);
        assert_eq!((found(true), found(false)), (Some(Finding::Nothing), Some(Finding::Flat)));
    }
}
