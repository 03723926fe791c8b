//! A call of a layer that is being lowered: its settings, what it is called on, and its weights.
//!
//! Keras has channels last, the graph has them first. A tensor with four axes stands in the graph as
//! `[batch, channels, height, width]`; tensors of any other rank stand as Keras has them.

use ndarray::{ArrayD, IxDyn};
use serde_json::Value;

use super::hdf5::Array;
use super::settings::{Settings, front, integers, numbers, truth};
use super::weights::Stored;
use crate::builder::{Builder, Weight};
use crate::card::Op;
use crate::error::Problem;

/// A tensor of the graph.
pub(super) type Tensor = crate::builder::Tensor<1>;

/// Lowers a call of some kind of layer.
pub(super) type Lower = fn(&mut Site) -> Result<Tensor, Problem>;

/// From Keras's axes of a picture to the graph's, and back.
const TO_GRAPH: [usize; 4] = [0, 3, 1, 2];
pub(super) const TO_KERAS: [usize; 4] = [0, 2, 3, 1];

/// What an operation is called with.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Tensor(Tensor),
    Constant(Value),
}

impl Operand {
    /// The tensor that it is.
    pub(super) fn tensor(self) -> Option<Tensor> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            Self::Constant(_) => None,
        }
    }

    /// The constant that it is.
    pub(super) fn constant(self) -> Option<Value> {
        match self {
            Self::Tensor(_) => None,
            Self::Constant(value) => Some(value),
        }
    }
}

/// A call of a layer.
pub(super) struct Site<'a, 'f> {
    pub(super) builder: &'a mut Builder,
    pub(super) class: &'a str,
    pub(super) settings: Settings<'a>,
    /// All arguments in order, lists opened.
    pub(super) operands: Vec<Operand>,
    pub(super) named: Vec<(String, Operand)>,
    pub(super) weights: Vec<Stored<'f>>,
    /// The major version of Keras that wrote the file.
    pub(super) version: u64,
    /// Whether a setting was asked for whose meaning depends on the version.
    pub(super) asked_version: bool,
    /// Whether it is a layer over a sequence, whose steps stand as the columns of a picture of one row.
    pub(super) is_sequence: bool,
}

impl Site<'_, '_> {
    /// The only tensor that it is called on.
    pub(super) fn input(&self) -> Result<Tensor, Problem> {
        match &self.tensors()?[..] {
            [only] => Ok(only.clone()),
            all => Err(Problem::new(format!("is called on {} tensors", all.len())).expected("one")),
        }
    }

    /// All tensors that it is called on.
    pub(super) fn tensors(&self) -> Result<Vec<Tensor>, Problem> {
        let tensor = |operand: &Operand| match operand {
            Operand::Tensor(tensor) => Ok(tensor.clone()),
            Operand::Constant(value) => {
                Err(Problem::new(format!("is called on the constant {value}")).expected("a tensor"))
            }
        };
        self.operands.iter().map(tensor).collect()
    }

    /// A picture: `[batch, channels, height, width]`.
    pub(super) fn picture(&self) -> Result<(Tensor, [usize; 4]), Problem> {
        let x = self.input()?;
        match x.shapes[0][..] {
            [batch, channels, height, width] => Ok((x, [batch, channels, height, width])),
            _ => Err(Problem::new(format!("is called on a tensor of {} axes", x.rank())).expected("four")),
        }
    }

    /// A setting, or what a function is called with by this name.
    pub(super) fn value(&self, key: &str) -> Option<Value> {
        let constant = |(name, operand): &(String, Operand)| match operand {
            Operand::Constant(value) if name == key => Some(value.clone()),
            _ => None,
        };
        self.settings.get(key).cloned().or_else(|| self.named.iter().find_map(constant))
    }

    /// Whole numbers among these.
    ///
    /// # Errors
    /// When they are something else.
    pub(super) fn integers(&self, key: &str) -> Result<Option<Vec<i64>>, Problem> {
        self.value(key).map(|value| integers(key, &value)).transpose()
    }

