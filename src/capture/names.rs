//! Names for layers: Burn records operations, and only parameters indicate their position in the module.
//!
//! Receives parameter paths, operations and their inputs; gives unique names. A layer with weights is named after its
//! module. An operation without weights is named after its kind and the module in which it most likely is: arithmetic
//! and activations belong to their input, everything else to the module that contains both of its neighbours.

use std::collections::{HashMap, HashSet};

use crate::card::{Class, Op};
use burncam_graph::builder::{Draft, ValueId};

/// The names in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// Names reserved for the module's parts.
    modules: HashSet<String>,
}

impl Names {
    /// Reserves the names of the modules with parameters at these paths.
    pub(super) fn of_modules<'a>(paths: impl IntoIterator<Item = &'a String>) -> Self {
        let modules = paths.into_iter().map(|path| parent(path).to_owned()).collect();
        Self { taken: HashSet::new(), modules }
    }

    /// `wanted`, or with a suffix `_2` and so on when it is in use. `path` is a parameter of the requesting node.
    pub(super) fn free(&mut self, wanted: String, path: Option<&str>) -> String {
        let own = path.map(parent);
        let is_free = |name: &String| {
            !self.taken.contains(name) && (!self.modules.contains(name) || own == Some(name.as_str()))
        };
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let name = std::iter::once(wanted.clone()).chain(numbered).find(is_free).unwrap_or(wanted);
        self.taken.insert(name.clone());
        name
    }
}

/// A name for every node of `draft`, in order. `next` has for each recorded operation the path of the next parameter
/// that is read.
pub(super) fn assign(draft: &Draft, next: &[Option<String>], names: &mut Names) -> Vec<String> {
    let mut called: HashMap<ValueId, String> = HashMap::from([(ValueId::INPUT, draft.input().name.clone())]);
    let mut own = Vec::new();
    for (id, node) in draft.nodes() {
        let mut by_age = node.inputs.clone();
        // Values are numbered in the order of their creation, so the last is the latest.
        by_age.sort_unstable();
        let inputs: Vec<&str> = by_age.iter().filter_map(|id| called.get(id)).map(String::as_str).collect();
        let first = node.op.roles().iter().find_map(|(role, _)| draft.weight_of(node, role));
        let path = first.map(|weight| weight.source.as_str()).filter(|path| !path.is_empty());
        let next = next.get(node.origin).and_then(Option::as_deref);
        let name = names.free(wanted(&node.op, &inputs, path, next), path);
        called.insert(id, name.clone());
        own.push(name);
    }
    own
}

/// The name for an operation with these inputs, in the order of their creation. `path` is its first parameter's,
/// `next` the path of the next parameter that the forward pass reads.
fn wanted(op: &Op, inputs: &[&str], path: Option<&str>, next: Option<&str>) -> String {
    let scope = match (path.map(parent), op) {
        (Some(module), op) if !module.is_empty() && !op.is_arithmetic() => return module.to_owned(),
        (Some(module), _) => module,
        (None, Op::Concat { .. }) => inputs.iter().copied().map(parent).reduce(common).unwrap_or_default(),
        (None, op) if belongs_to_input(op) => block(inputs),
        (None, _) => common(block(inputs), next.map_or("", parent)),
    };
    if scope.is_empty() { op.name() } else { format!("{scope}.{}", op.name()) }
}

/// The module of the latest input, or the enclosing one if another input comes from there: a block's sum belongs to
/// the block, also when its shortcut has its own module.
fn block<'a>(inputs: &[&'a str]) -> &'a str {
    let latest = inputs.last().map_or("", |name| parent(name));
    let around = inputs
        .iter()
        .map(|name| parent(name))
        .find(|scope| !scope.is_empty() && common(scope, latest) == *scope);
    around.unwrap_or(latest)
}

/// `layer1.conv1` for `layer1.conv1.weight`, empty for `weight`.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// The innermost module that contains both: `layer1` for `layer1.0` and `layer1.1`.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    let length: usize = same.map(|(part, _)| part.len() + 1).sum();
    &a[..length.saturating_sub(1).min(a.len())]
}

/// Operations that belong to their input's module.
fn belongs_to_input(op: &Op) -> bool {
    !matches!(
        op.class(),
        Class::Window(_) | Class::Product | Class::Movement | Class::Resampling | Class::Reduction(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_stand_in_the_module_that_they_are_applied_in() {
        let relu = |input| wanted(&Op::Relu {}, &[input], None, Some("layer1.1.conv1.weight"));
        assert_eq!(relu("layer1.0.bn1"), "layer1.0.relu");
        assert_eq!(relu("bn1"), "relu");
        let flatten = Op::Flatten { start_axis: 1 };
        assert_eq!(wanted(&flatten, &["layer4.relu"], None, Some("fc.weight")), "flatten");
        let pool = Op::GlobalAvgPool {};
        let squeeze = wanted(&pool, &["layer4.se.bn"], None, Some("layer4.se.reduce.weight"));
        assert_eq!(squeeze, "layer4.se.global_avg_pool");
    }

    #[test]
    fn a_sum_stands_in_its_block_whatever_its_shortcut_is() {
        let sum = |inputs: &[&str]| wanted(&Op::Add { scalar: None }, inputs, None, None);
        assert_eq!(sum(&["max_pool2d", "layer1.bn2"]), "layer1.add");
        assert_eq!(sum(&["layer2.bn2", "layer2.down.1"]), "layer2.add");
        assert_eq!(sum(&["layer3.0.relu", "layer3.1.bn2"]), "layer3.1.add");
    }

    #[test]
    fn weighted_layers_are_named_as_in_the_module_and_no_name_is_given_twice() {
        let op = Op::BatchNorm { epsilon: 1e-5 };
        assert_eq!(wanted(&op, &["conv1"], Some("bn1.gamma"), None), "bn1");
        assert_eq!(wanted(&op, &["conv1"], Some("gamma"), None), "batch_norm");
        let mut names = Names::of_modules([&"conv.weight".to_owned()]);
        let mut free = |name: &str, path| names.free(name.into(), path);
        assert_eq!([free("a", None), free("a", None), free("conv", None)], ["a", "a_2", "conv_2"]);
        let path = Some("conv.weight");
        assert_eq!([free("conv", path), free("conv", path)], ["conv", "conv_3"]);
    }
}
