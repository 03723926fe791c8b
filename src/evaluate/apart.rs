//! The network of DiFull: taken apart into the cells of a mosaic, with the methods that can explain it.

use crate::cam::{Method, Options};
use crate::error::{Error, Problem, Result};
use crate::explain::{Explainer, Request};
use crate::model::{LayerRequest, Model};

/// Cells along a side. The papers have 2 and 3; the network's input has one size, and of thirds little is left.
pub(super) const SIDE: usize = 2;

/// The network over a mosaic of whole pictures, of which it reads one, and those methods that can explain it, by their rows.
#[derive(Debug)]
pub(super) struct Apart {
    pub(super) explainer: Explainer,
    pub(super) rows: Vec<usize>,
}

impl Apart {
    /// The network taken apart at the layer that is explained, or where none is at the usual one.
    ///
    /// # Errors
    /// When several layers are explained, when cells cannot stand side by side on the one, and when no method fits.
    pub(super) fn new(explainer: &Explainer) -> Result<Self> {
        let (model, layer) = disconnected(explainer)?;
        let request = |methods: Vec<Method>| {
            let mut request: Request = explainer.request().clone();
            // A layer that no method uses is refused.
            request.layers = match methods.iter().any(|method| method.info().uses_layer) {
                true => vec![LayerRequest::Name(layer.to_owned())],
                false => vec![LayerRequest::Auto],
            };
            request.methods = methods;
            request.options.signed = true;
            request
        };
        let methods = &explainer.request().methods;
        // A method that wants a certain head, such as an average and a linear layer, does not fit the network that was taken apart.
        let fits = |method: Method| {
            let mut alone = request(vec![method]);
            // Options of other methods would be refused.
            alone.options = Options { signed: true, ..Options::default() };
            Explainer::new(model.clone(), alone).is_ok()
        };
        let rows: Vec<usize> = (0..methods.len()).filter(|row| fits(methods[*row])).collect();
        let usable: Vec<Method> = rows.iter().map(|row| methods[*row]).collect();
        if usable.is_empty() {
            let problem = Problem::new("fits none of the methods once the network is taken apart");
            return Err(Error::request(problem.named("metric", "difull").hint("leave it out")));
        }
        Ok(Self { explainer: Explainer::new(model.clone(), request(usable))?, rows })
    }
}

/// The model, and the layer on which its cells meet.
fn disconnected(explainer: &Explainer) -> Result<(Model, &'static str)> {
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