    /// Whether a flag among these is set.
    ///
    /// # Errors
    /// When it is no flag.
    pub(super) fn is_set(&self, key: &str) -> Result<bool, Problem> {
        self.value(key).map_or(Ok(false), |value| truth(key, &value))
    }

    /// The tensor that it is called with by this name.
    pub(super) fn named_tensor(&self, key: &str) -> Option<Tensor> {
        let found = self.named.iter().find(|(name, _)| name == key);
        found.and_then(|(_, operand)| operand.clone().tensor())
    }

    /// The tensor over steps, `[batch, steps, channels]`, that it is called on.
    pub(super) fn sequence(&self) -> Result<Tensor, Problem> {
        let x = self.input()?;
        match x.rank() {
            3 => Ok(x),
            rank => Err(Problem::new(format!("is called on a tensor of {rank} axes")).expected("three")),
        }
    }

    /// A setting for height and width. A sequence has no rows.
    pub(super) fn pair(&self, key: &str, default: [usize; 2]) -> Result<[usize; 2], Problem> {
        let [height, width] = self.settings.pair(key, default)?;
        Ok(if self.is_sequence { [1, width] } else { [height, width] })
    }

    /// `[top, bottom, left, right]`. A sequence has only the last two.
    pub(super) fn sides(&self, key: &str, default: usize) -> Result<[usize; 4], Problem> {
        if !self.is_sequence {
            return self.settings.sides(key, default);
        }
        let [before, after] = self.settings.pair(key, [default; 2])?;
        Ok([0, 0, before, after])
    }

    pub(super) fn unary(&mut self, op: Op, x: &Tensor) -> Result<Tensor, Problem> {
        self.builder.unary(op, x)
    }

    /// `x` with its axes in the order `perm`.
    pub(super) fn turn(&mut self, perm: Vec<usize>, x: &Tensor) -> Result<Tensor, Problem> {
        self.unary(Op::Transpose { perm }, x)
    }

    /// `x` in another shape; 0 keeps a side.
    pub(super) fn shape(&mut self, shape: Vec<i64>, x: &Tensor) -> Result<Tensor, Problem> {
        self.unary(Op::Reshape { shape }, x)
    }

    pub(super) fn squeeze(&mut self, axes: Vec<usize>, x: &Tensor) -> Result<Tensor, Problem> {
        self.unary(Op::Squeeze { axes }, x)
    }

    pub(super) fn unsqueeze(&mut self, axes: Vec<usize>, x: &Tensor) -> Result<Tensor, Problem> {
        self.unary(Op::Unsqueeze { axes }, x)
    }

    /// The matrix product over the last axes.
    pub(super) fn product(&mut self, first: &Tensor, second: &Tensor) -> Result<Tensor, Problem> {
        self.emit(Op::Matmul {}, &[first, second], vec![])
    }

    pub(super) fn emit(
        &mut self,
        op: Op,
        inputs: &[&Tensor],
        weights: Vec<(&str, Weight)>,
    ) -> Result<Tensor, Problem> {
        self.builder.emit(op, inputs, weights)
    }

    /// The layer's arrays in the order of `roles`, by name where the file has those names.
    ///
    /// # Errors
    /// When the file has another number of them, or one is damaged.
    pub(super) fn parameters(&self, roles: &[&str]) -> Result<Vec<Array>, Problem> {
        self.ordered(self.weights.iter().filter(|stored| !stored.is_of_part()).collect(), roles)
    }

    /// The same of a part of the layer, which Keras saves as a layer inside of it: `query`.
    ///
    /// # Errors
    /// As [`Site::parameters`].
    pub(super) fn parameters_of(&self, part: &str, roles: &[&str]) -> Result<Vec<Array>, Problem> {
        let all = self.weights.iter().filter(|stored| stored.part() == Some(part)).collect();
        self.ordered(all, roles).map_err(|problem| problem.about_tensor(part))
    }

