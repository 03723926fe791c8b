//! Networks in 8 bits, computed in real numbers.
//!
//! `QuantizeLinear` and `DequantizeLinear` around an operation only say how it may be rounded. Without the rounding, what is left
//! of the pair is the range that the integers have: exporters drop a ReLU whose zeros are that range's lower end.

use super::super::builder::Builder;
use super::super::quantised::{range, step_of};
use super::super::site::{Site, Value};
use super::operands::{one, scaled, shifted};
use crate::card::Op;
use crate::error::Problem;

/// `QuantizeLinear` of a computed tensor: it is clipped to what its integers can say.
pub(super) fn quantise(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let step = step_of(site)?;
    let [min, max] = range(site)?.map(|bound| step.real(bound));
    one(builder.unary(Op::Clip { min, max }, x)?)
}

/// `DequantizeLinear` of a tensor that is real numbers already: nothing, if the step is that of its integers.
pub(super) fn dequantise(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let own = step_of(site)?;
    let Some(step) = site.step else {
        let problem = Problem::new("reads a tensor that no QuantizeLinear gives");
        return Err(problem.expected("a QuantizeLinear before it"));
    };
    // An integer is `x / step.scale + step.zero`.
    let x = scaled(builder, x, own.scale / step.scale)?;
    one(shifted(builder, &x, (step.zero - own.zero) * own.scale)?)
}
