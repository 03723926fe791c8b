//! Activations that Burn writes with masks: softplus, and with it Mish, ELU, CELU and SELU.
//!
//! Receives recorded operations; gives, for each selection by a mask that ends such a formula, the card's operation that does the
//! same. Cards have no masks, so the formula is recognised here, in Burn's own terms, and not by the passes of the graph.

use std::collections::HashMap;

use burn::backend::capture::TensorId;
use burn::backend::ir::{
    BaseOperationIr, FloatOperationIr, MaskWhereOpIr, NumericOperationIr, OperationIr, TensorIr,
};

use super::translate::number;
use crate::card::Op;

/// From this exponent on `ln(1 + e^x)` is `x` in single precision, so a formula that takes `x` there is softplus. Burn does from
/// 20 on.
const SATURATED: f64 = 15.0;

/// Constants that programs write with different numbers of digits.
const NEAR: f64 = 1e-6;

/// Factors of SELU: of positive values, and of `e^x - 1`.
const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.673_263_242_354_377_2 * 1.050_700_987_355_480_5];

/// What a formula with masks does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Masked {
    pub(super) input: TensorIr,
    /// The function takes the input times this; one for most.
    pub(super) before: f64,
    /// A function of one element.
    pub(super) op: Op,
    /// Its value is multiplied by this.
    pub(super) after: f64,
}

/// The formulas by the tensors that they end in.
pub(super) fn find(operations: &[OperationIr]) -> HashMap<TensorId, Masked> {
    let made =
        operations.iter().flat_map(|operation| operation.outputs().map(move |out| (out.id, operation)));
    let formulas = Formulas { made: made.collect() };
    let selections = operations.iter().filter_map(|operation| match operation {
        OperationIr::BaseFloat(BaseOperationIr::MaskWhere(it)) => Some(it),
        _ => None,
    });
    selections.filter_map(|it| Some((it.out.id, formulas.read(it)?))).collect()
}

struct Formulas<'a> {
    /// The operation that made each tensor.
    made: HashMap<TensorId, &'a OperationIr>,
}

impl<'a> Formulas<'a> {
    fn read(&self, selection: &'a MaskWhereOpIr) -> Option<Masked> {
        self.softplus(selection).or_else(|| self.elu(selection)).or_else(|| self.selu(selection))
    }

    /// `ln(1 + e^(b x)) / b`, and `x` where `b x` is above a threshold; the exponent is also limited to that.
    fn softplus(&self, it: &'a MaskWhereOpIr) -> Option<Masked> {
        let NumericOperationIr::GreaterElem(above) = self.numeric(&it.mask)? else { return None };
        let (x, factor) = self.scaled(&above.lhs);
        let threshold = number(above.rhs);
        let (logarithm, divisor) = self.divided(&it.tensor);
        let FloatOperationIr::Log1p(log) = self.float(logarithm)? else { return None };
        let BaseOperationIr::MaskFill(limited) = self.base(self.power(&log.input)?)? else { return None };
        let is_softplus = x.id == it.value.id
            && limited.mask.id == it.mask.id
            && limited.tensor.id == above.lhs.id
            && number(limited.value) == threshold
            && divisor == factor
            && threshold >= SATURATED;
        let (before, after) = (factor, 1.0 / factor);
        is_softplus.then(|| Masked { input: it.value.clone(), before, op: Op::Softplus {}, after })
    }

    /// `a (e^(x / d) - 1)` where `x` is not positive, otherwise `x`: ELU, or with `a = d` CELU.
    fn elu(&self, it: &'a MaskWhereOpIr) -> Option<Masked> {
        let NumericOperationIr::LowerEqualElem(below) = self.numeric(&it.mask)? else { return None };
        let (exponent, alpha) = self.exponential(&it.value)?;
        let (x, divisor) = self.divided(exponent);
        let (before, alpha, after) = match divisor {
            1.0 => (1.0, alpha, 1.0),
            divisor if divisor == alpha => (1.0 / alpha, 1.0, alpha),
            _ => return None,
        };
        let is_elu = [x.id, below.lhs.id] == [it.tensor.id; 2] && number(below.rhs) == 0.0;
        is_elu.then(|| Masked { input: it.tensor.clone(), before, op: Op::Elu { alpha }, after })
    }

    /// `l x` where `x` is positive or zero, otherwise `l a (e^x - 1)`, with the constants of the paper.
    fn selu(&self, it: &'a MaskWhereOpIr) -> Option<Masked> {
        let NumericOperationIr::GreaterEqualElem(above) = self.numeric(&it.mask)? else { return None };
        let (x, positive) = self.scaled(&it.value);
        let (exponent, negative) = self.exponential(&it.tensor)?;
        let is_near = |(found, expected): (f64, f64)| (found - expected).abs() < NEAR;
        let is_selu = [exponent.id, above.lhs.id] == [x.id; 2]
            && number(above.rhs) == 0.0
            && [positive, negative].into_iter().zip(SELU).all(is_near);
        is_selu.then(|| Masked { input: x.clone(), before: 1.0, op: Op::Selu {}, after: 1.0 })
    }

    /// `x` and `a` of `a (e^x - 1)`.
    fn exponential(&self, tensor: &'a TensorIr) -> Option<(&'a TensorIr, f64)> {
        let (rest, factor) = self.scaled(tensor);
        let NumericOperationIr::SubScalar(it) = self.numeric(rest)? else { return None };
        (number(it.rhs) == 1.0).then_some((self.power(&it.lhs)?, factor))
    }

    /// `x` of `e^x`.
    fn power(&self, tensor: &TensorIr) -> Option<&'a TensorIr> {
        let FloatOperationIr::Exp(it) = self.float(tensor)? else { return None };
        Some(&it.input)
    }

    /// What a tensor is a multiple of; itself times one, if it is not.
    fn scaled(&self, tensor: &'a TensorIr) -> (&'a TensorIr, f64) {
        match self.numeric(tensor) {
            Some(NumericOperationIr::MulScalar(it)) => (&it.lhs, number(it.rhs)),
            _ => (tensor, 1.0),
        }
    }

    /// What a tensor is a fraction of; itself over one, if it is not.
    fn divided(&self, tensor: &'a TensorIr) -> (&'a TensorIr, f64) {
        match self.numeric(tensor) {
            Some(NumericOperationIr::DivScalar(it)) => (&it.lhs, number(it.rhs)),
            _ => (tensor, 1.0),
        }
    }

    fn numeric(&self, tensor: &TensorIr) -> Option<&'a NumericOperationIr> {
        match self.made.get(&tensor.id)? {
            OperationIr::NumericFloat(_, operation) => Some(operation),
            _ => None,
        }
    }

    fn float(&self, tensor: &TensorIr) -> Option<&'a FloatOperationIr> {
        match self.made.get(&tensor.id)? {
            OperationIr::Float(_, operation) => Some(operation),
            _ => None,
        }
    }

    fn base(&self, tensor: &TensorIr) -> Option<&'a BaseOperationIr> {
        match self.made.get(&tensor.id)? {
            OperationIr::BaseFloat(operation) => Some(operation),
            _ => None,
        }
    }
}