    fn ordered(&self, all: Vec<&Stored>, roles: &[&str]) -> Result<Vec<Array>, Problem> {
        if all.len() != roles.len() {
            let expected = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
            return Err(Problem::new(format!("has {} arrays in the file", all.len())).expected(expected));
        }
        let by_name = |role: &&str| all.iter().copied().find(|stored| stored.role() == Some(role));
        let named: Option<Vec<&Stored>> = roles.iter().map(by_name).collect();
        // Without names the order counts, in which the layer created them: that of `roles`.
        let ordered = named.unwrap_or(all);
        let read =
            |(stored, role): (&Stored, &&str)| stored.read().map_err(|problem| problem.about_tensor(*role));
        ordered.into_iter().zip(roles).map(read).collect()
    }

    /// The axis of the graph's tensor that Keras counts as `axis`.
    pub(super) fn axis(&self, x: &Tensor, axis: i64) -> Result<usize, Problem> {
        let rank = x.rank();
        match usize::try_from(front(axis, rank)).ok().filter(|front| *front < rank) {
            Some(front) if rank == 4 => Ok(TO_KERAS[front]),
            Some(front) => Ok(front),
            None => Err(Problem::new(format!("works along axis {axis} of a tensor of {rank} axes"))),
        }
    }

    /// The tensor with its axes as Keras has them.
    pub(super) fn as_keras(&mut self, x: &Tensor) -> Result<Tensor, Problem> {
        if x.rank() == 4 { self.turn(TO_KERAS.to_vec(), x) } else { Ok(x.clone()) }
    }

    /// A tensor with Keras's axes as the graph has them.
    pub(super) fn as_graph(&mut self, x: &Tensor) -> Result<Tensor, Problem> {
        if x.rank() == 4 { self.turn(TO_GRAPH.to_vec(), x) } else { Ok(x.clone()) }
    }

    /// `x` and one number, or one per channel.
    pub(super) fn with_numbers(
        &mut self,
        op: fn(Option<f64>) -> Op,
        x: &Tensor,
        numbers: &[f64],
    ) -> Result<Tensor, Problem> {
        let channels = *x.shapes[0].get(if x.rank() == 4 { 1 } else { x.rank() - 1 }).unwrap_or(&0);
        match numbers {
            [number] => self.unary(op(Some(*number)), x),
            many if many.len() == channels => {
                let values = many.iter().map(|number| *number as f32).collect();
                let weight = per_channel(values, x.rank());
                self.emit(op(None), &[x], vec![("other", weight)])
            }
            many => {
                let what = format!("has {} numbers for {channels} channels", many.len());
                Err(Problem::new(what).expected("one, or one for each"))
            }
        }
    }

    /// The numbers of a constant operand.
    pub(super) fn constant(value: &Value) -> Result<Vec<f64>, Problem> {
        // Arrays are objects with a value.
        let inner = value.get("config").and_then(|config| config.get("value")).unwrap_or(value);
        numbers(inner)
            .ok_or_else(|| Problem::new(format!("is called on the constant {value}")).expected("numbers"))
    }
}

/// One number per channel, for a tensor of the graph of this rank.
pub(super) fn per_channel(values: Vec<f32>, rank: usize) -> Weight {
    let shape = match rank {
        4 => vec![1, values.len(), 1, 1],
        _ => vec![values.len()],
    };
    Weight { shape, values, source: String::new() }
}

/// An array as a weight, as it is.
pub(super) fn weight(array: Array) -> Weight {
    Weight { shape: array.shape, values: array.values, source: String::new() }
}

/// An array as a weight, with its axes in the order `perm`.
pub(super) fn turned(array: Array, perm: &[usize]) -> Result<Weight, Problem> {
    let Array { shape, values } = array;
    let refuse =
        || Problem::new(format!("has an array of shape {shape:?}")).expected(format!("{} axes", perm.len()));
    if shape.len() != perm.len() {
        return Err(refuse());
    }
    let array = ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|_| refuse())?;
    let turned = array.permuted_axes(IxDyn(perm));
    let shape = turned.shape().to_vec();
    Ok(Weight { shape, values: turned.into_iter().collect(), source: String::new() })
}
