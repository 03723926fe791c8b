//! NumPy files: a network's input as it is, and maps handed out for NumPy.

use std::path::Path;

use half::f16;
use image::{Rgb, RgbImage};
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar, WriterBuilder};

use super::file::{check_size, read_file};
use crate::card::{ColorOrder, InputSpec, Layout, Preprocess};
use crate::error::{Error, Result};

/// Reads a `.npy` file that already is a network's input, and gives it as `[1, channels, height, width]`.
///
/// # Errors
/// As [`read_file`] and [`npy_from_bytes`].
pub fn read_npy(path: &Path, layout: Layout, expected: &InputSpec) -> Result<Vec<f32>> {
    npy_from_bytes(&read_file(path)?, &path.display().to_string(), layout, expected)
}

/// Reads the bytes of a `.npy` file. `name` is what errors call it.
///
/// # Shapes
/// Channels first: `[1, channels, height, width]` or `[channels, height, width]`. Channels last:
/// `[1, height, width, channels]` or `[height, width, channels]`. With one channel also `[height, width]`.
/// With a `layout` of channels first, a model whose input says channels last takes both, and reads as channels
/// last what could be either. Numbers may be 16-, 32- or 64-bit floats or integers of any width, in C or Fortran order.
///
/// # Errors
/// [`Error::Image`] when it is no `.npy` file, ends too early, holds other than numbers, has another shape than
/// `expected`, or holds a number that is not finite as `f32`.
pub fn npy_from_bytes(bytes: &[u8], name: &str, layout: Layout, expected: &InputSpec) -> Result<Vec<f32>> {
    check_size(bytes, || name.to_owned())?;
    let refuse = |problem: String| Error::image(name, problem);
    check_header(bytes).map_err(refuse)?;
    let file = NpyFile::new(bytes).map_err(|error| refuse(format!("not a sound .npy file: {error}")))?;
    let shape: Vec<usize> = file.shape().iter().map(|side| *side as usize).collect();
    let layout = find_layout(&shape, layout, expected).map_err(refuse)?;
    let fortran = file.order() == Order::Fortran;
    let mut values = numbers(file).map_err(refuse)?;
    if fortran {
        values = row_by_row(&values, &shape);
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let place = unravel(at, &shape);
        return Err(refuse(format!("the value at {place:?} is {}, expected finite numbers", values[at])));
    }
    Ok(match layout {
        Layout::ChannelsFirst => values,
        Layout::ChannelsLast => channels_first(&values, expected.channels),
    })
}

/// A two-dimensional `float32` array, row by row, as the bytes of a `.npy` file.
///
/// # Errors
/// [`Error::Internal`] when the number of values is not `height * width`.
pub fn write_npy_2d(height: usize, width: usize, values: &[f32]) -> Result<Vec<u8>> {
    let fault = |error: std::io::Error| Error::internal(format!("writing a .npy array: {error}"));
    let mut bytes = Vec::with_capacity(128 + values.len() * 4);
    let options = npyz::WriteOptions::new().default_dtype().shape(&[height as u64, width as u64]);
    let mut writer = options.writer(&mut bytes).begin_nd().map_err(fault)?;
    writer.extend(values).map_err(fault)?;
    writer.finish().map_err(fault)?;
    Ok(bytes)
}

/// The picture that a network's input was made from, as far as it can be told: the card's preprocessing undone.
///
/// Each value becomes `(value * std + mean) / scale`, rounded and held within 0..=255, in red, green, blue. eli5
/// stretches the tensor's own least and greatest value over 0..=255 instead, which changes the colours; a
/// picture that was preprocessed as the card says comes back here as it was.
///
/// `values` is `[1, channels, height, width]`. One channel gives grey; of more than three the first three count.
#[must_use]
pub fn picture_from_tensor(values: &[f32], spec: &Preprocess, input: &InputSpec) -> RgbImage {
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
        // A float's conversion to u8 holds it within 0..=255.
        ((f64::from(value) * std + mean) / spec.scale).round() as u8
    };
    RgbImage::from_fn(input.width as u32, input.height as u32, |x, y| {
        let at = y as usize * input.width + x as usize;
        Rgb([0, 1, 2].map(|color| level(channel_of(color), at)))
    })
}

/// Refuses a header that claims to be longer than the file, before anything of that length is allocated.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    let claimed = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => usize::from(u16::from_le_bytes([*a, *b])),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            u32::from_le_bytes([*a, *b, *c, *d]) as usize
        }
        _ => return Err("not a sound .npy file: it does not begin with NumPy's mark".into()),
    };
    if claimed > bytes.len() {
        return Err(format!("not a sound .npy file: its header claims {claimed} of {} bytes", bytes.len()));
    }
    Ok(())
}

