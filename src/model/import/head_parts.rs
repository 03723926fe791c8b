//! The layers of a head, read from the names and shapes of its tensors.
//!
//! Receives the tensors of a module; gives its linear layers and norms in order, or nothing where they do not make a chain.
//! Does not say what stands between them.

use std::collections::BTreeMap;

use super::state_dict::StateDict;

/// A layer with weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The layer's full name.
    pub(super) name: String,
    /// Its place in a list of modules, if its name is one.
    place: Option<usize>,
    pub(super) kind: Kind,
    /// Whether a module without weights stands, or may stand, between the layer before and this one.
    pub(super) has_gap_before: bool,
}

/// What a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Linear { inputs: usize, outputs: usize, bias: bool },
    BatchNorm(usize),
    LayerNorm(usize),
}

impl Part {
    /// The name of the module after this one.
    pub(super) fn next_name(&self, module: &str) -> String {
        match self.place {
            Some(place) => format!("{}.{}", parent(&self.name), place + 1),
            None => format!("{module}.{}_activation", last(&self.name)),
        }
    }
}

fn parent(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The layers of `module`, which receives `width` features. `None` when there are none, when a tensor belongs to another
/// kind of layer, or when the widths do not make a chain.
pub(super) fn parts(weights: &StateDict, module: &str, width: usize) -> Option<Vec<Part>> {
    let mut layers: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for (name, shape) in weights.weights() {
        let Some((layer, role)) = name.rsplit_once('.') else { continue };
        if layer == module || layer.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')) {
            layers.entry(layer.to_owned()).or_default().insert(role.to_owned(), shape);
        }
    }
    let mut parts: Vec<Part> = Vec::with_capacity(layers.len());
    let kinds: Option<Vec<_>> =
        layers.into_iter().map(|(name, tensors)| Some((kind(&tensors)?, name))).collect();
    for (kind, name) in kinds? {
        let place = last(&name).parse().ok();
        parts.push(Part { name, place, kind, has_gap_before: false });
    }
    // By place in the list, `10` after `9`; other names as the alphabet has them.
    parts.sort_by(|a, b| (parent(&a.name), a.place, &a.name).cmp(&(parent(&b.name), b.place, &b.name)));
    for at in 1..parts.len() {
        parts[at].has_gap_before = match (parts[at - 1].place, parts[at].place) {
            (Some(a), Some(b)) if parent(&parts[at - 1].name) == parent(&parts[at].name) => b > a + 1,
            _ => true,
        };
    }
    (!parts.is_empty() && is_chain(&parts, width)).then_some(parts)
}

fn kind(tensors: &BTreeMap<String, Vec<usize>>) -> Option<Kind> {
    let roles: Vec<&str> = tensors.keys().map(String::as_str).collect();
    match (&roles[..], tensors.get("weight")?.as_slice()) {
        (["bias", "weight"] | ["weight"], [outputs, inputs]) => {
            Some(Kind::Linear { inputs: *inputs, outputs: *outputs, bias: roles.len() == 2 })
        }
        (["bias", "running_mean", "running_var", "weight"], [width]) => Some(Kind::BatchNorm(*width)),
        (["bias", "weight"], [width]) => Some(Kind::LayerNorm(*width)),
        _ => None,
    }
}

fn is_chain(parts: &[Part], width: usize) -> bool {
    let step = |width: usize, part: &Part| match part.kind {
        Kind::Linear { inputs, outputs, .. } => (inputs == width).then_some(outputs),
        Kind::BatchNorm(own) | Kind::LayerNorm(own) => (own == width).then_some(own),
    };
    parts.iter().try_fold(width, step).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::element::ElementType;
    use super::super::state_dict::StateTensor;
    use super::*;

    fn weights(list: &[(&str, &[usize])]) -> StateDict {
        let tensor = |shape: &[usize]| StateTensor::in_memory(shape.to_vec(), ElementType::F32, vec![]);
        StateDict::flat(list.iter().map(|(name, shape)| ((*name).to_owned(), tensor(shape))).collect())
    }

    #[test]
    fn layers_stand_in_the_order_of_their_places() {
        let weights = weights(&[
            ("fc.10.weight", &[3, 4]),
            ("fc.2.weight", &[4, 8]),
            ("fc.2.bias", &[4]),
            ("fc.9.weight", &[4]),
            ("fc.9.bias", &[4]),
            ("other.weight", &[1]),
        ]);
        let parts = parts(&weights, "fc", 8).unwrap();
        let names: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.has_gap_before)).collect();
        assert_eq!(names, [("fc.2", false), ("fc.9", true), ("fc.10", false)]);
        assert_eq!(parts[0].kind, Kind::Linear { inputs: 8, outputs: 4, bias: true });
        assert_eq!(parts[1].kind, Kind::LayerNorm(4));
        assert_eq!(parts[0].next_name("fc"), "fc.3");
    }

    #[test]
    fn what_makes_no_chain_is_no_head() {
        assert_eq!(parts(&weights(&[("fc.0.weight", &[4, 8])]), "fc", 9), None);
        assert_eq!(parts(&weights(&[("fc.0.weight", &[4, 8, 1, 1])]), "fc", 8), None);
        assert_eq!(parts(&weights(&[("fc.0.scale", &[4])]), "fc", 4), None);
        assert_eq!(parts(&weights(&[("fc2.weight", &[4, 8])]), "fc", 8), None);
    }
}
