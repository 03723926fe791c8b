//! From a picture to the input tensor, as Pillow and torchvision do it.
//!
//! Resizing works on 8-bit RGB with antialiasing and gives 8-bit RGB, within one level of Pillow's. The result is
//! cropped or
//! padded, then every value becomes `(value * scale - mean) / std`.

use fast_image_resize::{FilterType, ResizeAlg};
use image::RgbImage;

use super::levels::tables;
use super::placement::Placement;
use super::raster::MAX_PIXELS;
use crate::card::{Crop, Filter, InputSpec, Preprocess, Resize};
use crate::error::{Error, Problem, Result};
use crate::scale::scaled;

/// How many times longer a side of a reduced picture is, at least, than that of the network's: below that the logits of photographs change by
/// more than 0.15 (`docs/performance.md`).
const FINER: usize = 4;

/// A picture prepared for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The input tensor, `[1, channels, height, width]`, row-major.
    pub values: Vec<f32>,
    /// Where the tensor is on the picture.
    pub placement: Placement,
}

/// Resizes, crops and scales an upright picture.
///
/// # Errors
/// [`Request`](crate::error::ErrorKind::Request) when the card's preprocessing does not end in the network's input size or channels, or when
/// a long thin picture would be resized to more than [`MAX_PIXELS`].
pub fn preprocess(picture: &RgbImage, spec: &Preprocess, input: &InputSpec) -> Result<Prepared> {
    preprocess_reduced(picture, picture.dimensions().into(), spec, input)
}

/// As [`preprocess`], for a picture of `size`, width and height, that may have been decoded at a part of it.
///
/// # Errors
/// As [`preprocess`].
pub fn preprocess_reduced(
    picture: &RgbImage,
    size: [u32; 2],
    spec: &Preprocess,
    input: &InputSpec,
) -> Result<Prepared> {
    // A card that makes one row of a picture says so.
    if input.is_signal() && spec.resize == (Resize::None {}) {
        let problem = Problem::new("is a picture, but the network takes signals");
        return Err(problem
            .expected(format!("[{}, {}]", input.channels, input.width))
            .hint("save one as .npy")
            .into());
    }
    let plan = Plan::new(size, spec);
    // Before resizing: a wrong card may ask for pictures that do not fit into memory.
    plan.check(spec, input)?;
    let values = match resized(picture, &plan)? {
        Some(resized) => plan.values(&resized, spec),
        None => plan.values(picture, spec),
    };
    Ok(Prepared { values, placement: plan.placement(size) })
}

/// By how much each side of an upright picture of this size may be divided while it is decoded: 1, 2, 4 or 8.
pub(super) fn reduction(size: [u32; 2], spec: &Preprocess) -> u32 {
    let plan = Plan::resize(size.map(|length| length as usize), &spec.resize);
    // Its single pixels are the picture's own.
    if plan.filter == Filter::Nearest {
        return 1;
    }
    let is_finer = |by: u32| {
        let lengths = size.map(|length| length.div_ceil(by) as usize).into_iter();
        lengths.zip(plan.resized).all(|(length, resized)| length >= resized.saturating_mul(FINER))
    };
    [8, 4, 2].into_iter().find(|by| is_finer(*by)).unwrap_or(1)
}

/// Sizes and offsets of the preprocessing. Pairs are `[width, height]`, in pixels.
struct Plan {
    /// Size after resizing.
    resized: [usize; 2],
    filter: Filter,
    /// The output's upper left corner in the resized picture; negative where padding is added.
    offset: [isize; 2],
    /// Size of the output.
    output: [usize; 2],
    /// Grey value of the padding.
    fill: u8,
}

impl Plan {
    fn new(size: [u32; 2], spec: &Preprocess) -> Self {
        let mut plan = Self::resize(size.map(|length| length as usize), &spec.resize);
        if let Some(Crop::Center { height, width }) = spec.crop {
            for (axis, side) in [width, height].into_iter().enumerate() {
                plan.offset[axis] += center_offset(plan.output[axis], side);
                plan.output[axis] = side;
            }
        }
        plan
    }

    fn resize(size: [usize; 2], resize: &Resize) -> Self {
        let covering = |resized, filter| Self { resized, filter, offset: [0, 0], output: resized, fill: 0 };
        match *resize {
            Resize::None {} => covering(size, Filter::default()),
            Resize::Stretch { height, width, filter } => covering([width, height], filter),
            Resize::ShortestSide { size: side, filter } => {
                let shortest = size[0].min(size[1]).max(1);
                // torchvision rounds the longer side down.
                covering(size.map(|length| side.saturating_mul(length) / shortest), filter)
            }
            Resize::Letterbox { height, width, filter, fill } => {
                let output = [width, height];
                let scale = (width as f64 / size[0] as f64).min(height as f64 / size[1] as f64);
                let fitted = |axis: usize| {
                    ((size[axis] as f64 * scale).round() as usize).clamp(1, output[axis].max(1))
                };
                let resized = [fitted(0), fitted(1)];
                let bar = |axis: usize| -(((output[axis].saturating_sub(resized[axis])) / 2) as isize);
                Self { resized, filter, offset: [bar(0), bar(1)], output, fill }
            }
        }
    }

