//! `DynamicQuantizeLinear`: integers whose step follows from the tensor itself.
//!
//! Receives a graph; finds those whose integers only go into sums that are multiplied by the step afterwards, as onnxruntime's quantiser
//! writes them. There the step cancels, and the integers may be the real numbers. Any other use of integers or step is not known.

use std::collections::{HashMap, HashSet};

use super::messages::{GraphProto, NodeProto, is_standard};

/// The tensors of integers, by name, that may be the real numbers they were made of.
pub(super) fn cancelling(graph: &GraphProto) -> HashSet<String> {
    if !graph.node.iter().any(is_dynamic) {
        return HashSet::new();
    }
    let mut readers: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
    for node in &graph.node {
        node.input.iter().for_each(|name| readers.entry(name).or_default().push(node));
    }
    let uses = Uses {
        readers,
        outputs: graph.output.iter().map(|output| output.name.as_str()).collect(),
        stored: graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect(),
    };
    let found = graph.node.iter().filter(|node| is_dynamic(node) && uses.cancels(node).unwrap_or(false));
    found.filter_map(|node| node.output.first().cloned()).collect()
}

/// Whether a node gives integers whose step follows from its tensor.
pub(super) fn is_dynamic(node: &NodeProto) -> bool {
    node.op_type == "DynamicQuantizeLinear" && is_standard(&node.domain)
}

/// Who reads what in a graph.
struct Uses<'a> {
    readers: HashMap<&'a str, Vec<&'a NodeProto>>,
    outputs: HashSet<&'a str>,
    stored: HashSet<&'a str>,
}

impl<'a> Uses<'a> {
    fn of(&self, name: &str) -> &[&'a NodeProto] {
        self.readers.get(name).map_or(&[], Vec::as_slice)
    }

    /// The only reader of what a node gives.
    fn next(&self, node: &'a NodeProto, op: &str) -> Option<&'a NodeProto> {
        let name = node.output.first()?;
        match self.of(name) {
            [reader] if reader.op_type == op && !self.outputs.contains(name.as_str()) => Some(reader),
            _ => None,
        }
    }

    /// Whether every sum of a node's integers is cast to real numbers and multiplied by their step, and nothing else reads either.
    fn cancels(&self, node: &'a NodeProto) -> Option<bool> {
        let [integers, step, zero] = &node.output[..] else { return None };
        // The step, and its products with those of weights.
        let products = self
            .of(step)
            .iter()
            .filter(|reader| reader.input.iter().any(|name| self.stored.contains(name.as_str())));
        let products =
            products.filter(|reader| reader.op_type == "Mul").filter_map(|reader| reader.output.first());
        let steps: HashSet<&str> = products.chain([step]).map(String::as_str).collect();
        let mut casts = HashSet::new();
        for sum in self.of(integers) {
            let is_sum = matches!(sum.op_type.as_str(), "ConvInteger" | "MatMulInteger");
            let reads = |at: usize, name: &String| sum.input.get(at) == Some(name);
            let is_weighted = sum.input.get(1).is_some_and(|weight| self.stored.contains(weight.as_str()));
            let cast = self.next(sum, "Cast")?;
            let product = self.next(cast, "Mul")?;
            let is_scaled = product.input.iter().any(|name| steps.contains(name.as_str()));
            if !(is_sum && is_weighted && is_scaled && reads(0, integers) && reads(2, zero)) {
                return None;
            }
            casts.insert(cast.output.first()?.as_str());
        }
        let is_product = |reader: &&NodeProto| {
            let reads = |names: &HashSet<&str>| reader.input.iter().any(|name| names.contains(name.as_str()));
            reader.op_type == "Mul" && (reads(&casts) || reads(&self.stored))
        };
        let of_sum =
            |reader: &&NodeProto| reader.input.first() == Some(integers) && reader.input.get(2) == Some(zero);
        let is_hidden = |name: &&str| !self.outputs.contains(*name);
        let hidden = steps.iter().chain(&[integers.as_str(), zero.as_str()]).all(is_hidden);
        let scaled = steps.iter().all(|name| self.of(name).iter().all(is_product));
        Some(hidden && scaled && !casts.is_empty() && self.of(zero).iter().all(of_sum))
    }
}
