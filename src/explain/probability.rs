//! From scores to ranked classes with probabilities, in double precision, or to unranked numbers.

use crate::model::{Anchors, FinalActivation};
use crate::record::Prediction;

/// All classes, most probable first; equal scores keep the order of their indices. Numbers are not ranked.
pub(super) fn ranked(
    scores: &[f32],
    activation: FinalActivation,
    name: impl Fn(usize) -> String,
) -> Vec<Prediction> {
    let probability = probabilities(scores, activation);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    if activation != FinalActivation::None {
        // `total_cmp`, because sorting must not depend on NaN; such logits are refused before.
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    }
    let is_logit = matches!(activation, FinalActivation::Softmax | FinalActivation::Sigmoid);
    let class = |index: usize| {
        let score = f64::from(scores[index]);
        Prediction {
            target: index,
            class_name: name(index),
            proba: probability(index),
            logit: is_logit.then_some(score),
            number: (activation == FinalActivation::None).then_some(score),
            share: None,
        }
    };
    order.into_iter().map(class).collect()
}

/// The classes of a detector that exclude each other at each anchor, the surest anywhere first. The background is everywhere, says
/// least, and comes last. `scores` has the logit of each class at its surest anchor, `shares` all probabilities at every anchor.
pub(super) fn ranked_by_share(
    scores: &[f32],
    shares: &[Vec<f64>],
    form: &Anchors,
    name: impl Fn(usize) -> String,
) -> Vec<Prediction> {
    let mut surest = vec![0.0_f64; form.classes];
    for shares in shares {
        surest.iter_mut().zip(shares).for_each(|(most, share)| *most = most.max(*share));
    }
    let mut order: Vec<usize> = (0..form.classes).collect();
    let is_background = |class: usize| form.background == Some(class);
    order.sort_by(|a, b| {
        is_background(*a).cmp(&is_background(*b)).then(surest[*b].total_cmp(&surest[*a])).then(a.cmp(b))
    });
    let class = |class: usize| Prediction {
        proba: Some(surest[class]),
        logit: Some(f64::from(scores[class])),
        ..Prediction::new(class, name(class))
    };
    order.into_iter().map(class).collect()
}

/// The probability of each class.
fn probabilities(scores: &[f32], activation: FinalActivation) -> impl Fn(usize) -> Option<f64> + '_ {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // Relative to the greatest, in double precision: logits of several hundred overflow the exponential.
    let exponential = move |score: f32| (f64::from(score) - f64::from(greatest)).exp();
    let sum: f64 = scores.iter().map(|score| exponential(*score)).sum();
    move |index| match activation {
        FinalActivation::Softmax => Some(exponential(scores[index]) / sum),
        other => other.of_one(scores[index]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(scores: &[f32], activation: FinalActivation) -> Vec<Prediction> {
        ranked(scores, activation, |index| index.to_string())
    }

    #[test]
    fn probabilities_sum_to_one_even_for_huge_logits() {
        let classes = classes(&[1000.0, 998.0, -1e30], FinalActivation::Softmax);
        let sum: f64 = classes.iter().filter_map(|class| class.proba).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(classes[0].target, 0);
    }

    #[test]
    fn independent_classes_have_independent_probabilities() {
        let classes = classes(&[0.0, 0.0], FinalActivation::Sigmoid);
        assert_eq!((classes[0].proba, classes[1].proba), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn probabilities_of_the_network_are_kept_and_have_no_logits() {
        let classes = classes(&[0.25, 0.75], FinalActivation::Identity);
        assert_eq!((classes[0].target, classes[0].proba, classes[0].logit), (1, Some(0.75), None));
    }

    #[test]
    fn numbers_stay_in_their_order_and_have_no_probability() {
        let numbers = classes(&[-2.0, 7.5], FinalActivation::None);
        let found: Vec<_> =
            numbers.iter().map(|number| (number.target, number.proba, number.number)).collect();
        assert_eq!(found, [(0, None, Some(-2.0)), (1, None, Some(7.5))]);
        assert!(numbers.iter().all(|number| number.logit.is_none()));
    }
}
