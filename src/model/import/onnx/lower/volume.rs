//! Convolutions over volumes, `[batch, channels, depth, height, width]`, whose window has one cell along an axis.
//!
//! Each place of that axis is then a picture of its own, and the convolution one over pictures. Lambda layers slide such a window over
//! positions, with the lambdas' numbers along the last axis. Windows over all three axes are refused.

use ndarray::Axis;

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{one, weight};
use super::window::{self, kernel_and_bias, padding_of};
use crate::card::Op;
use crate::error::Problem;

/// Axes of a volume before depth, height and width.
const FIRST: usize = 2;

/// `Conv`, of a volume or of what [`window`] takes.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    match site.input(0) {
        Some(Value::Tensor(x)) if x.rank() == 5 && !site.row => of_volume(builder, site, x),
        _ => window::conv(builder, site),
    }
}

fn of_volume(builder: &mut Builder, site: &Site, x: &Tensor) -> Result<Vec<Value>, Problem> {
    let Weight { mut values, source } = weight(site, 1)?;
    let window = Window::read(site, x, values.shape())?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    let flat = (0..3).rev().find(|axis| window.is_one_cell(*axis)).ok_or_else(|| {
        Problem::new(format!("slides a window of {:?} over a volume", window.kernel))
            .expected("one cell along one axis, which makes pictures of its places")
    })?;
    let [down, across] = [0, 1].map(|at| if at < flat { at } else { at + 1 });
    values = values.index_axis_move(Axis(FIRST + flat), 0);
    // The places are parts of their pictures, and for the convolution alone pictures.
    let perm = vec![0, FIRST + flat, 1, FIRST + down, FIRST + across];
    let turned = builder.unary(Op::Transpose { perm }, x)?;
    let sides = |shape: &[usize]| shape.iter().map(|side| *side as i64).collect::<Vec<_>>();
    let all = [vec![-1], sides(&turned.shapes[0][2..])].concat();
    let pictures = builder.unary(Op::Reshape { shape: all }, &turned)?;
    let pair = |three: [usize; 3]| [three[down], three[across]];
    let [[top, bottom], [left, right]] = [window.padding[down], window.padding[across]];
    let (stride, dilation) = (pair(window.stride), pair(window.dilation));
    let op = Op::Conv2d { stride, padding: [top, bottom, left, right], dilation, groups };
    let maps = builder.emit(op, &[&pictures], kernel_and_bias(site, Weight { values, source })?)?;
    let places = turned.shapes[0][1] as i64;
    let apart = [vec![-1, places], sides(&maps.shapes[0][1..])].concat();
    let apart = builder.unary(Op::Reshape { shape: apart }, &maps)?;
    let mut perm = vec![0, 2, 3, 4];
    perm.insert(FIRST + flat, 1);
    one(builder.unary(Op::Transpose { perm }, &apart)?)
}

/// Settings along depth, height and width.
struct Window {
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    /// Before and after.
    padding: [[usize; 2]; 3],
}

impl Window {
    fn read(site: &Site, x: &Tensor, weight: &[usize]) -> Result<Self, Problem> {
        let &[_, _, depth, height, width] = weight else {
            return Err(Problem::new(format!("works on a volume with a weight of shape {weight:?}"))
                .expected("five axes"));
        };
        let kernel = [depth, height, width];
        let stride = three(site, "strides")?;
        let dilation = three(site, "dilations")?;
        let padding = padding_of(site, x, kernel, stride, dilation)?;
        Ok(Self { kernel, stride, dilation, padding })
    }

    fn is_one_cell(&self, axis: usize) -> bool {
        (self.kernel[axis], self.stride[axis], self.padding[axis]) == (1, 1, [0, 0])
    }
}

/// Three positive numbers; 1 each if the file has none.
fn three(site: &Site, name: &str) -> Result<[usize; 3], Problem> {
    let Some(list) = site.ints(name)? else { return Ok([1; 3]) };
    let sizes: Vec<usize> = list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
    sizes.try_into().map_err(|_| Problem::new(format!("its '{name}' is {list:?}")).expected("three numbers"))
}
