//! The layers that methods explain.
//!
//! Receives a model and a request; gives the layers of most methods, and where `auto` chose one, those of methods that multiply the maps of
//! several.

use super::Request;
use crate::cam::{Joining, Method};
use crate::error::Result;
use crate::model::{Choice, LayerRequest, Model};

/// The layers of a request.
#[derive(Debug)]
pub(super) struct Layers {
    /// Of most methods, in the order requested; empty when all work on pixels.
    pub(super) usual: Vec<Choice>,
    /// Of methods that multiply maps, where the others have one layer.
    pub(super) refined: Option<Vec<Choice>>,
    /// Whether they are the scales of one head, which `auto` takes together: these are joined otherwise than layers that the caller names.
    pub(super) are_scales: bool,
}

impl Layers {
    /// # Errors
    /// When a layer is not the model's, or cannot be explained.
    pub(super) fn of(model: &Model, request: &Request) -> Result<Self> {
        if !request.needs_layer() {
            return Ok(Self { usual: vec![], refined: None, are_scales: false });
        }
        let usual = usual(model, request)?;
        let are_scales = usual.len() > 1 && request.layers == [LayerRequest::Auto];
        let mut on_layers = request.methods.iter().filter(|method| method.info().uses_layer);
        let refined = match (&usual[..], &request.layers[..]) {
            ([chosen], [LayerRequest::Auto]) if request.methods.iter().any(|method| multiplies(*method)) => {
                model.finer_layer(chosen).map(|finer| vec![finer, chosen.clone()])
            }
            _ => None,
        };
        Ok(match refined {
            // Then one network serves all.
            Some(refined) if on_layers.all(|method| multiplies(*method)) => {
                Self { usual: refined, refined: None, are_scales }
            }
            refined => Self { usual, refined, are_scales },
        })
    }
}

/// Whether a method multiplies the maps of several layers.
pub(super) fn multiplies(method: Method) -> bool {
    method.traits().joining == Joining::Product
}

/// The requested layers, without duplicates, in the order requested.
fn usual(model: &Model, request: &Request) -> Result<Vec<Choice>> {
    let mut layers: Vec<Choice> = Vec::new();
    for asked in &request.layers {
        let choices = match request.takes_one_layer() {
            true => vec![model.choose_layer(asked)?],
            false => model.choose_layers(asked)?,
        };
        for choice in choices {
            if !layers.iter().any(|layer| layer.index == choice.index) {
                layers.push(choice);
            }
        }
    }
    Ok(layers)
}
