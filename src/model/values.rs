//! The values of a model's tensors: those of its file, or others in memory.

use std::collections::BTreeMap;

use super::Model;
use super::pack::Weights;
use crate::error::Result;

impl Model {
    /// The values, of a file that is verified here.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read any more.
    pub fn weights(&self) -> Result<Weights> {
        self.pack.weights()
    }

    /// The values, of a file that is verified when the first of them is read, or by [`Weights::verify`].
    #[must_use]
    pub fn lazy_weights(&self) -> Weights {
        self.pack.lazy_weights()
    }

    /// The same model with other values of some tensors, row-major, in memory alone: the file and its hash stay. The file is verified once,
    /// for this model and those made of it.
    ///
    /// # Errors
    /// When the file is damaged, or a tensor is not in it or has another number of values.
    pub fn replacing(&self, values: BTreeMap<String, Vec<f32>>) -> Result<Self> {
        Ok(Self { pack: self.pack.replacing(values)?, ..self.clone() })
    }
}
