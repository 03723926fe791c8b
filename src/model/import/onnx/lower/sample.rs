//! `GridSample`: values of a map at places between its cells, `[batch, rows, columns, 2]`, which count from -1 to 1 across the map.
//!
//! Places that are known are gathers and weights. Computed ones are products with tents: the weight of a cell falls linearly to zero
//! at a distance of one cell, which is bilinear interpolation, and the sum over cells is a matrix product. So the gradient reaches the
//! map and the places, as in PyTorch also where a place is the middle of a cell: the slope is that to the right.

use ndarray::{ArrayD, IxDyn};

use super::super::builder::{Builder, Tensor, Weight};
use super::super::constant::Constant;
use super::super::site::{Site, Value};
use super::operands::{one, scaled, shifted};
use super::pairs::plain;
use crate::card::Op;
use crate::error::Problem;

/// Beyond one cell a tent is zero; places farther away than this are brought here, so that the sum of its pieces stays exact.
const REACH: f64 = 1.5;

/// Keys' coefficient of PyTorch and ONNX.
const CUBIC: f64 = -0.75;

/// What is beyond the border.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Border {
    Zeros,
    Edge,
    Reflection,
}

/// Settings along one axis.
#[derive(Debug, Clone, Copy)]
struct Axis {
    cells: usize,
    corners: bool,
    border: Border,
}

/// `GridSample` of a picture.
pub(super) fn sample(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    if x.rank() != 4 {
        return Err(Problem::new(format!("samples a value of rank {}", x.rank()))
            .expected("[batch, channels, height, width]"));
    }
    let border = match site.text("padding_mode", "zeros")?.as_str() {
        "zeros" => Border::Zeros,
        "border" => Border::Edge,
        "reflection" => Border::Reflection,
        other => {
            return Err(Problem::new(format!("its 'padding_mode' is '{other}'"))
                .expected("zeros, border or reflection"));
        }
    };
    let corners = site.flag("align_corners")?;
    let axes = [x.side(2)?, x.side(3)?].map(|cells| Axis { cells, corners, border });
    let mode = site.text("mode", "bilinear")?;
    match site.input(1) {
        Some(Value::Constant(grid) | Value::Repeated(grid)) => one(known(builder, x, grid, axes, &mode)?),
        _ if border != Border::Reflection && matches!(mode.as_str(), "bilinear" | "linear") => {
            one(computed(builder, x, site.tensor(1)?, axes)?)
        }
        _ => Err(Problem::new(format!(
            "samples by '{mode}' at computed places, with what is beyond the border by {border:?}"
        ))
        .expected("bilinear, with zeros or the border's cells")
        .hint("sample with mode='bilinear' and padding_mode='zeros' or 'border'")),
    }
}

/// At places that depend on the picture.
fn computed(builder: &mut Builder, x: &Tensor, grid: &Tensor, axes: [Axis; 2]) -> Result<Tensor, Problem> {
    if grid.rank() != 4 || grid.side(3)? != 2 {
        return Err(Problem::new(format!("has places of shape {:?}", grid.shapes[0]))
            .expected("[batch, rows, columns, 2]"));
    }
    let [height, width] = axes;
    let (channels, rows, columns) = (x.side(1)?, grid.side(1)?, grid.side(2)?);
    let places = rows * columns;
    // Of the two numbers of a place the first is the column.
    let down = tents(builder, grid, 1, places, height)?;
    let across = tents(builder, grid, 0, places, width)?;
    let lines = builder.unary(Op::Transpose { perm: vec![0, 2, 1, 3] }, x)?;
    let shape = vec![0, height.cells as i64, (channels * width.cells) as i64];
    let lines = builder.unary(Op::Reshape { shape }, &lines)?;
    let lines = builder.emit(Op::Matmul {}, &[&down, &lines], vec![])?;
    let shape = vec![0, places as i64, channels as i64, width.cells as i64];
    let lines = builder.unary(Op::Reshape { shape }, &lines)?;
    let across = builder.unary(Op::Unsqueeze { axes: vec![2] }, &across)?;
    let cells = builder.emit(plain("Mul", None)?, &[&lines, &across], vec![])?;
    let values = builder.unary(Op::ReduceSum { axes: vec![3], keep_dims: false }, &cells)?;
    let values = builder.unary(Op::Transpose { perm: vec![0, 2, 1] }, &values)?;
    builder.unary(Op::Reshape { shape: vec![0, channels as i64, rows as i64, columns as i64] }, &values)
}

