//! The networks of an explainer: weights are read here, and the hash of their file begun.

use super::Request;
use super::layers::Layers;
use crate::cam::Method;
use crate::engine::Network;
use crate::error::Result;
use crate::model::{Choice, Model};

/// The networks that the methods of a request need.
pub(super) struct Networks {
    /// For most methods.
    pub(super) network: Network,
    /// With every operation as in the graph, where some methods need that and others do not.
    pub(super) unfolded: Option<Network>,
    /// With the layers of methods that multiply maps, where others have one layer.
    pub(super) refined: Option<Network>,
}

/// Reads the weights.
///
/// # Errors
/// When they cannot be read.
pub(super) fn load(model: &Model, request: &Request, layers: &Layers) -> Result<Networks> {
    let taps = |layers: &[Choice]| -> Vec<usize> { layers.iter().map(|layer| layer.index).collect() };
    let tapped = |layers: &[Choice]| Network::load(model, &taps(layers), &request.runtime);
    let is_unfolded = |method: &Method| method.traits().unfolded;
    // Then one network is enough, and weights are read once.
    let alone = request.methods.iter().all(is_unfolded);
    // Methods that look at every bias want it where the graph has it. Others keep their network, and their last digits.
    let load_unfolded = || Network::load_unfolded(model, &request.runtime);
    let network = if alone { load_unfolded()? } else { tapped(&layers.usual)? };
    if hashes_model(request) {
        // On a thread of its own, so that the first record need not wait for it.
        network.begin_hash()?;
    }
    let is_second = !alone && request.methods.iter().any(is_unfolded);
    let unfolded = is_second.then(load_unfolded).transpose()?;
    let refined = layers.refined.as_deref().map(tapped).transpose()?;
    Ok(Networks { network, unfolded, refined })
}

/// Whether records have the SHA-256 of the model file.
pub(super) fn hashes_model(request: &Request) -> bool {
    request.record || request.hash_model
}
