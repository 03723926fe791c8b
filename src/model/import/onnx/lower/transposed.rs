//! Transposed convolution.

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{listed, one};
use super::window::kernel;
use crate::card::Op;
use crate::error::Problem;

/// Settings along one axis.
#[derive(Debug, Clone, Copy)]
struct Side {
    stride: usize,
    dilation: usize,
    padding: [usize; 2],
    output_padding: usize,
}

/// `ConvTranspose`.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let kernel = kernel(site, x)?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    // Of a sequence the file says nothing of the row.
    let first = usize::from(site.row);
    let mut sides = sides(site, x, 2 + first, &kernel.values.shape()[2 + first..])?;
    if site.row {
        sides.insert(0, Side { stride: 1, dilation: 1, padding: [0; 2], output_padding: 0 });
    }
    let &[height, width] = &sides[..] else { return Err("needs a kernel of two sides".into()) };
    let op = Op::ConvTranspose2d {
        stride: [height.stride, width.stride],
        padding: [height.padding[0], height.padding[1], width.padding[0], width.padding[1]],
        output_padding: [height.output_padding, width.output_padding],
        dilation: [height.dilation, width.dilation],
        groups,
    };
    let out = kernel.values.shape()[1].saturating_mul(groups);
    let bias: Option<Weight> = listed(site, 2, out)?;
    let weights = std::iter::once(("weight", kernel)).chain(bias.map(|bias| ("bias", bias))).collect();
    one(builder.emit(op, &[x], weights)?)
}

/// The settings along each axis from `first` on. `output_shape` and `auto_pad` follow from the size of the input.
fn sides(site: &Site, x: &Tensor, first: usize, kernel: &[usize]) -> Result<Vec<Side>, Problem> {
    let count = kernel.len();
    let numbers =
        |name: &str, default: usize, count: usize| -> Result<Vec<usize>, Problem> {
            let Some(list) = site.ints(name)? else { return Ok(vec![default; count]) };
            let sizes: Vec<usize> = list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
            match sizes.len() == count {
                true => Ok(sizes),
                false => Err(Problem::new(format!("its '{name}' is {list:?}"))
                    .expected(format!("{count} numbers from 0"))),
            }
        };
    let (strides, dilations) = (numbers("strides", 1, count)?, numbers("dilations", 1, count)?);
    let (extra, pads) = (numbers("output_padding", 0, count)?, numbers("pads", 0, 2 * count)?);
    let (automatic, wanted) = output_shape(site, x, first, &strides)?;
    let mut sides = Vec::with_capacity(count);
    for axis in 0..count {
        let padding = match &wanted {
            None => [pads[axis], pads[count + axis]],
            Some(shape) => {
                let reach = dilations[axis] * kernel[axis].saturating_sub(1) + 1 + extra[axis];
                let whole = strides[axis] * (x.side(axis + first)?.saturating_sub(1)) + reach;
                let size =
                    shape.iter().rev().nth(count - 1 - axis).and_then(|side| usize::try_from(*side).ok());
                let total = size.and_then(|size| whole.checked_sub(size));
                let total =
                    total.ok_or_else(|| Problem::new("has an output that its window does not reach"))?;
                let (less, more) = (total / 2, total - total / 2);
                if automatic == "SAME_UPPER" { [less, more] } else { [more, less] }
            }
        };
        let (stride, dilation, output_padding) = (strides[axis], dilations[axis], extra[axis]);
        sides.push(Side { stride, dilation, padding, output_padding });
    }
    Ok(sides)
}

/// The sizes of the output, where the file says them or `auto_pad` does, and `auto_pad`.
fn output_shape(
    site: &Site,
    x: &Tensor,
    first: usize,
    strides: &[usize],
) -> Result<(String, Option<Vec<i64>>), Problem> {
    let count = strides.len();
    let automatic = site.text("auto_pad", "NOTSET")?;
    let wanted = match (site.ints("output_shape")?, automatic.as_str()) {
        (Some(shape), _) => Some(shape),
        (None, "SAME_UPPER" | "SAME_LOWER") => {
            let side = |axis: usize| Ok::<_, Problem>((x.side(axis + first)? * strides[axis]) as i64);
            Some((0..count).map(side).collect::<Result<_, _>>()?)
        }
        (None, "NOTSET" | "VALID") => None,
        (None, other) => {
            return Err(Problem::new(format!("its 'auto_pad' is '{other}'"))
                .expected("NOTSET, VALID, SAME_UPPER or SAME_LOWER"));
        }
    };
    Ok((automatic, wanted))
}