    fn check(&self, spec: &Preprocess, input: &InputSpec) -> Result<()> {
        let channels = spec.color.channels();
        if channels != input.channels {
            return Err(Error::request(
                Problem::new(format!("gives {channels} channels"))
                    .expected(format!("the network's {}", input.channels))
                    .about_field("preprocess.color")
                    .hint("gray gives 1, rgb and bgr give 3"),
            ));
        }
        let [width, height] = self.output;
        if [width, height] != [input.width, input.height] {
            let field = if spec.crop.is_some() { "crop" } else { "resize" };
            return Err(Error::request(
                Problem::new(format!("makes this picture {width}x{height} pixels"))
                    .expected(format!("the network's {}x{}", input.width, input.height))
                    .about_field(format!("preprocess.{field}"))
                    .hint("a crop or a stretch to that size does"),
            ));
        }
        let [width, height] = self.resized;
        if (width as u64).saturating_mul(height as u64) > MAX_PIXELS {
            let what = format!(
                "the picture is too long and thin: resizing makes it {width}x{height} pixels, more than the limit of {} megapixels",
                MAX_PIXELS / 1_000_000
            );
            return Err(Problem::new(what).hint("crop it first").into());
        }
        Ok(())
    }

    fn placement(&self, [width, height]: [u32; 2]) -> Placement {
        // Edges in the resized picture, scaled to original pixels. Multiplying before dividing keeps whole results
        // exact.
        let edges = |axis: usize, length: u32| {
            let scale = |edge: isize| edge as f64 * f64::from(length) / self.resized[axis] as f64;
            [scale(self.offset[axis]), scale(self.offset[axis] + self.output[axis] as isize)]
        };
        let [left, right] = edges(0, width);
        let [top, bottom] = edges(1, height);
        Placement { left, top, right, bottom }
    }

    /// Crops or pads the output and normalises it, `[channels, height, width]`.
    fn values(&self, resized: &RgbImage, spec: &Preprocess) -> Vec<f32> {
        let [width, height] = self.output;
        let tables = tables(spec);
        let mut values = Vec::with_capacity(tables.len() * width * height);
        for table in &tables {
            values.resize(values.len() + width * height, table.of_pixel([self.fill; 3]));
        }
        let (x_out, x_in, columns) = overlap(self.offset[0], width, self.resized[0]);
        let (y_out, y_in, rows) = overlap(self.offset[1], height, self.resized[1]);
        let stride = self.resized[0] * 3;
        let pixels = resized.as_raw();
        for (table, plane) in tables.iter().zip(values.chunks_exact_mut((width * height).max(1))) {
            for row in 0..rows {
                let source = &pixels[(y_in + row) * stride + x_in * 3..][..columns * 3];
                let target = &mut plane[(y_out + row) * width + x_out..][..columns];
                table.apply(source, target);
            }
        }
        values
    }
}

/// Start of a centred window of `crop` pixels in `size` pixels, as in torchvision's `center_crop`: half of an odd
/// remainder rounds to even; a window larger than the picture extends further at its end.
fn center_offset(size: usize, crop: usize) -> isize {
    if crop > size {
        -(((crop - size) / 2) as isize)
    } else {
        ((size - crop) as f64 / 2.0).round_ties_even() as isize
    }
}

/// Intersection of a window at `offset` with `length` pixels: first index in the window, first index in the pixels,
/// and count.
fn overlap(offset: isize, window: usize, length: usize) -> (usize, usize, usize) {
    let out = offset.min(0).unsigned_abs().min(window);
    let start = (offset.max(0) as usize).min(length);
    (out, start, (window - out).min(length - start))
}

/// The picture at the plan's size; `None` when it already has that size.
///
/// Horizontal first, then vertical, each rounded to 8 bits, as in Pillow. In the other order, overshoot at edges
/// would be clamped to 0..=255 at different pixels, which then differ by several levels. Only a long thin picture is
/// resized vertically first, where the other order needs more than [`MAX_PIXELS`] in between.
fn resized(picture: &RgbImage, plan: &Plan) -> Result<Option<RgbImage>> {
    let [width, height] = plan.resized.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let size = [width, height];
    let between = match u64::from(width) * u64::from(picture.height()) <= MAX_PIXELS {
        true => [width, picture.height()],
        false => [picture.width(), height],
    };
    let mut result = None;
    for step in [between, size] {
        let last = result.as_ref().unwrap_or(picture);
        if <[u32; 2]>::from(last.dimensions()) != step {
            result = Some(resize_to(last, step[0], step[1], plan.filter)?);
        }
    }
    Ok(result)
}

fn resize_to(picture: &RgbImage, width: u32, height: u32, filter: Filter) -> Result<RgbImage> {
    let algorithm = match filter {
        Filter::Nearest => ResizeAlg::Nearest,
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
        Filter::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
    };
    scaled(picture, [width, height], algorithm)
        .map_err(|problem| Error::internal(problem.after("resizing a picture: ")))
}

#[cfg(test)]
#[path = "preprocess_tests.rs"]
mod tests;
