//! The padding of windows that slide over a picture.

use super::super::site::Site;
use crate::error::Problem;
use crate::import::padding;

/// The padding of `valid`, `causal` or of `same`: TensorFlow's, by which an odd row or column is added below and to the right.
pub(super) fn padding(
    site: &Site,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<[usize; 4], Problem> {
    match site.settings.text("padding", "valid")? {
        "valid" => Ok([0; 4]),
        "same" => {
            let side = |axis: usize| {
                let (kernel, stride) = (kernel[axis], stride[axis]);
                padding::same(size[axis], kernel, stride, dilation[axis]).ok_or_else(|| {
                    Problem::new(format!("its window of {kernel} by a step of {stride} is not sensible"))
                })
            };
            let ([top, bottom], [left, right]) = (side(0)?, side(1)?);
            Ok([top, bottom, left, right])
        }
        // A step of a sequence sees none after it.
        "causal" if site.is_sequence => {
            Ok([0, 0, kernel[1].saturating_sub(1).saturating_mul(dilation[1]), 0])
        }
        other => Err(Problem::new(format!("has 'padding' '{other}'")).expected("valid or same")),
    }
}
