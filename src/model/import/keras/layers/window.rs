//! The padding of windows that slide over a picture.

use super::super::site::Site;
use crate::error::Problem;

/// The padding of `valid` or of `same`: TensorFlow's, by which an odd row or column is added below and to the right.
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
                let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]) + 1;
                let cells = size[axis].div_ceil(stride[axis].max(1)).max(1);
                let total = ((cells - 1).saturating_mul(stride[axis]) + reach).saturating_sub(size[axis]);
                [total / 2, total - total / 2]
            };
            let ([top, bottom], [left, right]) = (side(0), side(1));
            Ok([top, bottom, left, right])
        }
        other => Err(Problem::new(format!("has 'padding' '{other}'")).expected("valid or same")),
    }
}
