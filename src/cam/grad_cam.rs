//! Grad-CAM.
//!
//! Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV
//! 2017, arXiv:1610.02391, equations 1 and 2:
//!
//! ```text
//! alpha_k^c = (1 / Z) sum_i sum_j  dy^c / dA_ij^k        Z = height * width
//! L^c       = ReLU( sum_k  alpha_k^c A^k )
//! ```
//!
//! `A^k` is `activations`, `y^c` the class score, `alpha_k^c` is `channel_weights`. The ReLU is applied by
//! [`Method::class_map`](super::Method::class_map), after the signed map has been looked at.

use super::MethodInfo;
use crate::engine::Evidence;

pub(super) const INFO: MethodInfo = MethodInfo {
    name: "gradcam",
    title: "Grad-CAM",
    formula: "ReLU( sum_k mean_ij(dy/dA_k) A_k )",
    paper: "Selvaraju et al., ICCV 2017, arXiv:1610.02391",
    cost: "1 forward, 1 backward from the layer up",
};

/// The weighted sum before the ReLU, `[height, width]`.
pub(super) fn map(evidence: &Evidence) -> Vec<f32> {
    let cells = evidence.activations.height * evidence.activations.width;
    let channel_weights = evidence
        .gradients
        .values
        .chunks(cells)
        .map(|channel| channel.iter().map(|gradient| f64::from(*gradient)).sum::<f64>() / cells as f64);
    let mut sum = vec![0.0_f64; cells];
    for (weight, channel) in channel_weights.zip(evidence.activations.values.chunks(cells)) {
        for (total, activation) in sum.iter_mut().zip(channel) {
            *total += weight * f64::from(*activation);
        }
    }
    sum.into_iter().map(|total| total as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Features;

    fn features(values: [f32; 8]) -> Features {
        Features { channels: 2, height: 2, width: 2, values: values.to_vec() }
    }

    #[test]
    fn the_equation_by_hand() {
        // alpha = mean(1, 2, 3, 6) = 3 and mean(-1, -1, -1, -1) = -1,
        // so the map is 3 A_1 - A_2 = (3-5, 0-6, 6-0, 3-1).
        let evidence = Evidence {
            activations: features([1.0, 0.0, 2.0, 1.0, 5.0, 6.0, 0.0, 1.0]),
            gradients: features([1.0, 2.0, 3.0, 6.0, -1.0, -1.0, -1.0, -1.0]),
        };
        assert_eq!(map(&evidence), [-2.0, -6.0, 6.0, 2.0]);
    }
}
