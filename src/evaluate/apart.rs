//! The network of DiFull: taken apart into the cells of a mosaic.

use crate::error::{Error, Problem, Result};
use crate::explain::Explainer;
use crate::model::{LayerRequest, Model};

/// Cells along a side. The papers have 2 and 3; the network's input has one size, and of thirds little is left.
pub(super) const SIDE: usize = 2;

/// The network taken apart at the layer that is explained, or where none is at the usual one, and the layer on which its cells meet.
///
/// # Errors
/// When several layers are explained, and when cells cannot stand side by side on the one.
pub(super) fn disconnected(explainer: &Explainer) -> Result<(Model, &'static str)> {
    let model = explainer.model();
    let layer = match explainer.layers() {
        [] => model.choose_layer(&LayerRequest::Auto)?.index,
        [layer] => layer.index,
        layers => {
            let problem = Problem::new("takes the network apart at one layer");
            let problem = problem.found(layers.len().to_string()).named("metric", "difull");
            return Err(Error::request(problem.hint("name one layer")));
        }
    };
    model.disconnected(layer, SIDE)
}
