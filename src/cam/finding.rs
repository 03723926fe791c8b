//! Why a map is blank, reported instead of drawn.
//!
//! Dividing a map by its maximum turns the smallest value bright red, so a map without evidence must be recognised
//! before normalisation. The cases differ in what is zero.

use crate::engine::{Evidence, Features};
use crate::error::{OptionName, Phrase};
use crate::heatmap::Heatmap;

/// A signed map of a layer or over pixels, before ReLU.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) map: Heatmap,
    /// The possible effect of rounding on its values. It follows from the number and magnitudes of the summed terms,
    /// so that engines with different rounding give the same result.
    pub(super) rounding: f64,
}

/// For a map that is not a sum over channels, differences within this share of its maximum are rounding.
const ROUNDING: f64 = 1e-6;

impl Signed {
    /// `rounding` comes from the terms; a map is never considered more exact than its own maximum allows.
    pub(super) fn new(map: Heatmap, rounding: f64) -> Self {
        let rounding = rounding.max(ROUNDING * f64::from(map.magnitude()));
        Self { map, rounding }
    }

    fn is_within_rounding(&self, difference: f32) -> bool {
        f64::from(difference) <= self.rounding
    }

    /// All values are the same.
    fn is_flat(&self) -> bool {
        let stats = self.map.stats();
        self.map.values().len() > 1 && self.is_within_rounding(stats.max - stats.min)
    }

    /// Nothing but rounding is left of the terms.
    fn is_nothing(&self) -> bool {
        self.map.magnitude() == 0.0 || self.is_within_rounding(self.map.magnitude())
    }
}

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
    /// Nothing is above zero: all evidence at the layer is against the class.
    AllNegative,
    /// The same value everywhere.
    Flat,
    /// The map is zero: a class-dependent method found no evidence.
    Nothing,
    /// The layers' maps have no common evidence.
    NothingShared,
}

impl Finding {
    /// A sentence for the record and the terminal. `uses_layer` is the method's: methods on pixels cannot try another
    /// layer.
    #[must_use]
    pub fn message(self, uses_layer: bool) -> Phrase {
        match self {
            Self::NotFinite => "the map is not finite".into(),
            Self::Saturated => Phrase::from(
                "the gradient is zero because the softmax is saturated: the probability rounds to 1 (explain the logit with ",
            )
            .set(OptionName::Score, "logit")
            .text(")"),
            Self::NoActivation => "every activation of the layer is zero (try an earlier layer)".into(),
            Self::NoGradient => {
                "the gradient is zero: the class score does not change with the layer (try another score or layer)".into()
            }
            Self::NothingShared => Phrase::from("the layers agree nowhere: their product is zero (use ")
                .set(OptionName::Aggregate, "mean")
                .text(")"),
            _ if !uses_layer => self.message_of_pixels(),
            Self::AllNegative => {
                "all weighted activations are negative: nothing at this layer speaks for the class \
                 (try another layer or class)"
                    .into()
            }
            Self::Nothing => {
                "the map is zero: nothing that the method looks at counts for the class (try another score or layer)".into()
            }
            Self::Flat => "the map is flat: every position counts the same (try an earlier layer)".into(),
        }
    }

    /// Messages that differ when there is no layer.
    fn message_of_pixels(self) -> Phrase {
        match self {
            Self::AllNegative => Phrase::from(
                "the map is nowhere above zero: no pixel speaks for the class (try another class, or ",
            )
            .option(OptionName::Signed)
            .text(")"),
            Self::Flat => "the map is flat: every pixel counts the same (try another method)".into(),
            _ => "the map is zero: no pixel counts for the class (try another score)".into(),
        }
    }
}

/// What a layer's evidence shows before a map is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Sound,
    NotFinite,
    NoActivation,
    NoGradient,
}

impl Look {
    /// What the evidence of several layers shows: of a detector with several scales a class is found on one of them, and the others
    /// have no gradient. `None` for no layer.
    pub(super) fn of(layers: &[Evidence]) -> Option<Self> {
        let looks: Vec<Self> = layers.iter().map(Self::at).collect();
        let decides = [Self::NotFinite, Self::Sound].into_iter().find(|look| looks.contains(look));
        decides.or(looks.first().copied())
    }

    fn at(evidence: &Evidence) -> Self {
        let all_zero = |features: &Features| features.values.iter().all(|value| *value == 0.0);
        let finite = |features: &Features| features.values.iter().all(|value| value.is_finite());
        match () {
            () if !finite(&evidence.activations) || !finite(&evidence.gradients) => Self::NotFinite,
            () if all_zero(&evidence.activations) => Self::NoActivation,
            () if all_zero(&evidence.gradients) => Self::NoGradient,
            () => Self::Sound,
        }
    }
}

