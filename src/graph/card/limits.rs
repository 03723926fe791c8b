//! Valid ranges of settings. They exclude only networks that cannot exist, so that later arithmetic cannot overflow
//! or run for hours.

use super::{Graph, InputSpec, Op, ResizeMapping, ResizeMode};

/// The largest kernel, stride, dilation or padding, in pixels.
const MAX_WINDOW: usize = 4096;

/// The largest exponent. No 32-bit float needs more, and Burn converts whole exponents to integers.
const MAX_EXPONENT: f64 = 1e9;

/// The largest side of a network's input, in pixels.
pub(super) const MAX_SIDE: usize = 16_384;

impl Op {
    /// Refuses settings that are valid for no input.
    pub fn check(&self) -> Result<(), String> {
        self.check_finite()?;
        match self {
            Self::Conv2d { stride, dilation, groups, padding } => {
                within("stride", stride, 1)?;
                within("dilation", dilation, 1)?;
                within("padding", padding, 0)?;
                positive("groups", *groups)
            }
            Self::GroupNorm { groups, .. } => positive("groups", *groups),
            Self::LocalResponseNorm { size, beta, .. } => {
                within("size", &[*size], 1)?;
                exponent("beta", *beta)
            }
            Self::Pow { exponent: number } => exponent("exponent", *number),
            Self::Resize { mode: ResizeMode::Nearest, align_corners: true, .. } => {
                Err("'align_corners' goes with 'bilinear' and 'bicubic', got mode 'nearest'".into())
            }
            Self::Resize { output_size, mode, align_corners, mapping } => {
                within("output_size", output_size, 1)?;
                mapping.as_ref().map_or(Ok(()), |mapping| convention(mapping, *mode, *align_corners))
            }
            Self::MaxPool2d { kernel, stride, dilation, padding, .. } => {
                within("dilation", dilation, 1)?;
                window(kernel, stride, padding)
            }
            Self::AvgPool2d { kernel, stride, padding, .. } => window(kernel, stride, padding),
            Self::AdaptiveAvgPool2d { output_size } => within("output_size", output_size, 1),
            Self::Pad { padding, .. } => within("padding", padding, 0),
            Self::Slice { step, .. } => positive("step", *step),
            Self::Clip { min, max } if min > max => {
                Err(format!("'min' {min} is greater than 'max' {max}, expected the opposite"))
            }
            _ => Ok(()),
        }
    }
}

impl Op {
    /// JSON has no infinity: serde would write `null` for such a setting, and the card could not be read again.
    fn check_finite(&self) -> Result<(), String> {
        let written = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let mut fields = written.as_object().into_iter().flatten();
        match fields.find(|(_, value)| value.is_null()) {
            Some((field, _)) => Err(format!("'{field}' is not finite, expected a number")),
            None => Ok(()),
        }
    }
}

impl Graph {
    /// Refuses empty or absurdly large inputs, and graphs without operations.
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

/// Refuses contradictory settings of a resize.
fn convention(mapping: &ResizeMapping, mode: ResizeMode, align_corners: bool) -> Result<(), String> {
    let ResizeMapping { scale, cubic_a, exclude_outside, antialias, .. } = *mapping;
    if align_corners {
        return Err("has both 'align_corners' and 'mapping', expected one of them".into());
    }
    if !scale.iter().all(|scale| (1e-6..=1e6).contains(scale)) {
        return Err(format!("'mapping.scale' is {scale:?}, expected positive numbers"));
    }
    if !(-10.0..=10.0).contains(&cubic_a) {
        return Err(format!("'mapping.cubic_a' is {cubic_a}, expected -10 to 10"));
    }
    if antialias && mode == ResizeMode::Nearest {
        return Err("'mapping.antialias' goes with 'bilinear' and 'bicubic', got mode 'nearest'".into());
    }
    if exclude_outside && mode != ResizeMode::Bicubic && !antialias {
        return Err("'mapping.exclude_outside' goes with 'bicubic' or 'antialias', got neither".into());
    }
    Ok(())
}

fn window(kernel: &[usize; 2], stride: &[usize; 2], padding: &[usize; 4]) -> Result<(), String> {
    within("kernel", kernel, 1)?;
    within("stride", stride, 1)?;
    // A window entirely inside the padding would have no maximum and no mean.
    let [top, bottom, left, right] = *padding;
    if top.max(bottom) >= kernel[0] || left.max(right) >= kernel[1] {
        return Err(format!("'padding' {padding:?} is not smaller than the kernel {kernel:?}"));
    }
    Ok(())
}

fn positive(name: &str, number: usize) -> Result<(), String> {
    if number == 0 { Err(format!("'{name}' is 0, expected a positive number")) } else { Ok(()) }
}

fn exponent(name: &str, number: f64) -> Result<(), String> {
    match number.abs() <= MAX_EXPONENT {
        true => Ok(()),
        false => Err(format!("'{name}' is {number}, expected -{MAX_EXPONENT} to {MAX_EXPONENT}")),
    }
}

fn within(name: &str, numbers: &[usize], least: usize) -> Result<(), String> {
    match numbers.iter().all(|number| (least..=MAX_WINDOW).contains(number)) {
        true => Ok(()),
        false => Err(format!("'{name}' is {numbers:?}, expected {least} to {MAX_WINDOW} each")),
    }
}
