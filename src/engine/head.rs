//! The trunk, and the recorded head.
//!
//! Receives pictures, returns a layer's activations and how class scores change with them. Everything up to
//! the cut is plain inference; from there on autodiff records, once per class score.

use std::sync::atomic::Ordering;

use burn::tensor::Tensor;

use super::recording::{Recording, features};
use super::reduction::Reduction;
use super::steps::Slots;
use super::tap::{Cells, Tap};
use super::value::{Value, map_tensor};
use super::{Features, Network};
use crate::card::ValueId;
use crate::error::{Error, Problem, Result};

/// The result of a pass up to a layer: every tensor that later steps still read.
#[derive(Debug)]
pub struct Trunk {
    slots: Slots,
    /// The layer at which it ends.
    cut: ValueId,
}

impl Trunk {
    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(super) fn cut(&self) -> ValueId {
        self.cut
    }
}

impl Network {
    /// Runs the network up to the earliest tapped layer, without autodiff.
    ///
    /// # Shapes
    /// `values` is `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as that.
    pub fn trunk(&self, values: Vec<f32>) -> Result<Trunk> {
        Ok(Trunk { slots: self.advance_to_cut(values)?, cut: self.cut })
    }

    /// As [`Network::trunk`] for several pictures, which share a pass if each then gets the same values as alone.
    ///
    /// # Shapes
    /// Each picture is `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When the number of values of one picture is wrong.
    pub fn trunks(&self, pictures: &[&[f32]]) -> Result<Vec<Trunk>> {
        for picture in pictures {
            self.expect_one(picture)?;
        }
        let slots = match &self.program {
            Some(program) => {
                // Relaxed: the number is for tests, and orders nothing.
                self.passes.fetch_add(pictures.len(), Ordering::Relaxed);
                program.run_each(&self.steps, pictures)?
            }
            None => pictures
                .iter()
                .map(|picture| self.advance_to_cut(picture.to_vec()))
                .collect::<Result<Vec<_>>>()?,
        };
        Ok(slots.into_iter().map(|slots| Trunk { slots, cut: self.cut }).collect())
    }

    /// The same picture's trunk, continued to a tapped layer (its index among the taps).
    ///
    /// # Errors
    /// When there is no such tap.
    pub fn trunk_to(&self, trunk: &Trunk, tap: usize) -> Result<Trunk> {
        let cut = self.tap(tap)?.id;
        self.advanced(Trunk { slots: trunk.slots.clone(), cut: trunk.cut }, cut)
    }

    fn advanced(&self, mut trunk: Trunk, cut: ValueId) -> Result<Trunk> {
        self.advance(&mut trunk.slots, self.steps.first_after(trunk.cut), cut)?;
        Ok(Trunk { cut, ..trunk })
    }

    /// Runs the steps from `done` on up to a tensor, and gives the position of the next.
    pub(super) fn advance(&self, slots: &mut Slots, done: usize, id: ValueId) -> Result<usize> {
        let end = self.steps.first_after(id);
        (done..end).try_for_each(|at| self.steps.fill(slots, at))?;
        Ok(end)
    }

