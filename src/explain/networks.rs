//! The networks of an explainer: weights are read here, and the hash of their file begun.

use super::Request;
use crate::cam::Method;
use crate::engine::Network;
use crate::error::Result;
use crate::model::{Choice, Model};

/// A network for most methods; and the second one, with every operation as in the graph, where some methods need that and others do not.
///
/// # Errors
/// When the weights cannot be read.
pub(super) fn load(
    model: &Model,
    request: &Request,
    layers: &[Choice],
) -> Result<(Network, Option<Network>)> {
    let taps: Vec<usize> = layers.iter().map(|layer| layer.index).collect();
    let is_unfolded = |method: &Method| method.traits().unfolded;
    // Then one network is enough, and weights are read once.
    let alone = request.methods.iter().all(is_unfolded);
    // Methods that look at every bias want it where the graph has it. Others keep their network, and their last digits.
    let load_unfolded = || Network::load_unfolded(model, &request.runtime);
    let network = if alone { load_unfolded()? } else { Network::load(model, &taps, &request.runtime)? };
    if hashes_model(request) {
        // On a thread of its own, so that the first record need not wait for it.
        network.begin_hash()?;
    }
    let is_second = !alone && request.methods.iter().any(is_unfolded);
    Ok((network, is_second.then(load_unfolded).transpose()?))
}

/// Whether records have the SHA-256 of the model file.
pub(super) fn hashes_model(request: &Request) -> bool {
    request.record || request.hash_model
}
