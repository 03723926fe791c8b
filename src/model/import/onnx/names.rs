//! Names of nodes in the source framework, as far as an ONNX file keeps them.
//!
//! | exporter | where the name is |
//! |---|---|
//! | PyTorch, TorchScript | the node: `/layer4/layer4.1/conv2/Conv` |
//! | PyTorch, dynamo | the node's metadata: `['', 'layer4', 'layer4.1', 'layer4.1.conv2', 'conv2d_19']` |
//! | tf2onnx | the node: `StatefulPartitionedCall/resnet50/conv1_conv/Conv2D` |
//! | any | a weight that kept its name: `layer4.1.conv2.weight` |
//!
//! Receives the finished graph and the ONNX nodes that it came from; returns one name per node. If a layer becomes
//! several nodes, the last one, whose value is the layer's, gets its name; the others get the operation as a suffix.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::messages::NodeProto;
use crate::builder::{Draft, DraftNode};
use crate::import::unique::Names;

/// The last part of a weight's name in PyTorch, Burn and Keras.
const ROLES: [&str; 8] = ["weight", "bias", "gamma", "beta", "running_mean", "running_var", "slope", "alpha"];

/// Position of a node in its framework's model.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the module with this path; empty for the model itself.
    Module(String),
    /// No module, but the node has a name.
    Named(String),
    Unknown,
}

/// A name for every node of `draft`, in its order; none is `reserved`.
pub(super) fn assign(draft: &Draft, nodes: &[NodeProto], reserved: &str) -> Vec<String> {
    let prefix = common_prefix(nodes);
    let places: Vec<Place> = draft.nodes().map(|(_, node)| place(&nodes[node.origin], prefix)).collect();
    let weighted = draft.nodes().map(|(_, node)| of_weight(draft, node)).collect();
    let weighted = without_shared(weighted, &places);
    let modules = places.iter().filter_map(|place| match place {
        Place::Module(path) => Some(path.as_str()),
        _ => None,
    });
    let containers = containers(modules.chain(weighted.iter().flatten().map(String::as_str)));
    let owned: HashSet<&str> = weighted.iter().flatten().map(String::as_str).collect();
    let mut names = Names::without(reserved);
    // The last node of a module has the module's value.
    let last_of_run = |at: usize| places.get(at + 1) != Some(&places[at]);
    let mut result = Vec::with_capacity(places.len());
    for (at, (_, node)) in draft.nodes().enumerate() {
        let op = node.op.name();
        let wanted = match (&weighted[at], &places[at]) {
            (Some(name), _) => name.clone(),
            (None, Place::Module(path)) if path.is_empty() => op,
            (None, Place::Module(path)) => {
                let whole =
                    last_of_run(at) && !containers.contains(path.as_str()) && !owned.contains(path.as_str());
                if whole { path.clone() } else { format!("{path}.{op}") }
            }
            (None, Place::Named(name)) => name.clone(),
            (None, Place::Unknown) => op,
        };
        result.push(names.unique(&wanted));
    }
    result
}

/// Every path that contains others.
fn containers<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    paths.flat_map(|path| path.match_indices('.').map(|(dot, _)| &path[..dot])).collect()
}

/// The module that a weight's name belongs to, if the file kept it.
fn of_weight(draft: &Draft, node: &DraftNode) -> Option<String> {
    let weight = draft.weight_of(node, "weight").or_else(|| draft.weight_of(node, "gamma"))?;
    let (module, role) = weight.source.rsplit_once('.')?;
    // Names with these characters are made up by an exporter (`onnx::Conv_497`, `model/conv/Kernel:0`).
    let kept = ROLES.contains(&role) && !module.is_empty() && !module.contains([':', '/', ' ']);
    kept.then(|| module.to_owned())
}

/// The weights' modules without those that name the wrong one: exporters store equal weights once, such as those of all norms of
/// a network that was not trained, under the name of the first. Where a node says its module, that is its name.
fn without_shared(weighted: Vec<Option<String>>, places: &[Place]) -> Vec<Option<String>> {
    let mut count: HashMap<String, usize> = HashMap::new();
    for name in weighted.iter().flatten() {
        *count.entry(name.clone()).or_default() += 1;
    }
    let says = |place: &Place| matches!(place, Place::Module(path) if !path.is_empty());
    let own = |(name, place): (Option<String>, &Place)| name.filter(|name| count[name] == 1 || !says(place));
    weighted.into_iter().zip(places).map(own).collect()
}

