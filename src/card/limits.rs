//! What settings may be: numbers that a network could have, so that nothing later overflows or runs for hours.

use super::{Graph, InputSpec, Op};

/// The greatest kernel, stride, dilation or padding, in pixels.
const MAX_WINDOW: usize = 4096;

/// The greatest side of a network's input, in pixels.
pub(super) const MAX_SIDE: usize = 16_384;

impl Op {
    /// Refuses settings that no input could make sense of.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Conv2d { stride, dilation, groups, padding } => {
                within("stride", stride, 1)?;
                within("dilation", dilation, 1)?;
                within("padding", padding, 0)?;
                if *groups == 0 { Err("'groups' is 0, expected a positive number".into()) } else { Ok(()) }
            }
            Self::MaxPool2d { kernel, stride, dilation, padding, .. } => {
                within("dilation", dilation, 1)?;
                window(kernel, stride, padding)
            }
            Self::AvgPool2d { kernel, stride, padding, .. } => window(kernel, stride, padding),
            Self::AdaptiveAvgPool2d { output_size } => within("output_size", output_size, 1),
            Self::Pad { padding, .. } => within("padding", padding, 0),
            Self::Slice { step: 0, .. } => Err("'step' is 0, expected a positive number".into()),
            Self::Clip { min, max } if min > max => {
                Err(format!("'min' {min} is greater than 'max' {max}, expected the opposite"))
            }
            _ => Ok(()),
        }
    }
}

impl Graph {
    /// Refuses an input that is empty or absurdly large, and a graph without operations.
    pub(super) fn check_size(&self) -> Result<(), String> {
        let InputSpec { channels, height, width, .. } = self.input;
        if [channels, height, width].iter().any(|side| *side == 0 || *side > MAX_SIDE) {
            return Err(format!(
                "card field 'graph.input': size {channels}x{height}x{width} is not sensible, expected 1 to {MAX_SIDE} each"
            ));
        }
        if self.nodes.is_empty() {
            return Err("card field 'graph.nodes': is empty, expected at least one operation".into());
        }
        Ok(())
    }
}

fn window(kernel: &[usize; 2], stride: &[usize; 2], padding: &[usize; 4]) -> Result<(), String> {
    within("kernel", kernel, 1)?;
    within("stride", stride, 1)?;
    // A window that may lie wholly in the padding has no maximum and no mean.
    let [top, bottom, left, right] = *padding;
    if top.max(bottom) >= kernel[0] || left.max(right) >= kernel[1] {
        return Err(format!("'padding' {padding:?} is not smaller than the kernel {kernel:?}"));
    }
    Ok(())
}

fn within(name: &str, numbers: &[usize], least: usize) -> Result<(), String> {
    match numbers.iter().all(|number| (least..=MAX_WINDOW).contains(number)) {
        true => Ok(()),
        false => Err(format!("'{name}' is {numbers:?}, expected {least} to {MAX_WINDOW} each")),
    }
}
