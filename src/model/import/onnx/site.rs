//! An ONNX node with its attributes and inputs, and accessors that report clear errors.

use std::collections::HashMap;
use std::rc::Rc;

use ndarray::ArrayD;

use super::builder::Tensor;
use super::chosen::Chosen;
use super::constant::Constant;
use super::file::Source;
use super::messages::{AttributeProto, NodeProto, TensorProto};
use super::step::Step;
use crate::error::Problem;

/// The value of an ONNX name.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Numbers known at import.
    Constant(Rc<Constant>),
    /// The output of a node of the graph.
    Tensor(Tensor),
    /// The numbers of a whole batch as one vector. Exporters only use it to rearrange the numbers of one picture.
    Row(Tensor),
    /// A value with all axes but the last combined: a list of rows, as matrix products use.
    Rows(Tensor),
    /// A sequence, `[batch, channels, length]` in the file, which the graph has as a picture of one row.
    Sequence(Tensor),
    /// A tensor in which the file counts the axis of the pictures and the one after it as one: windows, heads or groups of every
    /// picture.
    Merged(Tensor),
    /// A constant that is the same for every picture, although the file repeats it: one row of it.
    Repeated(Rc<Constant>),
    /// A constant with the length of the batch, or one that differs between the two batch sizes.
    PerBatch(Rc<[Constant; 2]>),
    /// A sequence of values.
    List(Vec<Value>),
    /// Indices that `TopK` gives.
    Chosen(Chosen),
}

impl Value {
    /// Whether it does not depend on the picture.
    pub(super) fn is_known(&self) -> bool {
        matches!(self, Self::Constant(_) | Self::Repeated(_) | Self::PerBatch(_))
    }
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Self {
        Self::Constant(Rc::new(constant))
    }
}

/// A node, its inputs and the version of the operator set.
pub(super) struct Site<'a> {
    pub(super) node: &'a NodeProto,
    pub(super) source: &'a Source,
    pub(super) opset: i64,
    /// The `TensorProto.DataType` code of every constant whose type the file states.
    pub(super) written: &'a HashMap<&'a str, i32>,
    /// `None` for an omitted optional input.
    pub(super) inputs: Vec<Option<Value>>,
    /// The names of the inputs; for a rearranged weight, the name of the weight.
    pub(super) sources: Vec<&'a str>,
    /// Where the pictures are in computed inputs that have an axis more than in the file: see [`Value::Merged`].
    pub(super) merged: Option<usize>,
    /// Computed inputs are pictures of one row, which the file has without the axis of rows: see [`Value::Sequence`].
    pub(super) row: bool,
    /// What the integers of the inputs stand for, where the file has integers and the graph real numbers.
    pub(super) step: Option<Step>,
}

