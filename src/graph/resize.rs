//! The input cells of a resize for each output cell, and their weights, along one axis.
//!
//! Receives the settings of the operation, returns plain weights. These define a resize completely, because height
//! and width are resized one after the other. Importers compare conventions by them; the engine multiplies by them.

use crate::card::{CUBIC_A, Coordinates, ResizeMapping, ResizeMode, Rounding};

/// The input cells of an output cell with their weights.
pub type Taps = Vec<(usize, f32)>;

/// The settings of a resize.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// Nearest, bilinear or bicubic.
    pub mode: ResizeMode,
    /// First and last cells of input and output coincide.
    pub align_corners: bool,
    /// Conventions that the other settings cannot express.
    pub mapping: Option<&'a ResizeMapping>,
}

impl Rule<'_> {
    /// The taps of each cell of `output` along `axis`, 0 for height and 1 for width, of `input` cells.
    pub fn taps(&self, axis: usize, input: usize, output: usize) -> Vec<Taps> {
        match self.mapping {
            None => (0..output).map(|at| self.by_sizes(at, input, output)).collect(),
            Some(mapping) => {
                let axis = Axis { mapping, scale: mapping.scale[axis] as f32, input, output };
                (0..output).map(|at| axis.taps(self.mode, at)).collect()
            }
        }
    }

    /// Whether another rule has the same taps for every cell.
    pub fn is_same(&self, other: &Self, axis: usize, input: usize, output: usize) -> bool {
        // Larger than the rounding of a coordinate in single precision on the largest feature maps.
        const NEAR: f32 = 1e-5;
        let mut weights = vec![0.0_f32; input];
        let pairs = self.taps(axis, input, output).into_iter().zip(other.taps(axis, input, output));
        pairs.into_iter().all(|(taps, others)| {
            taps.iter().for_each(|(cell, weight)| weights[*cell] += weight);
            others.iter().for_each(|(cell, weight)| weights[*cell] -= weight);
            let cells = || taps.iter().chain(&others).map(|(cell, _)| *cell);
            let same = cells().all(|cell| weights[cell].abs() < NEAR);
            cells().for_each(|cell| weights[cell] = 0.0);
            same
        })
    }

    /// PyTorch's convention, in double precision.
    fn by_sizes(&self, at: usize, input: usize, output: usize) -> Taps {
        let place = match self.align_corners {
            true => at as f64 * (input - 1) as f64 / (output - 1).max(1) as f64,
            false => (at as f64 + 0.5) * input as f64 / output as f64 - 0.5,
        };
        match self.mode {
            ResizeMode::Nearest => vec![(at * input / output, 1.0)],
            ResizeMode::Bilinear => spread(input, place.max(0.0), [0, 1], |distance| 1.0 - distance),
            ResizeMode::Bicubic => spread(input, place, [-1, 0, 1, 2], |distance| cubic(distance, CUBIC_A)),
        }
    }
}

/// The cells at these offsets from the one before `place`; cells beyond the border are clamped to it.
fn spread<const TAPS: usize>(
    cells: usize,
    place: f64,
    offsets: [isize; TAPS],
    weight: impl Fn(f64) -> f64,
) -> Taps {
    let before = place.floor();
    let tap = |offset: isize| {
        let at = (before as isize + offset).clamp(0, cells as isize - 1);
        (at as usize, weight((place - before - offset as f64).abs()) as f32)
    };
    // Cells may repeat at the border; readers add up the weights of equal cells.
    offsets.map(tap).to_vec()
}

/// Keys' cubic convolution kernel.
fn cubic(distance: f64, a: f64) -> f64 {
    match distance {
        d if d < 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
        d if d < 2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
        _ => 0.0,
    }
}

/// Tolerance for a coordinate exactly between two cells; onnxruntime's value.
const HALF_WAY: f32 = 1e-6;

/// One axis under ONNX's conventions, in single precision as in onnxruntime, because rounding decides which cell is
/// nearest.
struct Axis<'a> {
    mapping: &'a ResizeMapping,
    scale: f32,
    input: usize,
    output: usize,
}

