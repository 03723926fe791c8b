//! Networks in 8 bits, computed in real numbers.
//!
//! `QuantizeLinear` and `DequantizeLinear` around an operation only say how it may be rounded. Without the rounding, what is left
//! of the pair is the range that the integers have: exporters drop a ReLU whose zeros are that range's lower end.

use super::super::builder::Builder;
use super::super::constant::Constant;
use super::super::site::{Site, Value};
use super::operands::one;
use crate::card::Op;
use crate::error::Problem;

/// `QuantizeLinear` of a computed tensor: it is clipped to what its integers can say.
pub(super) fn quantise(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let number = |at: usize, default: f64| -> Result<f64, Problem> {
        let known = site.optional(at)?.map(|constant| constant.scalar());
        known.unwrap_or(Some(default)).ok_or_else(|| {
            Problem::new("has a step for each channel of a computed tensor").expected("one for all of it")
        })
    };
    let (scale, zero) = (number(1, 1.0)?, number(2, 0.0)?);
    let kind = site.node.input.get(2).and_then(|name| site.written.get(name.as_str()));
    let [least, most] = match kind {
        None | Some(2) => [0.0, 255.0],
        Some(3) => [-128.0, 127.0],
        Some(4) => [0.0, 65_535.0],
        Some(5) => [-32_768.0, 32_767.0],
        Some(other) => {
            return Err(Problem::new(format!("rounds to type {other}")).expected("8- or 16-bit integers"));
        }
    };
    one(builder.unary(Op::Clip { min: (least - zero) * scale, max: (most - zero) * scale }, x)?)
}

/// `DequantizeLinear` of a tensor that [`quantise`] left in real numbers.
pub(super) fn dequantise(_: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let name = site.node.input.first().ok_or("has no input")?;
    let mut nodes = site.source.graph.node.iter();
    let giver = nodes.find(|node| node.output.contains(name));
    let same = giver.filter(|node| node.op_type == "QuantizeLinear").is_some_and(|giver| {
        (1..3).all(|at| {
            let (own, other) = (site.node.input.get(at), giver.input.get(at));
            own == other || known(site, own) == known(site, other)
        })
    });
    if !same {
        return Err(Problem::new("undoes another rounding than the node before it")
            .expected("a pair with the same step"));
    }
    one(site.tensor(0)?.clone())
}

/// The stored value of a name.
fn known(site: &Site, name: Option<&String>) -> Option<Constant> {
    let mut stored = site.source.graph.initializer.iter();
    let tensor = stored.find(|tensor| Some(&tensor.name) == name)?;
    site.source.constant(tensor).ok()
}
