//! Pixels to bytes, some channels in one element.

use crate::kernels::gathered::Line;
use crate::simd::{Arguments, Compiled, InnerLoop, Int8, Simd};

/// The greatest byte.
const GREATEST: f32 = 255.0;
/// 1.5 times 2^23: a single has no bits left for a fraction here, so a sum with it is rounded to an integer, ties to even, which
/// stands in its lower bits.
pub(super) const INTEGERS: f32 = 12_582_912.0;

/// How the pixels of an image are quantised: `x = scale (q - zero)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixels {
    pub(super) scale: f32,
    inverse: f32,
    zero: i32,
}

impl Pixels {
    /// Of elements between these, which zero is, too.
    pub(super) fn new([low, high]: [f32; 2]) -> Self {
        let extent = high - low;
        // Without any extent all elements are zero.
        let inverse = if extent == 0.0 { 0.0 } else { GREATEST / extent };
        // A float to an integer saturates, so that even NaN gives a byte; what is not finite stays in the scale.
        let zero = (-low * inverse).round_ties_even() as i32;
        Self { scale: extent / GREATEST, inverse, zero: zero.clamp(0, GREATEST as i32) }
    }

    /// What the sums of a filter start from, whose weights have this sum: `-zero` times it, as bits.
    pub(super) fn start(self, sum: f32) -> f32 {
        f32::from_bits((sum as i32).wrapping_mul(-self.zero) as u32)
    }
}

/// What quantises a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Converter {
    Pairs(Compiled<Pairs>),
    Quads(Compiled<Quads>),
}

impl Converter {
    pub(super) fn new(int8: Int8) -> Self {
        match int8.channels() {
            2 => Self::Pairs(int8.compile::<Pairs>()),
            _ => Self::Quads(int8.compile::<Quads>()),
        }
    }

    /// Channels in an element.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Pairs(_) => 2,
            Self::Quads(_) => 4,
        }
    }

    pub(super) fn call(self, line: Line<'_>, pixels: Pixels) {
        match self {
            Self::Pairs(pairs) => pairs.call((line, pixels)),
            Self::Quads(quads) => quads.call((line, pixels)),
        }
    }
}

/// Eight channels in four elements of two.
#[derive(Debug)]
pub(super) struct Pairs;

/// Sixteen channels in four elements of four.
#[derive(Debug)]
pub(super) struct Quads;

impl Arguments for Pairs {
    type With<'a> = (Line<'a>, Pixels);
}

impl Arguments for Quads {
    type With<'a> = (Line<'a>, Pixels);
}

impl InnerLoop for Pairs {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(_: S, (line, pixels): (Line<'_>, Pixels)) {
        each(line, pixels, |bytes: [i32; 8]| bytemuck::cast(bytes.map(|byte| byte as i16)));
    }
}

impl InnerLoop for Quads {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(_: S, (line, pixels): (Line<'_>, Pixels)) {
        each(line, pixels, |bytes: [i32; 16]| bytemuck::cast(bytes.map(|byte| byte as u8)));
    }
}

/// Plain arrays, which the compiler vectorises for the instruction set that it is inlined into.
#[inline(always)]
fn each<const LANES: usize>(line: Line<'_>, p: Pixels, elements: impl Fn([i32; LANES]) -> [f32; 4]) {
    let shift = INTEGERS + p.zero as f32;
    for (pixel, y) in line.y.chunks_exact(4).take(line.pixels).enumerate() {
        let x = &line.x[pixel * line.x_pixel..][..LANES];
        let x: [f32; LANES] = std::array::from_fn(|lane| x[lane]);
        let byte = |x: f32| {
            let integer = (x * p.inverse + shift).to_bits() as i32 - INTEGERS.to_bits() as i32;
            // Lanes without a channel may hold anything.
            integer.clamp(0, GREATEST as i32)
        };
        y.iter().zip(elements(x.map(byte))).for_each(|(y, element)| y.set(element));
    }
}
