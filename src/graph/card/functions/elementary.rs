//! Entries of the table for elementary functions, and the ranges that entries share.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::numbers::erf;
use super::{Entry, Settings};
use crate::card::Op;

pub(super) const ANY: fn(Settings) -> [f64; 2] = |_| [f64::NEG_INFINITY, f64::INFINITY];
pub(super) const NOT_NEGATIVE: fn(Settings) -> [f64; 2] = |_| [0.0, f64::INFINITY];
pub(super) const UNIT: fn(Settings) -> [f64; 2] = |_| [0.0, 1.0];
pub(super) const SIGNED_UNIT: fn(Settings) -> [f64; 2] = |_| [-1.0, 1.0];

pub(in crate::card) static EXP: Entry = Entry {
    onnx: Some(("Exp", &[])),
    op: |_| Op::Exp {},
    value: |x, _| x.exp(),
    slope: |x, _| x.exp(),
    curvature: |x, _| x.exp(),
    range: NOT_NEGATIVE,
    kernel: None,
};

pub(in crate::card) static SQRT: Entry = Entry {
    onnx: Some(("Sqrt", &[])),
    op: |_| Op::Sqrt { of_squares: false },
    value: |x, _| x.sqrt(),
    slope: |x, _| 0.5 / x.sqrt(),
    curvature: |x, _| -0.25 / (x * x.sqrt()),
    range: NOT_NEGATIVE,
    kernel: None,
};

/// The root of a sum of squares, whose slope at zero PyTorch takes as zero.
pub(in crate::card) static LENGTH: Entry = Entry {
    onnx: None,
    op: |_| Op::Sqrt { of_squares: true },
    value: |x, _| x.sqrt(),
    slope: |x, _| if x == 0.0 { 0.0 } else { 0.5 / x.sqrt() },
    curvature: |x, _| if x == 0.0 { 0.0 } else { -0.25 / (x * x.sqrt()) },
    range: NOT_NEGATIVE,
    kernel: None,
};

pub(in crate::card) static LOG: Entry = Entry {
    onnx: Some(("Log", &[])),
    op: |_| Op::Log {},
    value: |x, _| x.ln(),
    slope: |x, _| x.recip(),
    curvature: |x, _| -(x * x).recip(),
    range: ANY,
    kernel: None,
};

pub(in crate::card) static ABS: Entry = Entry {
    onnx: Some(("Abs", &[])),
    op: |_| Op::Abs {},
    value: |x, _| x.abs(),
    slope: |x, _| if x == 0.0 { 0.0 } else { x.signum() },
    curvature: |_, _| 0.0,
    range: NOT_NEGATIVE,
    kernel: None,
};

pub(in crate::card) static SIGN: Entry = Entry {
    onnx: Some(("Sign", &[])),
    op: |_| Op::Sign {},
    value: |x, _| if x == 0.0 { 0.0 } else { x.signum() },
    slope: |_, _| 0.0,
    curvature: |_, _| 0.0,
    range: SIGNED_UNIT,
    kernel: None,
};

pub(in crate::card) static ERF: Entry = Entry {
    onnx: Some(("Erf", &[])),
    op: |_| Op::Erf {},
    value: |x, _| erf(x),
    slope: |x, _| FRAC_2_SQRT_PI * (-x * x).exp(),
    curvature: |x, _| -2.0 * x * FRAC_2_SQRT_PI * (-x * x).exp(),
    range: SIGNED_UNIT,
    kernel: None,
};

pub(in crate::card) static SIN: Entry = Entry {
    onnx: Some(("Sin", &[])),
    op: |_| Op::Sin {},
    value: |x, _| x.sin(),
    slope: |x, _| x.cos(),
    curvature: |x, _| -x.sin(),
    range: SIGNED_UNIT,
    kernel: None,
};

pub(in crate::card) static COS: Entry = Entry {
    onnx: Some(("Cos", &[])),
    op: |_| Op::Cos {},
    value: |x, _| x.cos(),
    slope: |x, _| -x.sin(),
    curvature: |x, _| -x.cos(),
    range: SIGNED_UNIT,
    kernel: None,
};

pub(in crate::card) static POW: Entry = Entry {
    // Its exponent is an input, which is the importer's to read.
    onnx: None,
    op: |[exponent, _]| Op::Pow { exponent },
    value: |x, [exponent, _]| x.powf(exponent),
    slope: |x, [exponent, _]| match exponent {
        // Not 0 times x^-1, which is NaN at zero.
        0.0 => 0.0,
        _ => exponent * x.powf(exponent - 1.0),
    },
    curvature: |x, [exponent, _]| match exponent {
        0.0 | 1.0 => 0.0,
        _ => exponent * (exponent - 1.0) * x.powf(exponent - 2.0),
    },
    // Only an even power cannot be negative for a negative base.
    range: |[exponent, _]| match exponent % 2.0 {
        0.0 => [0.0, f64::INFINITY],
        _ => [f64::NEG_INFINITY, f64::INFINITY],
    },
    kernel: None,
};
