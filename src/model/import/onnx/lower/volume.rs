//! Convolutions and pools over volumes, `[batch, channels, depth, height, width]`, whose window has one cell along an axis.
//!
//! Each place of that axis is then a picture of its own, and the window one over pictures. Lambda layers slide such a window over
//! positions, with the lambdas' numbers along the last axis; PyTorch's local response norms have a pool along the channels alone. Windows over all three axes are refused.

use ndarray::Axis;

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{one, weight};
use super::window::{self, Window, kernel_and_bias, padding_of};
use crate::card::Op;
use crate::error::Problem;

/// Axes of a volume before depth, height and width.
const FIRST: usize = 2;

/// `Conv`, of a volume or of what [`window`] takes.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let Some(x) = volume(site) else { return window::conv(builder, site) };
    let Weight { mut values, source } = weight(site, 1)?;
    let &[_, _, depth, height, width] = values.shape() else {
        let problem = Problem::new(format!("works on a volume with a weight of shape {:?}", values.shape()));
        return Err(problem.expected("five axes"));
    };
    let window = Volume::read(site, x, [depth, height, width])?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    values = values.index_axis_move(Axis(FIRST + window.flat), 0);
    let weights = kernel_and_bias(site, Weight { values, source })?;
    by_pictures(builder, x, &window, |builder, pictures, Window { stride, padding, dilation, .. }| {
        builder.emit(Op::Conv2d { stride, padding, dilation, groups }, &[pictures], weights)
    })
}

/// `MaxPool`, of a volume or of what [`window`] takes.
pub(super) fn max_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    pool(builder, site, window::max_pool(site)?)
}

/// `AveragePool`, of a volume or of what [`window`] takes.
pub(super) fn average_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    pool(builder, site, window::average_pool(site)?)
}

fn pool(
    builder: &mut Builder,
    site: &Site,
    make: impl Fn(&Window, &Tensor) -> Result<Op, Problem>,
) -> Result<Vec<Value>, Problem> {
    let Some(x) = volume(site) else { return window::pool(builder, site, make) };
    let window = Volume::read(site, x, three(site, "kernel_shape")?)?;
    by_pictures(builder, x, &window, |builder, pictures, window| {
        builder.unary(make(&window, pictures)?, pictures)
    })
}

/// The volume that a node works on, if it works on one.
fn volume<'a>(site: &'a Site) -> Option<&'a Tensor> {
    match site.input(0) {
        Some(Value::Tensor(x)) if x.rank() == 5 && !site.row => Some(x),
        _ => None,
    }
}

/// Lowers what slides a window over a volume. `lower` gets the places of the axis along which the window has one cell, as pictures, and the window's
/// other two axes. The places are parts of their pictures, and for `lower` alone pictures.
fn by_pictures(
    builder: &mut Builder,
    x: &Tensor,
    window: &Volume,
    lower: impl FnOnce(&mut Builder, &Tensor, Window) -> Result<Tensor, Problem>,
) -> Result<Vec<Value>, Problem> {
    let flat = window.flat;
    let [down, across] = [0, 1].map(|at| if at < flat { at } else { at + 1 });
    let perm = vec![0, FIRST + flat, 1, FIRST + down, FIRST + across];
    let turned = builder.unary(Op::Transpose { perm }, x)?;
    let sides = |shape: &[usize]| shape.iter().map(|side| *side as i64).collect::<Vec<_>>();
    let all = [vec![-1], sides(&turned.shapes[0][2..])].concat();
    let pictures = builder.unary(Op::Reshape { shape: all }, &turned)?;
    let pair = |three: [usize; 3]| [three[down], three[across]];
    let [[top, bottom], [left, right]] = [window.padding[down], window.padding[across]];
    let plane = Window {
        kernel: pair(window.kernel),
        stride: pair(window.stride),
        dilation: pair(window.dilation),
        padding: [top, bottom, left, right],
    };
    let maps = lower(builder, &pictures, plane)?;
    let places = turned.shapes[0][1] as i64;
    let apart = [vec![-1, places], sides(&maps.shapes[0][1..])].concat();
    let apart = builder.unary(Op::Reshape { shape: apart }, &maps)?;
    let mut perm = vec![0, 2, 3, 4];
    perm.insert(FIRST + flat, 1);
    one(builder.unary(Op::Transpose { perm }, &apart)?)
}

/// A window's settings along depth, height and width.
struct Volume {
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    /// Before and after.
    padding: [[usize; 2]; 3],
    /// The last axis along which it has one cell.
    flat: usize,
}

impl Volume {
    fn read(site: &Site, x: &Tensor, kernel: [usize; 3]) -> Result<Self, Problem> {
        let stride = three(site, "strides")?;
        let dilation = three(site, "dilations")?;
        let padding = padding_of(site, x, kernel, stride, dilation)?;
        let is_one_cell = |axis: &usize| (kernel[*axis], stride[*axis], padding[*axis]) == (1, 1, [0, 0]);
        let flat = (0..3).rev().find(is_one_cell).ok_or_else(|| {
            Problem::new(format!("slides a window of {kernel:?} over a volume"))
                .expected("one cell along one axis, which makes pictures of its places")
        })?;
        Ok(Self { kernel, stride, dilation, padding, flat })
    }
}

/// Three positive numbers; 1 each if the file has none.
fn three(site: &Site, name: &str) -> Result<[usize; 3], Problem> {
    let Some(list) = site.ints(name)? else { return Ok([1; 3]) };
    let sizes: Vec<usize> = list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
    sizes.try_into().map_err(|_| Problem::new(format!("its '{name}' is {list:?}")).expected("three numbers"))
}