/// The weight of each cell along an axis for each place, `[batch, places, cells]`: with `d` the distance of the place from the cell,
/// `max(0, -1 - d) - 2 max(0, -d) + max(0, 1 - d)`, which is `1 - |d|` within one cell and 0 beyond.
fn tents(
    builder: &mut Builder,
    grid: &Tensor,
    of: usize,
    places: usize,
    axis: Axis,
) -> Result<Tensor, Problem> {
    let part = Op::Slice { axis: 3, start: of, end: of + 1, step: 1 };
    let part = builder.unary(part, grid)?;
    let part = builder.unary(Op::Reshape { shape: vec![0, places as i64, 1] }, &part)?;
    let [factor, shift] = axis.scale();
    let part = scaled(builder, &part, factor)?;
    let mut place = shifted(builder, &part, shift)?;
    if axis.border == Border::Edge {
        place = builder.unary(Op::Clip { min: 0.0, max: (axis.cells - 1) as f64 }, &place)?;
    }
    let cells = (0..axis.cells).map(|cell| cell as f32).collect();
    let cells =
        ArrayD::from_shape_vec(IxDyn(&[1, 1, axis.cells]), cells).map_err(|cause| cause.to_string())?;
    let cells = Weight { values: cells, source: String::new() };
    let distance = builder.emit(Op::Sub { scalar: None }, &[&place], vec![("other", cells)])?;
    let distance = builder.unary(Op::Clip { min: -REACH, max: REACH }, &distance)?;
    let minus = scaled(builder, &distance, -1.0)?;
    let ramp = |builder: &mut Builder, start: f64, height: f64| {
        let ramp = shifted(builder, &minus, start)?;
        let ramp = builder.unary(Op::Relu {}, &ramp)?;
        scaled(builder, &ramp, height)
    };
    let (rise, top, fall) = (ramp(builder, -1.0, 1.0)?, ramp(builder, 0.0, -2.0)?, ramp(builder, 1.0, 1.0)?);
    let sum = builder.emit(plain("Add", None)?, &[&rise, &top], vec![])?;
    builder.emit(plain("Add", None)?, &[&sum, &fall], vec![])
}

/// At places that are the same for every picture: cells by their indices, each with its weight.
fn known(
    builder: &mut Builder,
    x: &Tensor,
    grid: &Constant,
    axes: [Axis; 2],
    mode: &str,
) -> Result<Tensor, Problem> {
    let &[1, rows, columns, 2] = grid.shape() else {
        return Err(
            Problem::new(format!("has places of shape {:?}", grid.shape())).expected("[1, rows, columns, 2]")
        );
    };
    let grid = grid.floats()?;
    let numbers: Vec<f64> = grid.iter().map(|number| f64::from(*number)).collect();
    let of = |at: usize| -> Result<Vec<Vec<(usize, f64)>>, Problem> {
        numbers.chunks(2).map(|place| axes[1 - at].taps(place[at], mode)).collect()
    };
    let (across, down) = (of(0)?, of(1)?);
    let channels = x.side(1)?;
    let cells = (axes[0].cells * axes[1].cells) as i64;
    let flat = builder.unary(Op::Reshape { shape: vec![0, channels as i64, cells] }, x)?;
    let (taps, mut sum) = (across.first().map_or(0, Vec::len), None);
    for (row, column) in (0..taps * taps).map(|tap| (tap / taps, tap % taps)) {
        let pairs = || down.iter().zip(&across).map(|(down, across)| (down[row], across[column]));
        let indices = pairs().map(|((row, _), (column, _))| row * axes[1].cells + column).collect();
        let values = pairs().map(|((_, down), (_, across))| (down * across) as f32).collect();
        let values = ArrayD::from_shape_vec(IxDyn(&[1, 1, rows * columns]), values)
            .map_err(|cause| cause.to_string())?;
        let weight = Weight { values, source: String::new() };
        let part = builder.unary(Op::Gather { axis: 2, indices }, &flat)?;
        let part = builder.emit(plain("Mul", None)?, &[&part], vec![("other", weight)])?;
        sum = Some(match sum {
            Some(sum) => builder.emit(plain("Add", None)?, &[&sum, &part], vec![])?,
            None => part,
        });
    }
    let sum = sum.ok_or("has no places")?;
    builder.unary(Op::Reshape { shape: vec![0, channels as i64, rows as i64, columns as i64] }, &sum)
}