fn place(node: &NodeProto, prefix: usize) -> Place {
    let scopes = node.metadata_props.iter().find(|entry| entry.key == "pkg.torch.onnx.name_scopes");
    if let Some(path) = scopes.and_then(|entry| dynamo(&entry.value)) {
        return Place::Module(path);
    }
    match node.name.as_str() {
        "" => Place::Unknown,
        name if name.starts_with('/') => Place::Module(torch_script(name)),
        name if name.contains('/') => Place::Module(tensorflow(name, prefix)),
        // PyTorch and tf2onnx number the nodes that their own rewriting adds; a variable may show which module such a
        // node belongs to.
        name if name.starts_with("node_") => Place::Unknown,
        name if is_numbered(name) => {
            match node.input.iter().find_map(|input| input.strip_suffix("/ReadVariableOp:0")) {
                Some(variable) => Place::Module(tensorflow(variable, prefix)),
                None => Place::Unknown,
            }
        }
        name => Place::Named(name.replace([' ', ':'], "_")),
    }
}

/// The second to last entry of a Python list of paths; the last is the operation.
fn dynamo(list: &str) -> Option<String> {
    let inner = list.trim().strip_prefix('[')?.strip_suffix(']')?;
    let paths: Vec<&str> = inner.split(',').map(|path| path.trim().trim_matches(['\'', '"'])).collect();
    paths.len().checked_sub(2).map(|at| paths[at].to_owned())
}

/// `/layer4/layer4.1/conv2/Conv`: a part that repeats the previous one replaces it.
fn torch_script(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    let mut path: Vec<&str> = Vec::new();
    for part in parts {
        let repeats =
            path.last().is_some_and(|last| part.strip_prefix(last).is_some_and(|rest| rest.starts_with('.')));
        if repeats {
            path.pop();
        }
        path.push(part);
    }
    path.join(".")
}

/// `StatefulPartitionedCall/resnet50/conv1_conv/Conv2D` without the parts that all layers share and without the
/// operation.
fn tensorflow(name: &str, prefix: usize) -> String {
    let parts: Vec<&str> = name.split('/').collect();
    let end = parts.len().saturating_sub(1);
    parts.get(prefix.min(end)..end).unwrap_or_default().join(".")
}

/// `Conv__82`.
fn is_numbered(name: &str) -> bool {
    name.rsplit_once("__")
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The number of leading parts that the names of all of TensorFlow's convolutions and products share.
fn common_prefix(nodes: &[NodeProto]) -> usize {
    let layers = nodes.iter().filter(|node| matches!(node.op_type.as_str(), "Conv" | "MatMul" | "Gemm"));
    let mut paths = layers.filter(|node| node.name.contains('/')).map(|node| {
        let mut parts: Vec<&str> = node.name.split('/').collect();
        // Without the layer and its operation: a network of one layer keeps the layer's name.
        parts.truncate(parts.len().saturating_sub(2));
        parts
    });
    let Some(first) = paths.next() else { return 0 };
    paths.fold(first.len(), |shared, path| {
        first.iter().zip(&path).take(shared).take_while(|(a, b)| a == b).count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_that_two_modules_share_names_neither() {
        let module = |path: &str| Place::Module(path.to_owned());
        let places = [module("blocks.0.norm"), module("blocks.1.norm"), Place::Unknown, module("head")];
        let name = |text: &str| Some(text.to_owned());
        let weighted =
            vec![name("blocks.0.norm"), name("blocks.0.norm"), name("blocks.0.norm"), name("head")];
        let found = without_shared(weighted, &places);
        assert_eq!(found, [None, None, name("blocks.0.norm"), name("head")]);
    }

    #[test]
    fn every_exporter_has_its_way_of_naming() {
        assert_eq!(torch_script("/layer4/layer4.1/conv2/Conv"), "layer4.1.conv2");
        assert_eq!(torch_script("/features/features.1/conv/conv.0/conv.0.0/Conv"), "features.1.conv.0.0");
        assert_eq!(torch_script("/Flatten"), "");
        assert_eq!(dynamo("['', 'layer1', 'layer1.0', 'layer1.0.bn1', 'x_3']").unwrap(), "layer1.0.bn1");
        assert_eq!(dynamo("['', 'view']").unwrap(), "");
        assert_eq!(dynamo("nonsense"), None);
        assert_eq!(tensorflow("Call/resnet50/conv1_conv/Conv2D", 2), "conv1_conv");
        assert_eq!(tensorflow("Call/resnet50/add", 2), "");
        assert!(is_numbered("Conv__82") && !is_numbered("Conv__") && !is_numbered("conv1_2"));
    }
}
