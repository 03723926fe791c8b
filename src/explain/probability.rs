//! From logits to ranked classes with probabilities, in double precision.

use crate::card::OutputKind;
use crate::engine::Score;
use crate::record::Prediction;

/// All classes, most probable first; equal logits keep the order of their indices.
pub(super) fn ranked(logits: &[f32], output: OutputKind, name: impl Fn(usize) -> String) -> Vec<Prediction> {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponential = |logit: f32| (f64::from(logit) - f64::from(greatest)).exp();
    let sum: f64 = logits.iter().map(|logit| exponential(*logit)).sum();
    let probability = |logit: f32| match output {
        OutputKind::Sigmoid => 1.0 / (1.0 + (-f64::from(logit)).exp()),
        OutputKind::Logits | OutputKind::Softmax | OutputKind::LogSoftmax => exponential(logit) / sum,
    };
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    let class = |index: usize| Prediction {
        target: index,
        class_name: name(index),
        proba: probability(logits[index]),
        logit: f64::from(logits[index]),
    };
    order.into_iter().map(class).collect()
}

/// The value of a score for the class at position `rank` of the ranked classes.
pub(super) fn score(score: Score, classes: &[Prediction], rank: usize) -> f64 {
    let Prediction { logit, proba, .. } = classes[rank];
    match score {
        Score::Logit => logit,
        Score::Prob | Score::Sigmoid => proba,
        Score::LogProb | Score::LogSigmoid => proba.max(f64::MIN_POSITIVE).ln(),
        Score::Margin => match classes.iter().enumerate().find(|(at, _)| *at != rank) {
            Some((_, rival)) => logit - rival.logit,
            None => logit,
        },
        Score::Rest | Score::RestSigmoid => logit + proba.max(f64::MIN_POSITIVE).ln(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(logits: &[f32], output: OutputKind) -> Vec<Prediction> {
        ranked(logits, output, |index| index.to_string())
    }

    #[test]
    fn probabilities_sum_to_one_even_for_huge_logits() {
        let classes = classes(&[1000.0, 998.0, -1e30], OutputKind::Logits);
        let sum: f64 = classes.iter().map(|class| class.proba).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(classes[0].target, 0);
    }

    #[test]
    fn independent_classes_have_independent_probabilities() {
        let classes = classes(&[0.0, 0.0], OutputKind::Sigmoid);
        assert_eq!((classes[0].proba, classes[1].proba), (0.5, 0.5));
    }

    #[test]
    fn the_margin_is_taken_to_the_best_rival() {
        let classes = classes(&[1.0, 5.0, 3.0], OutputKind::Logits);
        assert_eq!(score(Score::Margin, &classes, 0), 2.0);
        assert_eq!(score(Score::Margin, &classes, 1), -2.0);
    }

    #[test]
    fn rest_is_the_logit_and_the_logarithm_of_the_probability() {
        let classes = classes(&[3.0, 3.0], OutputKind::Softmax);
        assert!((score(Score::Rest, &classes, 0) - (3.0 - 2.0_f64.ln())).abs() < 1e-12);
    }
}