/// Finds the reason why a finished map is blank.
///
/// `raw` has the maps before ReLU, one per layer; `look` describes the first layer's evidence, for methods that use
/// gradients; `uses_class` is the method's.
pub(super) fn of(
    look: Option<Look>,
    raw: &[Signed],
    finished: &Heatmap,
    uses_class: bool,
    saturated: bool,
) -> Option<Finding> {
    match look {
        Some(Look::NotFinite) => return Some(Finding::NotFinite),
        _ if saturated => return Some(Finding::Saturated),
        Some(Look::NoActivation) => return Some(Finding::NoActivation),
        Some(Look::NoGradient) => return Some(Finding::NoGradient),
        Some(Look::Sound) | None => {}
    }
    let never_above = raw.iter().all(|signed| f64::from(signed.map.stats().max) <= signed.rounding);
    let below = raw.iter().any(|signed| signed.map.stats().min < 0.0);
    let shows_negative = finished.stats().min < 0.0;
    let zero = raw.iter().all(|signed| signed.map.magnitude() == 0.0);
    let nothing = raw.iter().all(Signed::is_nothing);
    match () {
        // There is a gradient, but a method that keeps only its positive part has nothing left.
        () if uses_class && zero && look.is_some() => Some(Finding::AllNegative),
        () if uses_class && nothing => Some(Finding::Nothing),
        () if never_above && below && !shows_negative => Some(Finding::AllNegative),
        () if raw.iter().all(Signed::is_flat) => Some(Finding::Flat),
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
        of(Look::of(&[evidence]), &[Signed::new(raw.clone(), 0.0)], &raw.rectified(), true, saturated)
    }

    #[test]
    fn every_reason_is_found() {
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
    fn one_layer_with_a_gradient_is_enough() {
        let evidence = |gradient: f32| {
            let features = |value: f32| Features { channels: 1, height: 1, width: 1, values: vec![value] };
            Evidence { activations: features(1.0), gradients: features(gradient) }
        };
        assert_eq!(Look::of(&[evidence(0.0), evidence(1.0)]), Some(Look::Sound));
        assert_eq!(Look::of(&[evidence(1.0), evidence(0.0)]), Some(Look::Sound));
        assert_eq!(Look::of(&[evidence(0.0), evidence(0.0)]), Some(Look::NoGradient));
        assert_eq!(Look::of(&[evidence(1.0), evidence(f32::NAN)]), Some(Look::NotFinite));
        assert_eq!(Look::of(&[]), None);
    }

    #[test]
    fn a_map_with_evidence_has_no_finding() {
        assert_eq!(finding([0.0, 0.0, 0.0, 2.0], [1.0; 4], [0.0, 0.0, 0.0, 2.0], false), None);
    }

    #[test]
    fn layers_that_agree_nowhere_have_a_finding_of_their_own() {
        let maps = [[1.0, 0.0], [0.0, 1.0]]
            .map(|values| Signed::new(Heatmap::new(1, 2, values.to_vec()).unwrap(), 0.0));
        assert_eq!(of(None, &maps, &Heatmap::zeros(1, 2), true, false), Some(Finding::NothingShared));
    }

    #[test]
    fn zeros_are_about_the_class_only_where_a_method_asks_it() {
        let zeros = Heatmap::zeros(2, 2);
        let found = |uses_class| of(None, &[Signed::new(zeros.clone(), 0.0)], &zeros, uses_class, false);
        assert_eq!((found(true), found(false)), (Some(Finding::Nothing), Some(Finding::Flat)));
    }

    #[test]
    fn what_is_left_of_terms_that_cancel_is_rounding() {
        let found = |values: [f32; 2], rounding| {
            let map = Heatmap::new(1, 2, values.to_vec()).unwrap();
            of(None, &[Signed::new(map.clone(), rounding)], &map.rectified(), true, false)
        };
        // The same values from small terms, and from terms a million times as large.
        assert_eq!(found([1e-7, 2e-7], 1e-12), None);
        assert_eq!(found([1e-7, 2e-7], 1e-6), Some(Finding::Nothing));
        assert_eq!(found([1.0, 1.000_004], 1e-7), None);
        assert_eq!(found([1.0, 1.000_004], 1e-5), Some(Finding::Flat));
        // A value barely above zero is not drawn if rounding may have caused it.
        assert_eq!(found([-1.0, 1e-8], 0.0), Some(Finding::AllNegative));
        assert_eq!(found([-1.0, 1e-4], 0.0), None);
    }

    #[test]
    fn methods_without_a_layer_are_not_sent_to_another_one() {
        for finding in [Finding::Flat, Finding::Nothing, Finding::AllNegative] {
            assert!(!finding.message(false).to_string().contains("layer"), "{finding:?}");
            assert!(finding.message(true).to_string().contains("layer"), "{finding:?}");
        }
    }
}
