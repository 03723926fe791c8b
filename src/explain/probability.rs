//! From logits to ranked classes with probabilities, in double precision.

use crate::card::OutputKind;
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
}
