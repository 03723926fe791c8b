//! NumPy files: input tensors to read, and maps to write.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::file::{check_size, read_file};
use super::npy::{Npy, channels_first, count_of};
use super::npz::Array;
use super::{npy_header, signal};
use crate::card::{ColorOrder, InputSpec, Layout, Preprocess};
use crate::error::{Error, Problem, Result};
use crate::memory::Part;

/// Reads a `.npy` file that holds an input tensor, and gives it as `[1, channels, height, width]`.
///
/// # Errors
/// As [`read_file`] and [`npy_from_bytes`].
pub fn read_npy(path: &Path, layout: Layout, expected: &InputSpec) -> Result<Vec<f32>> {
    npy_from_bytes(&read_file(path)?, &path.display().to_string(), layout, expected)
}

/// Reads a `.npy` file of any shape.
///
/// # Errors
/// As [`read_npy`], but for the shape: any with up to 2^27 values is right.
pub fn read_array(path: &Path) -> Result<Array> {
    let (bytes, name) = (read_file(path)?, path.display().to_string());
    let refuse = |problem: Problem| problem.of_image(&name);
    let array = Npy::open(&bytes[..]).map_err(refuse)?;
    let shape = array.shape.clone();
    let (count, most) = (count_of(&shape), Part::Array.ceiling());
    if count > most {
        return Err(refuse(
            Problem::new(format!("has shape {shape:?}")).expected(format!("up to {most} values")),
        ));
    }
    Part::Array.check(count).map_err(refuse)?;
    Ok(Array { shape, values: array.numbers().map_err(refuse)? })
}

/// Reads the bytes of a `.npy` file. `name` is what errors call it.
///
/// # Shapes
/// Channels first: `[1, channels, height, width]` or `[channels, height, width]`. Channels last:
/// `[1, height, width, channels]` or `[height, width, channels]`. With one channel also `[height, width]`. Of a signal the height may be
/// left out: `[1, channels, samples]`, `[channels, samples]`, or with one channel `[samples]`.
/// With a `layout` of channels first, a model whose input is channels last accepts both and reads an ambiguous array
/// as channels last. Values may be 16-, 32- or 64-bit floats or integers of any width, in C or Fortran order.
///
/// # Errors
/// [`Image`](crate::error::ErrorKind::Image) when it is no `.npy` file, ends too early, holds other than numbers, has another shape than
/// `expected`, or holds a number that is not finite as `f32`.
pub fn npy_from_bytes(bytes: &[u8], name: &str, layout: Layout, expected: &InputSpec) -> Result<Vec<f32>> {
    check_size(bytes, || name.to_owned())?;
    let refuse = |problem: Problem| problem.of_image(name);
    let array = Npy::open(bytes).map_err(refuse)?;
    let layout = find_layout(&array.shape, layout, expected).map_err(refuse)?;
    Part::Array.check(count_of(&array.shape)).map_err(refuse)?;
    let values = array.numbers().map_err(refuse)?;
    Ok(match layout {
        Layout::ChannelsFirst => values,
        Layout::ChannelsLast => channels_first(&values, 1, expected.channels),
    })
}

/// A two-dimensional `float32` array, row by row, as the bytes of a `.npy` file.
///
/// # Errors
/// [`Internal`](crate::error::ErrorKind::Internal) when the number of values is not `height * width`.
pub fn write_npy_2d(height: usize, width: usize, values: &[f32]) -> Result<Vec<u8>> {
    if values.len() != height * width {
        let what = format!("{} values for a .npy array of {height} rows of {width}", values.len());
        return Err(Error::internal(what));
    }
    let mut bytes = npy_header::of_floats(&[height, width]);
    bytes.reserve_exact(values.len() * 4);
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(bytes)
}

/// Reconstructs the picture of an input tensor by inverting the card's preprocessing. A signal is drawn as lines.
///
/// Each value becomes `(value * std + mean) / scale`, rounded and clamped to 0..=255, as RGB. eli5 instead stretches
/// the tensor's own range to 0..=255, which changes the colours; this way a preprocessed picture keeps its own.
///
/// `values` is `[1, channels, height, width]`. One channel gives grey; beyond three, only the first three are used.
#[must_use]
pub fn picture_from_tensor(values: &[f32], spec: &Preprocess, input: &InputSpec) -> RgbImage {
    if input.is_signal() {
        return signal::drawn(values, input);
    }
    let plane = input.height * input.width;
    let channel_of = |color: usize| match (input.channels, spec.color) {
        (0..=2, _) => 0,
        (_, ColorOrder::Bgr) => 2 - color,
        _ => color,
    };
    let level = |channel: usize, at: usize| {
        let value = values.get(channel * plane + at).copied().unwrap_or(0.0);
        let mean = spec.mean.get(channel).copied().unwrap_or(0.0);
        let std = spec.std.get(channel).copied().unwrap_or(1.0);
        // `as` saturates, so that values out of range are clamped.
        ((f64::from(value) * std + mean) / spec.scale).round() as u8
    };
    RgbImage::from_fn(input.width as u32, input.height as u32, |x, y| {
        let at = y as usize * input.width + x as usize;
        Rgb([0, 1, 2].map(|color| level(channel_of(color), at)))
    })
}

/// The axes of one input; the row of a signal is left out.
fn axes(layout: Layout, expected: &InputSpec) -> Vec<usize> {
    let InputSpec { channels, height, width, .. } = *expected;
    let places = if expected.is_signal() { vec![width] } else { vec![height, width] };
    match layout {
        Layout::ChannelsFirst => [vec![channels], places].concat(),
        Layout::ChannelsLast => [places, vec![channels]].concat(),
    }
}

/// Whether an array of shape `got` has this axis order.
fn fits(got: &[usize], layout: Layout, expected: &InputSpec) -> bool {
    let InputSpec { channels, height, width, .. } = *expected;
    let is_one_of = |own: &[usize]| got == own || got.split_first() == Some((&1, own));
    let mut own = axes(layout, expected);
    if is_one_of(&own) || channels == 1 && (got == [height, width] || expected.is_signal() && got == [width])
    {
        return true;
    }
    own.insert(usize::from(layout == Layout::ChannelsFirst), 1);
    expected.is_signal() && is_one_of(&own)
}

/// The axis order of an array of shape `got`: as requested, or as the model's framework has it.
fn find_layout(got: &[usize], asked: Layout, expected: &InputSpec) -> Result<Layout, Problem> {
    let fits = |layout| fits(got, layout, expected);
    let candidates = match asked {
        Layout::ChannelsFirst => [expected.layout, asked],
        Layout::ChannelsLast => [asked; 2],
    };
    if let Some(layout) = candidates.into_iter().find(|layout| fits(*layout)) {
        return Ok(layout);
    }
    let wanted = axes(candidates[0], expected);
    let batched: Vec<usize> = std::iter::once(1).chain(wanted.iter().copied()).collect();
    let problem = Problem::new(format!("has shape {got:?}")).expected(format!("{wanted:?} or {batched:?}"));
    Err(if fits(Layout::ChannelsLast) {
        problem.hint("is its layout channels-last?")
    } else if fits(Layout::ChannelsFirst) {
        problem.hint("is its layout channels-first?")
    } else if got.len() > 1 && got[0] > 1 && got[1..] == wanted {
        problem.hint("save one picture a file")
    } else {
        problem
    })
}

#[cfg(test)]
#[path = "tensor_file_tests.rs"]
mod tests;
