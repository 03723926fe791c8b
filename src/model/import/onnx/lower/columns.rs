//! Columns of overlapping windows added up where they came from.

use super::super::builder::{Builder, Weight};
use super::super::site::{Site, Value};
use super::operands::one;
use crate::card::Op;
use crate::error::Problem;

/// `Col2Im`: columns of overlapping windows added up where they came from. That is a transposed convolution whose kernel puts
/// every row of the columns at its place in the window.
pub(super) fn columns(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let (size, kernel) = (pair(site, 1, "image shape")?, pair(site, 2, "block shape")?);
    let (stride, dilation) = (site.pair("strides", Some([1, 1]))?, site.pair("dilations", Some([1, 1]))?);
    let pads = site.ints("pads")?.unwrap_or_else(|| vec![0; 4]);
    let pads: Vec<usize> = pads.iter().filter_map(|side| usize::try_from(*side).ok()).collect();
    let &[top, left, bottom, right] = &pads[..] else {
        return Err("its pads are not four numbers from 0".into());
    };
    let (rows, area) = (x.side(1)?, kernel[0] * kernel[1]);
    if area == 0 || !rows.is_multiple_of(area) || stride.contains(&0) {
        return Err(Problem::new(format!("puts {rows} rows into windows of {kernel:?}")));
    }
    let places = |axis: usize, before: usize, behind: usize| {
        let reach = dilation[axis] * (kernel[axis] - 1) + 1;
        (size[axis] + before + behind)
            .checked_sub(reach)
            .map(|room| (room / stride[axis] + 1, room % stride[axis]))
    };
    let (Some((height, below)), Some((width, right_of))) = (places(0, top, bottom), places(1, left, right))
    else {
        return Err("has windows larger than its picture".into());
    };
    let shape = vec![0, rows as i64, height as i64, width as i64];
    let grid = builder.unary(Op::Reshape { shape }, x)?;
    let weight = every_place(rows, kernel);
    let op = Op::ConvTranspose2d {
        stride,
        padding: [top, bottom, left, right],
        // What no window reaches.
        output_padding: [below, right_of],
        dilation,
        groups: rows / area,
    };
    one(builder.emit(op, &[&grid], vec![("weight", weight)])?)
}

/// Two sizes in input `at`.
fn pair(site: &Site, at: usize, name: &str) -> Result<[usize; 2], Problem> {
    let sizes = site.constant(at)?.ints()?;
    let sizes: Vec<usize> = sizes.iter().filter_map(|side| usize::try_from(*side).ok()).collect();
    let refuse = |_| Problem::new(format!("its {name} is not that of a picture")).expected("two numbers");
    sizes.try_into().map_err(refuse)
}

/// A kernel for each row of the columns: 1 at the row's place in the window.
fn every_place(rows: usize, kernel: [usize; 2]) -> Weight {
    let mut values = ndarray::ArrayD::zeros(vec![rows, 1, kernel[0], kernel[1]]);
    for row in 0..rows {
        values[[row, 0, row % (kernel[0] * kernel[1]) / kernel[1], row % kernel[1]]] = 1.0;
    }
    Weight { values, source: String::new() }
}