impl Axis {
    /// Factor and summand that bring -1 to 1 to cells.
    fn scale(self) -> [f64; 2] {
        let cells = self.cells as f64;
        match self.corners {
            true => [(cells - 1.0) / 2.0; 2],
            false => [cells / 2.0, (cells - 1.0) / 2.0],
        }
    }

    /// Cells with their weights for one place; a cell beyond a border of zeros has none.
    fn taps(self, number: f64, mode: &str) -> Result<Vec<(usize, f64)>, Problem> {
        let [factor, shift] = self.scale();
        let place = number * factor + shift;
        let (first, weights) = match mode {
            "nearest" => (self.inside(place).round_ties_even(), vec![1.0]),
            "bilinear" | "linear" => {
                let place = self.inside(place);
                let before = place.floor();
                (before, vec![1.0 - (place - before), place - before])
            }
            "bicubic" | "cubic" => {
                let before = place.floor();
                let weight = |tap: i32| cubic((place - before - f64::from(tap)).abs());
                (before - 1.0, [-1, 0, 1, 2].map(weight).to_vec())
            }
            other => {
                return Err(
                    Problem::new(format!("its 'mode' is '{other}'")).expected("bilinear, nearest or bicubic")
                );
            }
        };
        let tap = |(at, weight): (usize, f64)| {
            let cell = first + at as f64;
            let cell = if mode.ends_with("cubic") { self.inside(cell) } else { cell };
            let is_inside = (0.0..self.cells as f64).contains(&cell);
            if is_inside { (cell.round_ties_even() as usize, weight) } else { (0, 0.0) }
        };
        Ok(weights.into_iter().enumerate().map(tap).collect())
    }

    /// A place within the map, if what is beyond repeats the map.
    fn inside(self, place: f64) -> f64 {
        let last = (self.cells - 1) as f64;
        match self.border {
            Border::Zeros => place,
            Border::Edge => place.clamp(0.0, last),
            Border::Reflection => {
                let low = if self.corners { 0.0 } else { -0.5 };
                let span = last - 2.0 * low;
                if span == 0.0 {
                    return 0.0;
                }
                let beyond = (place - low).abs() % (2.0 * span);
                (low + beyond.min(2.0 * span - beyond)).clamp(0.0, last)
            }
        }
    }
}

/// Keys' cubic convolution kernel.
fn cubic(distance: f64) -> f64 {
    match distance {
        d if d < 1.0 => ((CUBIC + 2.0) * d - (CUBIC + 3.0)) * d * d + 1.0,
        d if d < 2.0 => ((CUBIC * d - 5.0 * CUBIC) * d + 8.0 * CUBIC) * d - 4.0 * CUBIC,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflected_places_come_back_at_the_border_or_at_the_middle_of_the_last_cell() {
        let axis = |corners| Axis { cells: 4, corners, border: Border::Reflection };
        // By hand: cells 0 to 3; between their middles a place of 4 is 2, between their outer borders it is 3.
        assert_eq!([4.0, -1.0, 7.0].map(|place| axis(true).inside(place)), [2.0, 1.0, 1.0]);
        assert_eq!([4.0, -1.0, 7.5].map(|place| axis(false).inside(place)), [3.0, 0.0, 0.0]);
    }

    #[test]
    fn weights_of_a_place_within_the_map_add_up_to_one() {
        for mode in ["nearest", "bilinear", "bicubic"] {
            let axis = Axis { cells: 5, corners: false, border: Border::Edge };
            for number in [-1.0, -0.31, 0.0, 0.77, 1.4] {
                let sum: f64 = axis.taps(number, mode).unwrap().iter().map(|(_, weight)| weight).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{mode} {number}: {sum}");
            }
        }
    }
}