    /// Records the head on Burn: from the tapped layers to the logits.
    ///
    /// The earliest tap becomes an autodiff leaf. A leaf of zeros is added to each later tap; its gradient is the
    /// gradient with respect to that layer.
    ///
    /// # Errors
    /// Only on an internal error.
    pub(super) fn record_from(&self, mut slots: Slots, taps: &[Tap], cut: ValueId) -> Result<Recording> {
        let mut leaves = vec![None; taps.len()];
        let mut activations = vec![None; taps.len()];
        let mut tap = |id: ValueId, value: Value| -> Result<Value> {
            let Some(which) = taps.iter().position(|tap| tap.id == id) else { return Ok(value) };
            let cells = taps[which].cells(value)?;
            // Cut off from what is recorded: the activations that methods get are plain numbers.
            let plain = cells.map.clone().inner();
            let (leaf, map) = if id == cut {
                let leaf = plain.clone().autodiff().require_grad();
                (leaf.clone(), leaf)
            } else {
                // A later layer must stay connected with the earlier one, so it cannot become a leaf itself.
                let leaf = plain.zeros_like().autodiff().require_grad();
                (leaf.clone(), cells.map.clone() + leaf)
            };
            activations[which] = Some(plain);
            leaves[which] = Some(leaf);
            cells.with(map)
        };
        if let Some(value) = slots[cut].take() {
            slots[cut] = Some(tap(cut, value)?);
        }
        for at in self.steps.first_after(cut)..self.steps.len() {
            let (value, output) = (self.steps.run(&mut slots, at)?, self.steps[at].output());
            slots[output] = Some(tap(output, value)?);
        }
        let logits = self.flat_logits(&mut slots)?;
        let all = |tensors: Vec<Option<Tensor<4>>>| {
            tensors
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| Error::internal("a tap was not reached"))
        };
        let (leaves, activations) = (all(leaves)?, all(activations)?);
        Ok(Recording { logits, leaves, activations, reduction: Reduction::Values })
    }

    /// The logits of finished slots as `[batch, classes]`.
    pub(super) fn flat_logits(&self, slots: &mut Slots) -> Result<Tensor<2>> {
        let logits =
            slots[self.steps.logits].take().ok_or_else(|| Error::internal("the head gave no logits"))?;
        // All axes except two have length one: the batch, and the classes on any axis.
        let shape = logits.shape();
        let batch = shape.first().copied().unwrap_or(1);
        match logits.reshape(&[batch, shape.iter().skip(1).product()])? {
            Value::R2(logits) => Ok(logits),
            _ => Err(Error::internal("the logits are not of rank 2")),
        }
    }

    /// The logits of the head for other activations of the layer at which `trunk` ends, `[batch, classes]`, without
    /// recording.
    ///
    /// # Shapes
    /// `activations` is `[batch, channels, height, width]` of that layer, row-major, for any number of variants.
    ///
    /// # Errors
    /// When it has another count of numbers.
    pub fn logits_from(&self, trunk: &Trunk, activations: Vec<f32>) -> Result<Vec<f32>> {
        let cells = self.cells(trunk)?;
        let mut shape = cells.map.dims().to_vec();
        let one: usize = shape.iter().product();
        if one == 0 || activations.is_empty() || !activations.len().is_multiple_of(one) {
            return Err(Error::request(
                Problem::new(format!("{} activations were given", activations.len()))
                    .expected(format!("{shape:?}")),
            ));
        }
        let batch = activations.len() / one;
        shape[0] = batch;
        // Branches around the layer are the same for every variant.
        let mut slots = trunk.slots.map(|slot| slot.clone().map(|value| repeated(value, batch)));
        let value = Value::new(activations, &shape, &self.steps.device)?;
        slots[trunk.cut] = Some(cells.with(value.into_rank4()?)?);
        self.finish(slots, self.steps.first_after(trunk.cut))
    }

    /// A tapped layer's activations where `trunk` ends.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn activations(&self, trunk: &Trunk) -> Result<Features> {
        features(self.cells(trunk)?.map)
    }

    /// The layer at which `trunk` ends, taken apart.
    pub(super) fn cells(&self, trunk: &Trunk) -> Result<Cells> {
        let value = trunk.slots[trunk.cut].clone().ok_or_else(|| Error::internal("the trunk is empty"))?;
        self.tap_at(trunk.cut)?.cells(value)
    }

    /// A tapped layer by its index among the taps.
    pub(super) fn tap(&self, index: usize) -> Result<&Tap> {
        self.taps.get(index).ok_or_else(|| Error::internal(format!("there is no tap {index}")))
    }

    /// The tapped layer that gives a tensor.
    pub(super) fn tap_at(&self, id: ValueId) -> Result<&Tap> {
        let found = self.taps.iter().find(|tap| tap.id == id);
        found.ok_or_else(|| Error::internal("the trunk ends at no layer"))
    }
}

fn repeated(value: Value, batch: usize) -> Value {
    if batch == 1 { value } else { map_tensor!(value, t => t.repeat_dim(0, batch)) }
}
