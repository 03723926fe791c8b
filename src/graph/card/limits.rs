//! Valid ranges of settings. They exclude only networks that cannot exist, so that later arithmetic cannot overflow
//! or run for hours.

use super::{InputSpec, Op, ResizeMapping, ResizeMode};
use crate::error::Problem;

/// The largest kernel, stride, dilation or padding, in pixels.
const MAX_WINDOW: usize = 4096;

/// The most indices of a gather: a window at every place of a large feature map has fewer.
const MAX_INDICES: usize = 1 << 20;

/// The largest exponent. No 32-bit float needs more, and Burn converts whole exponents to integers.
const MAX_EXPONENT: f64 = 1e9;

/// The largest side of a network's input, in pixels.
pub(super) const MAX_SIDE: usize = 16_384;

impl Op {
    /// Refuses settings that are valid for no input.
    pub fn check(&self) -> Result<(), Problem> {
        self.check_finite()?;
        match self {
            Self::Conv2d { stride, dilation, groups, padding } => {
                convolution([stride, dilation], padding, *groups)
            }
            Self::ConvTranspose2d { stride, dilation, groups, padding, output_padding } => {
                within("output_padding", output_padding, 0)?;
                convolution([stride, dilation], padding, *groups)
            }
            Self::Gather { indices, .. } => count("indices", indices.len(), MAX_INDICES),
            Self::GroupNorm { groups, .. } => positive("groups", *groups),
            Self::LocalResponseNorm { size, beta, .. } => {
                within("size", &[*size], 1)?;
                exponent("beta", *beta)
            }
            Self::Pow { exponent: number } => exponent("exponent", *number),
            Self::Resize { mode: ResizeMode::Nearest, align_corners: true, .. } => {
                Err(Problem::new("'align_corners' goes with 'bilinear' and 'bicubic'")
                    .found("mode 'nearest'"))
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
                Err(Problem::new(format!("'min' {min} is greater than 'max' {max}")).expected("the opposite"))
            }
            _ => Ok(()),
        }
    }
}

impl Op {
    /// JSON has no infinity: serde would write `null` for such a setting, and the card could not be read again.
    fn check_finite(&self) -> Result<(), Problem> {
        let is_odd = |(_, value): &&(&str, f64)| !value.is_finite();
        match self.reals().iter().flatten().find(is_odd) {
            Some((field, _)) => Err(Problem::new(format!("'{field}' is not finite")).expected("a number")),
            None => Ok(()),
        }
    }

    /// The settings that are real numbers, by field, but for those of a resize, which have narrower limits. At most three.
    fn reals(&self) -> [Option<(&'static str, f64)>; 3] {
        let one = |field, value: f64| [Some((field, value)), None, None];
        match *self {
            Self::BatchNorm { epsilon } | Self::LayerNorm { epsilon } | Self::GroupNorm { epsilon, .. } => {
                one("epsilon", epsilon)
            }
            Self::LocalResponseNorm { alpha, beta, k, .. } => {
                [Some(("alpha", alpha)), Some(("beta", beta)), Some(("k", k))]
            }
            Self::LeakyRelu { slope } => one("slope", slope),
            Self::Elu { alpha } => one("alpha", alpha),
            Self::HardSigmoid { alpha, beta } => [Some(("alpha", alpha)), Some(("beta", beta)), None],
            Self::Clip { min, max } => [Some(("min", min)), Some(("max", max)), None],
            Self::Pow { exponent } => one("exponent", exponent),
            Self::Pad { value, .. } => one("value", value),
            _ => self.scalar().map_or([None; 3], |scalar| one("scalar", scalar)),
        }
    }
}

impl InputSpec {
    /// Refuses empty or absurdly large inputs, and graphs without operations.
    pub(super) fn check_size(&self, operations: usize) -> Result<(), Problem> {
        let Self { channels, height, width, .. } = *self;
        if [channels, height, width].iter().any(|side| *side == 0 || *side > MAX_SIDE) {
            return Err(Problem::new(format!("size {channels}x{height}x{width} is not sensible"))
                .expected(format!("1 to {MAX_SIDE} each"))
                .about_field("graph.input"));
        }
        if operations == 0 {
            return Err(Problem::new("is empty")
                .expected("at least one operation")
                .about_field("graph.nodes"));
        }
        Ok(())
    }
}

/// Refuses contradictory settings of a resize.
fn convention(mapping: &ResizeMapping, mode: ResizeMode, align_corners: bool) -> Result<(), Problem> {
    let ResizeMapping { scale, cubic_a, exclude_outside, antialias, .. } = *mapping;
    if align_corners {
        return Err(Problem::new("has both 'align_corners' and 'mapping'").expected("one of them"));
    }
    if !scale.iter().all(|scale| (1e-6..=1e6).contains(scale)) {
        return Err(Problem::new(format!("'mapping.scale' is {scale:?}")).expected("positive numbers"));
    }
    if !(-10.0..=10.0).contains(&cubic_a) {
        return Err(Problem::new(format!("'mapping.cubic_a' is {cubic_a}")).expected("-10 to 10"));
    }
    // The nearest cell has no window that could be widened.
    if antialias && mode == ResizeMode::Nearest {
        return Err(
            Problem::new("'mapping.antialias' goes with 'bilinear' and 'bicubic'").found("mode 'nearest'")
        );
    }
    if exclude_outside && mode != ResizeMode::Bicubic && !antialias {
        return Err(
            Problem::new("'mapping.exclude_outside' goes with 'bicubic' or 'antialias'").found("neither")
        );
    }
    Ok(())
}

fn convolution(
    [stride, dilation]: [&[usize; 2]; 2],
    padding: &[usize; 4],
    groups: usize,
) -> Result<(), Problem> {
    within("stride", stride, 1)?;
    within("dilation", dilation, 1)?;
    within("padding", padding, 0)?;
    positive("groups", groups)
}

fn count(name: &str, count: usize, most: usize) -> Result<(), Problem> {
    match (1..=most).contains(&count) {
        true => Ok(()),
        false => Err(Problem::new(format!("'{name}' has {count} numbers")).expected(format!("1 to {most}"))),
    }
}

fn window(kernel: &[usize; 2], stride: &[usize; 2], padding: &[usize; 4]) -> Result<(), Problem> {
    within("kernel", kernel, 1)?;
    within("stride", stride, 1)?;
    // A window entirely inside the padding would have no maximum and no mean.
    let [top, bottom, left, right] = *padding;
    if top.max(bottom) >= kernel[0] || left.max(right) >= kernel[1] {
        return Err(format!("'padding' {padding:?} is not smaller than the kernel {kernel:?}").into());
    }
    Ok(())
}

fn positive(name: &str, number: usize) -> Result<(), Problem> {
    if number == 0 {
        Err(Problem::new(format!("'{name}' is 0")).expected("a positive number"))
    } else {
        Ok(())
    }
}

fn exponent(name: &str, number: f64) -> Result<(), Problem> {
    match number.abs() <= MAX_EXPONENT {
        true => Ok(()),
        false => Err(Problem::new(format!("'{name}' is {number}"))
            .expected(format!("-{MAX_EXPONENT} to {MAX_EXPONENT}"))),
    }
}

fn within(name: &str, numbers: &[usize], least: usize) -> Result<(), Problem> {
    match numbers.iter().all(|number| (least..=MAX_WINDOW).contains(number)) {
        true => Ok(()),
        false => Err(Problem::new(format!("'{name}' is {numbers:?}"))
            .expected(format!("{least} to {MAX_WINDOW} each"))),
    }
}
