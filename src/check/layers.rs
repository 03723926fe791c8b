//! Which layers can be explained, which cannot, and why.

use super::{LayerCheck, Status, Unexplainable};
use crate::model::{LayerInfo, LayerRequest, Model};

/// Groups the operations by whether they can be explained.
pub(super) fn check(model: &Model) -> LayerCheck {
    let layers = model.layers();
    let auto = model.choose_layer(&LayerRequest::Auto).ok();
    let mut unexplainable: Vec<Unexplainable> = Vec::new();
    for layer in layers.iter().filter(|layer| !layer.explainable) {
        let reason = reason(layer);
        match unexplainable.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.operations.push(layer.name.clone()),
            None => unexplainable
                .push(Unexplainable { reason: reason.to_owned(), operations: vec![layer.name.clone()] }),
        }
    }
    LayerCheck {
        status: if auto.is_some() { Status::Ok } else { Status::Failed },
        operations: layers.len(),
        explainable: layers.iter().filter(|layer| layer.explainable).count(),
        grid: auto
            .as_ref()
            .and_then(|choice| layers[choice.index].grid)
            .map(|grid| [grid.height, grid.width]),
        auto: auto.as_ref().map(|choice| choice.name.clone()),
        reason: auto.map(|choice| choice.reason),
        unexplainable,
    }
}

fn reason(layer: &LayerInfo) -> &'static str {
    match (layer.grid, &layer.shape[..]) {
        (Some(grid), _) if grid.height * grid.width > 1 => "not on the way to the class scores",
        (_, [_, _, 1, 1]) => "1x1",
        // Four axes that are no grid.
        (None, [_, _, _, _]) => "not on the way to the class scores",
        _ => "no rows and columns",
    }
}
