//! Constants as lists of one number per channel.

use crate::draft::Weight;

/// A constant with one number for each of `channels`, whose axis has `behind` axes of size 1 after it, as a list.
pub(super) fn per_channel(weight: &Weight, channels: usize, behind: usize) -> Option<Weight> {
    // Counted from the end, as broadcasting does: axes in front may be missing.
    let at = weight.shape.len().checked_sub(behind + 1)?;
    // A constant with a second long axis is not one number per channel, even if the counts agree.
    let mut sides = weight.shape.iter().enumerate();
    let fits = weight.values.len() == channels
        && weight.shape[at] == channels
        && sides.all(|(axis, side)| axis == at || *side == 1);
    fits.then(|| Weight { shape: vec![channels], ..weight.clone() })
}