impl<'a> Site<'a> {
    /// The name of the only weight in its result, if there is exactly one.
    pub(super) fn named_weight(&self) -> Option<&'a str> {
        let list = |value: &Option<Value>| match value {
            Some(Value::Constant(constant)) => matches!(**constant, Constant::Float(_)) && constant.len() > 1,
            _ => false,
        };
        let mut weights = self.inputs.iter().zip(&self.sources).filter(|(value, _)| list(value));
        match (weights.next(), weights.next()) {
            (Some((_, name)), None) => Some(name),
            _ => None,
        }
    }

    pub(super) fn op(&self) -> &str {
        &self.node.op_type
    }

    /// Input `at`, if present.
    pub(super) fn input(&self, at: usize) -> Option<&Value> {
        self.inputs.get(at).and_then(Option::as_ref)
    }

    /// Input `at`, which must be computed by the graph.
    pub(super) fn tensor(&self, at: usize) -> Result<&Tensor, Problem> {
        match self.input(at) {
            Some(Value::Tensor(tensor)) => Ok(tensor),
            Some(known @ (Value::Constant(_) | Value::Repeated(_) | Value::PerBatch(_))) => {
                let more = match known {
                    Value::Repeated(_) => " for each picture",
                    Value::PerBatch(_) => " that depends on the batch size",
                    _ => "",
                };
                let problem = Problem::new(format!("its input {at} is a constant{more}"));
                Err(problem.expected("a computed value"))
            }
            Some(Value::Rows(_) | Value::Merged(_)) => {
                Err("mixes the pictures of a batch: all its places are in one list".into())
            }
            Some(Value::Sequence(_)) => Err(Problem::new(format!("its input {at} is a sequence"))
                .expected("an operation that works on sequences")),
            Some(Value::Chosen(_)) => Err("works on the indices of TopK".into()),
            Some(Value::Row(_)) => Err("mixes the pictures of a batch: all numbers are in a row".into()),
            Some(Value::List(_)) => {
                Err(Problem::new(format!("its input {at} is a list of values")).expected("one"))
            }
            None => Err(Problem::new(format!("its input {at} is missing"))),
        }
    }

    /// Input `at` if present; it must be known.
    pub(super) fn optional(&self, at: usize) -> Result<Option<&Constant>, Problem> {
        match self.input(at) {
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(Value::Repeated(_) | Value::PerBatch(_)) => Err(Problem::new(format!(
                "its input {at} ('{}') depends on the batch size",
                self.node.input[at]
            ))
            .expected("a fixed constant")),
            Some(_) => Err(Problem::new(format!(
                "its input {at} ('{}') is computed while running",
                self.node.input[at]
            ))
            .expected("a constant")),
            None => Ok(None),
        }
    }

    /// Input `at`, which must be known.
    pub(super) fn constant(&self, at: usize) -> Result<&Constant, Problem> {
        self.optional(at)?.ok_or_else(|| Problem::new(format!("its input {at} is missing")))
    }

    /// Input `at` as real numbers.
    pub(super) fn floats(&self, at: usize) -> Result<ArrayD<f32>, Problem> {
        self.constant(at)?.floats().map_err(|problem| problem.after(format!("its input {at} ")))
    }

    /// A setting that is the attribute `name` in older operator sets and input `at` in newer ones.
    pub(super) fn ints_of(&self, name: &str, at: usize) -> Result<Option<Vec<i64>>, Problem> {
        if let Some(list) = self.ints(name)? {
            return Ok(Some(list));
        }
        let read =
            |constant: &Constant| constant.ints().map_err(|problem| problem.after(format!("its '{name}' ")));
        self.optional(at)?.map(read).transpose()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// An attribute; if its type is stated, it must have code `kind` of `AttributeProto.AttributeType`.
    fn typed(&self, name: &str, kind: i32) -> Result<Option<&AttributeProto>, Problem> {
        match self.attribute(name) {
            Some(attribute) if ![0, kind].contains(&attribute.kind) => {
                Err(Problem::new(format!("its attribute '{name}' has the wrong type")))
            }
            Some(attribute) if !attribute.ref_attr_name.is_empty() => Err(Problem::new(format!(
                "its attribute '{name}' belongs to a function, which is not supported"
            ))),
            found => Ok(found),
        }
    }

    /// A tensor in an attribute.
    pub(super) fn held(&self, name: &str) -> Result<Option<Constant>, Problem> {
        let none = TensorProto::default();
        let tensor = self.typed(name, 4)?.map(|attribute| attribute.t.as_ref().unwrap_or(&none));
        tensor.map(|tensor| self.source.constant(tensor)).transpose()
    }

    /// A list of real numbers in an attribute.
    pub(super) fn floats_in(&self, name: &str) -> Result<Option<Vec<f32>>, Problem> {
        Ok(self.typed(name, 6)?.map(|attribute| attribute.floats.clone()))
    }

    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64, Problem> {
        Ok(self.typed(name, 2)?.map_or(default, |attribute| attribute.i))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.int(name, 0)? != 0)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> Result<f64, Problem> {
        // So that 0.1 in single precision becomes 0.1 in the card and not 0.10000000149.
        let number = self.typed(name, 1)?.map_or(default, |attribute| attribute.f);
        Ok(meant(number))
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, Problem> {
        Ok(self.typed(name, 7)?.map(|attribute| attribute.ints.clone()))
    }

    pub(super) fn text(&self, name: &str, default: &str) -> Result<String, Problem> {
        let stated = self.typed(name, 3)?.map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned());
        Ok(stated.unwrap_or_else(|| default.into()))
    }

    /// Two positive numbers, height and width; of a sequence the file has the second.
    pub(super) fn pair(&self, name: &str, default: Option<[usize; 2]>) -> Result<[usize; 2], Problem> {
        let Some(list) = self.ints(name)? else {
            return default.ok_or_else(|| Problem::new(format!("its attribute '{name}' is missing")));
        };
        let mut sizes: Vec<usize> = list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
        if self.row {
            sizes.insert(0, 1);
        }
        sizes.try_into().map_err(|_| {
            let expected = if self.row { "one number" } else { "two numbers, height and width" };
            Problem::new(format!("its '{name}' is {list:?}")).expected(expected)
        })
    }

    /// The attribute `axis` (or `default`), normalised for a value of `rank`.
    pub(super) fn axis(&self, default: i64, rank: usize) -> Result<usize, Problem> {
        self.front(self.int("axis", default)?, rank)
    }

    /// The axis of a computed input of `rank` that the file counts as `axis`.
    pub(super) fn front(&self, axis: i64, rank: usize) -> Result<usize, Problem> {
        if self.row {
            // The axis of rows, which the file does not have, is before the last.
            let axis = front(axis, rank.saturating_sub(1))?;
            return Ok(if axis + 2 == rank { axis + 1 } else { axis });
        }
        let Some(merged) = self.merged else { return front(axis, rank) };
        match front(axis, rank.saturating_sub(1))? {
            before if before < merged => Ok(before),
            after if after > merged => Ok(after + 1),
            _ => Err(Problem::new(format!("works along axis {axis}, which has the pictures"))),
        }
    }

    /// As [`Site::front`] for several, sorted.
    pub(super) fn fronts(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>, Problem> {
        let mut found = axes.iter().map(|axis| self.front(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// The shortest decimal that gives this single-precision number, in double precision.
pub(super) fn decimal(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

/// A setting as it was meant before it was rounded to single precision: a fraction `1/n`, such as the sixth of a hard
/// sigmoid, or a decimal. Burn modules and formulas in a graph hold the fraction in double precision.
fn meant(number: f32) -> f64 {
    // Beyond this, single precision cannot distinguish most numbers from some fraction.
    const MOST: f64 = 1000.0;
    let count = f64::from(number).recip().round();
    let fraction = count.recip();
    if (1.0..=MOST).contains(&count) && fraction as f32 == number { fraction } else { decimal(number) }
}

/// Normalises an axis that may be negative.
pub(super) fn front(axis: i64, rank: usize) -> Result<usize, Problem> {
    let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    counted
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|axis| *axis < rank)
        .ok_or_else(|| Problem::new(format!("axis {axis} is not an axis of a value of rank {rank}")))
}

/// Normalises axes that may be negative, and sorts them.
pub(super) fn fronts(axes: &[i64], rank: usize) -> Result<Vec<usize>, Problem> {
    let mut found = axes.iter().map(|axis| front(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_what_was_meant_before_rounding() {
        let meant = [1.0 / 6.0, 0.1, 0.2, 0.3, 1e-5, 0.001, 1.0, 0.0, -0.5, 2.0]
            .map(|number: f64| (number, meant(number as f32)));
        assert!(meant.iter().all(|(number, found)| number == found), "{meant:?}");
    }
}
