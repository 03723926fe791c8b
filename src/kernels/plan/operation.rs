//! What a plan is made of: operations with the shapes of their tensors, and how their parameters are read.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};

use super::node::{self, Turning};
use crate::card::{Node, ValueId};
use crate::error::{Error, Result};

/// `[channels, height, width]` of the tensors that kernels can hold. Arrays of a tensor are `[batch, channels, height, width]`, unless it is
/// one with the channels last.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    sizes: HashMap<ValueId, [usize; 3]>,
    /// Of those with the channels last, the shape for one image.
    last: HashMap<ValueId, Vec<usize>>,
}

impl Shapes {
    /// Adds a tensor whose last axis is that of its channels, with its shape for one image: `[1, height, width, channels]`, or tokens,
    /// `[1, positions, channels]`, which are a row of pixels. Of more axes all before the positions count rows: of heads, windows, or both.
    /// One of fewer axes is left out.
    pub fn insert_channels_last(&mut self, id: ValueId, shape: &[usize]) {
        let [1, rows @ .., positions, channels] = shape else { return };
        self.sizes.insert(id, [*channels, rows.iter().product(), *positions]);
        self.last.insert(id, shape.to_vec());
    }

    /// The shape of an array of a tensor, for `batch` images; empty for one that kernels do not hold.
    #[must_use]
    pub fn array(&self, id: ValueId, batch: usize) -> Vec<usize> {
        match (self.last.get(&id), self.sizes.get(&id)) {
            (Some(shape), _) => [&[batch][..], &shape[1..]].concat(),
            (None, Some(size)) => [&[batch][..], size].concat(),
            (None, None) => Vec::new(),
        }
    }

    /// Arrays of a tensor are as those of another one.
    pub(crate) fn arrange_as(&mut self, id: ValueId, other: ValueId) {
        if let Some(shape) = self.last.get(&other).cloned() {
            self.last.insert(id, shape);
        }
    }

    pub(crate) fn is_channels_last(&self, id: ValueId) -> bool {
        self.last.contains_key(&id)
    }
}

impl Deref for Shapes {
    type Target = HashMap<ValueId, [usize; 3]>;

    fn deref(&self) -> &Self::Target {
        &self.sizes
    }
}

impl DerefMut for Shapes {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.sizes
    }
}

impl FromIterator<(ValueId, [usize; 3])> for Shapes {
    fn from_iter<I: IntoIterator<Item = (ValueId, [usize; 3])>>(tensors: I) -> Self {
        Self { sizes: tensors.into_iter().collect(), last: HashMap::new() }
    }
}

/// Parameters by role: elements and shape.
pub type Parameters = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// A node of the graph, with what it does not say.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// What it computes, of which tensors.
    pub node: &'a Node,
    /// The tensor that it gives: its own, or that of a batch norm folded into it.
    pub output: ValueId,
    /// Shape of the weights of a convolution, a linear layer or a layer norm; axes that these do not have are ones at the end. Of a sum or product
    /// the shape of the stored operand, if there is one, with ones at the beginning.
    pub weight: Option<[usize; 4]>,
}

/// Whose parameters a kernel reads.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    operation: usize,
    turning: Option<Turning>,
}

impl Source {
    /// `None` for a node without parameters.
    pub(super) fn of(node: &node::Node) -> Option<Self> {
        node.has_parameters().then(|| Self { operation: node.source, turning: node.turning.clone() })
    }

    /// The parameters as the kernel takes them.
    ///
    /// # Errors
    /// When they cannot be loaded or have another shape than was planned for.
    pub(crate) fn parameters(&self, load: Load<'_>) -> Result<Parameters> {
        let mut parameters = load(self.operation)?;
        let missing = || Error::internal("a parameter was not loaded");
        match &self.turning {
            None | Some(Turning::Matrix { backward: false }) => {}
            Some(Turning::Scale) => {
                let (shift, _) = parameters.get_mut("shift").ok_or_else(missing)?;
                shift.fill(0.0);
            }
            Some(Turning::Weights(turn)) => {
                let weight = turn.weights(parameters.get("weight").ok_or_else(missing)?)?;
                parameters = Parameters::from([("weight".to_owned(), weight)]);
            }
            Some(Turning::Matrix { backward: true }) => {
                let (_, shape) = parameters.get_mut("weight").ok_or_else(missing)?;
                shape.resize(4, 1);
                parameters.remove("bias");
            }
        }
        Ok(parameters)
    }
}

/// Gives an operation's parameters: `weight` `[out, in / groups, height, width]` and `bias` `[out]` of a convolution, `weight` `[in, out]` and
/// `bias` `[out]` of a linear layer, `scale` and `shift` `[channels]` of a batch norm, `gamma` and `beta` `[channels]` of a layer norm,
/// `other` of a sum or product.
pub(crate) type Load<'a> = &'a dyn Fn(usize) -> Result<Parameters>;