/// The order of the axes of an array of shape `got`, as it was asked for or as the model's framework has it.
fn find_layout(got: &[usize], asked: Layout, expected: &InputSpec) -> Result<Layout, String> {
    let InputSpec { channels, height, width, layout: native, .. } = *expected;
    let order = |layout| match layout {
        Layout::ChannelsFirst => [channels, height, width],
        Layout::ChannelsLast => [height, width, channels],
    };
    let without_batch = if got.len() == 4 && got[0] == 1 { &got[1..] } else { got };
    let fits = |layout| without_batch == order(layout) || (channels == 1 && got == [height, width]);
    let candidates = match asked {
        Layout::ChannelsFirst => [native, asked],
        Layout::ChannelsLast => [asked; 2],
    };
    if let Some(layout) = candidates.into_iter().find(|layout| fits(*layout)) {
        return Ok(layout);
    }
    let wanted = order(candidates[0]);
    let hint = if fits(Layout::ChannelsLast) {
        " (is its layout channels-last?)"
    } else if fits(Layout::ChannelsFirst) {
        " (is its layout channels-first?)"
    } else if got.len() == 4 && got[0] > 1 && got[1..] == wanted {
        " (save one picture a file)"
    } else {
        ""
    };
    let batched: Vec<usize> = std::iter::once(1).chain(wanted.iter().copied()).collect();
    Err(format!("has shape {got:?}, expected {wanted:?} or {batched:?}{hint}"))
}

/// All numbers as `f32`, in the order of the file.
fn numbers(file: NpyFile<&[u8]>) -> Result<Vec<f32>, String> {
    let DType::Plain(kind) = file.dtype() else {
        return Err("holds records, expected one number a cell".into());
    };
    match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 2) => halves(file, kind.endianness() == npyz::Endianness::Big),
        (TypeChar::Float, 4) => widen::<f32>(file, |value| value),
        (TypeChar::Float, 8) => widen::<f64>(file, |value| value as f32),
        (TypeChar::Uint, 1) => widen::<u8>(file, f32::from),
        (TypeChar::Uint, 2) => widen::<u16>(file, f32::from),
        (TypeChar::Uint, 4) => widen::<u32>(file, |value| value as f32),
        (TypeChar::Uint, 8) => widen::<u64>(file, |value| value as f32),
        (TypeChar::Int, 1) => widen::<i8>(file, f32::from),
        (TypeChar::Int, 2) => widen::<i16>(file, f32::from),
        (TypeChar::Int, 4) => widen::<i32>(file, |value| value as f32),
        (TypeChar::Int, 8) => widen::<i64>(file, |value| value as f32),
        _ => Err(format!("holds numbers of type '{kind}', expected float16 to float64 or integers")),
    }
}

fn widen<T: Deserialize>(file: NpyFile<&[u8]>, convert: impl Fn(T) -> f32) -> Result<Vec<f32>, String> {
    let values = file.data::<T>().map_err(|error| format!("not a sound .npy file: {error}"))?;
    values.map(|value| value.map(&convert).map_err(|_| CUT_SHORT.to_owned())).collect()
}

/// `npyz` reads 16-bit floats only with another feature; two bytes each are soon read.
fn halves(file: NpyFile<&[u8]>, big_endian: bool) -> Result<Vec<f32>, String> {
    let count = file.len() as usize;
    let bytes = file.into_inner().get(..count * 2).ok_or(CUT_SHORT)?;
    let half = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if big_endian { f16::from_be_bytes(pair) } else { f16::from_le_bytes(pair) }
    };
    Ok(bytes.chunks_exact(2).map(|pair| half(pair).to_f32()).collect())
}

const CUT_SHORT: &str = "ends before its last number (is it whole?)";

/// From Fortran order (first index fastest) to C order (last index fastest).
fn row_by_row(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let source = |at: usize| {
        let index = unravel(at, shape);
        index.iter().zip(shape).rev().fold(0, |linear, (index, side)| linear * side + index)
    };
    (0..values.len()).map(|at| values[source(at)]).collect()
}

/// The index in each axis of the element at `at`, in C order.
fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, side) in index.iter_mut().zip(shape).rev() {
        *index = at % side;
        at /= side;
    }
    index
}

fn channels_first(values: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| values.iter().skip(channel).step_by(channels).copied()).collect()
}

#[cfg(test)]
#[path = "tensor_file_tests.rs"]
mod tests;