impl Axis<'_> {
    fn taps(&self, mode: ResizeMode, at: usize) -> Taps {
        let place = self.place(at as f32);
        match mode {
            ResizeMode::Nearest => vec![(self.nearest(place), 1.0)],
            _ if self.mapping.antialias => self.window(mode, at, place),
            ResizeMode::Bilinear => self.linear(place),
            ResizeMode::Bicubic => self.keys(place),
        }
    }

    /// The input coordinate of an output cell.
    fn place(&self, at: f32) -> f32 {
        let (scale, input, output) = (self.scale, self.input as f32, self.output as f32);
        // onnxruntime returns the cell itself, also where a convention would shift it (`tf_half_pixel_for_nn`).
        if scale == 1.0 {
            return at;
        }
        match self.mapping.coordinates {
            Coordinates::PytorchHalfPixel if self.output == 1 => 0.0,
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::TfHalfPixelForNn => (at + 0.5) / scale,
            Coordinates::Asymmetric => at / scale,
            Coordinates::AlignCorners if self.output == 1 => 0.0,
            Coordinates::AlignCorners => at * (input - 1.0) / (output - 1.0),
            // In double precision after the offset, as in onnxruntime, whose cells tests compare.
            Coordinates::HalfPixelSymmetric => {
                let offset = input / 2.0 * (1.0 - output / (scale * input));
                (f64::from(offset) + (f64::from(at) + 0.5) / f64::from(scale) - 0.5) as f32
            }
        }
    }

    fn nearest(&self, place: f32) -> usize {
        let shrinks = self.scale < 1.0;
        let is_half_way = (place - place.floor() - 0.5).abs() < HALF_WAY;
        let cell = match self.mapping.rounding {
            Rounding::RoundPreferFloor if is_half_way => place.floor(),
            Rounding::RoundPreferCeil if is_half_way => place.ceil(),
            Rounding::RoundPreferFloor | Rounding::RoundPreferCeil => place.round(),
            Rounding::Ceil => place.ceil(),
            Rounding::Simple if shrinks => place.ceil(),
            Rounding::Floor | Rounding::Simple => place.floor(),
        };
        (cell.max(0.0) as usize).min(self.input - 1)
    }

    fn linear(&self, place: f32) -> Taps {
        let place = place.clamp(0.0, (self.input - 1) as f32);
        let first = place as usize;
        let second = (first + 1).min(self.input - 1);
        if first == second {
            return vec![(first, 1.0)];
        }
        vec![(first, (place - second as f32).abs()), (second, (place - first as f32).abs())]
    }

    fn keys(&self, place: f32) -> Taps {
        let before = place.floor();
        let a = self.mapping.cubic_a;
        let tap = |offset: i64| {
            let weight = cubic(f64::from((place - before - offset as f32).abs()), a) as f32;
            (before as i64 + offset, weight)
        };
        self.bounded(&[-1, 0, 1, 2].map(tap), self.mapping.exclude_outside)
    }

    /// Cells beyond the border repeat it, or are dropped and the remaining weights scaled to a sum of 1.
    fn bounded(&self, taps: &[(i64, f32)], scaled: bool) -> Taps {
        let last = self.input as i64 - 1;
        let inside = |cell: &i64| !self.mapping.exclude_outside || (0..=last).contains(cell);
        let kept = || taps.iter().filter(|(cell, _)| inside(cell));
        let sum: f32 = if scaled { kept().map(|(_, weight)| weight).sum() } else { 1.0 };
        // No cell is inside: zeros stay zeros instead of NaN.
        let sum = if sum == 0.0 { 1.0 } else { sum };
        kept().map(|(cell, weight)| ((*cell).clamp(0, last) as usize, weight / sum)).collect()
    }

    /// A window widened by the factor by which the axis shrinks, with weights scaled to a sum of 1.
    fn window(&self, mode: ResizeMode, at: usize, place: f32) -> Taps {
        if self.input == self.output {
            return vec![(at, 1.0)];
        }
        // An axis that grows is not smoothed: its window keeps the kernel's own width.
        let narrow = self.scale.min(1.0);
        let reach = if mode == ResizeMode::Bicubic { 2.0 } else { 1.0 } / narrow;
        let centre = place + 0.5;
        let weight = |cell: i64| {
            let distance = f64::from(((cell as f32 - centre + 0.5) * narrow).abs());
            match mode {
                ResizeMode::Bicubic => cubic(distance, self.mapping.cubic_a) as f32,
                _ => (1.0 - distance).max(0.0) as f32,
            }
        };
        let ends = [centre - reach, centre + reach].map(|end| (end + 0.5).floor() as i64);
        let taps: Vec<(i64, f32)> = (ends[0]..ends[1]).map(|cell| (cell, weight(cell))).collect();
        self.bounded(&taps, true)
    }
}

/// Whether a scale can give `output` cells for `input`: rounded to nearest or down.
pub fn fits(mapping: &ResizeMapping, input: [usize; 2], output: [usize; 2]) -> bool {
    (0..2).all(|axis| {
        let exact = mapping.scale[axis] * input[axis] as f64;
        // Half a cell below for rounding to nearest, a whole one above for rounding down, and a hundredth for the
        // scale's own rounding.
        (output[axis] as f64 - 0.51..output[axis] as f64 + 1.01).contains(&exact)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of onnxruntime 1.32 where rounding moves a coordinate off the middle between two.
    #[test]
    fn a_place_half_way_up_to_rounding_is_half_way() {
        use Coordinates::{Asymmetric, HalfPixel, HalfPixelSymmetric};
        use Rounding::{RoundPreferCeil, RoundPreferFloor};
        for (coordinates, rounding, scale, input, at, cell) in [
            (HalfPixelSymmetric, RoundPreferCeil, 0.75, 2, 0, 1),
            (HalfPixelSymmetric, RoundPreferCeil, 1.8, 2, 1, 1),
            (HalfPixelSymmetric, RoundPreferFloor, 1.6, 6, 4, 2),
            (HalfPixel, RoundPreferFloor, 1.3, 16, 19, 14),
            (Asymmetric, RoundPreferCeil, 1.2, 9, 9, 8),
        ] {
            let mapping = ResizeMapping {
                coordinates,
                scale: [scale; 2],
                rounding,
                cubic_a: CUBIC_A,
                exclude_outside: false,
                antialias: false,
            };
            let output = (input as f64 * scale) as usize;
            let rule = Rule { mode: ResizeMode::Nearest, align_corners: false, mapping: Some(&mapping) };
            assert_eq!(
                rule.taps(0, input, output)[at],
                vec![(cell, 1.0)],
                "{coordinates:?} {rounding:?} {at}"
            );
        }
    }
}
