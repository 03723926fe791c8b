//! `If` whose condition is the same for every picture: the nodes of the branch that is taken stand in its place.
//!
//! PyTorch's older exporter writes one for each `squeeze` of an axis whose length it does not know. Receives a file. Conditions are
//! computed by a walk up to them; an `If` that depends on the picture stays, and is refused when the scores depend on it.

use std::collections::{HashMap, HashSet};

use super::builder::Builder;
use super::constant::Constant;
use super::file::Source;
use super::messages::{GraphProto, NodeProto, is_standard};
use super::site::Value;
use super::walk::Walk;
use super::{input, known};
use crate::error::Problem;
use crate::import::request::KnownInput;

/// Limit on conditions that are computed, because each is a walk through the graph.
const MOST: usize = 100;

/// Puts in all branches that are known to be taken, in order, so that one may decide over a later one or one inside of it. `size` and `inputs` are what the
/// caller knows.
pub(super) fn put_in(source: &mut Source, size: Option<[usize; 2]>, inputs: &[KnownInput]) {
    let (mut at, mut left) = (0, MOST);
    while let Some(node) = source.graph.node.get(at) {
        let mut taken = None;
        if left > 0 && node.op_type == "If" && is_standard(&node.domain) {
            left -= 1;
            let holds = condition(source, node, size, inputs);
            taken = holds.and_then(|holds| branch(node, holds)).cloned();
        }
        match taken {
            // Its first node is now the next.
            Some(branch) => replace(&mut source.graph, at, branch),
            None => at += 1,
        }
    }
}

fn branch(node: &NodeProto, holds: bool) -> Option<&GraphProto> {
    let name = if holds { "then_branch" } else { "else_branch" };
    node.attribute.iter().find(|attribute| attribute.name == name)?.g.as_deref()
}

/// Whether the condition holds; `None` where it cannot be known.
fn condition(
    source: &Source,
    node: &NodeProto,
    size: Option<[usize; 2]>,
    inputs: &[KnownInput],
) -> Option<bool> {
    let name = node.input.first()?;
    let stored = source.graph.initializer.iter().find(|tensor| tensor.name == *name);
    let value = match stored {
        Some(tensor) => source.constant(tensor).ok()?.into(),
        None => computed(source, name, size, inputs).ok()??,
    };
    match &value {
        Value::Constant(constant) | Value::Repeated(constant) => truth(constant),
        Value::PerBatch(both) => truth(&both[0]).filter(|first| truth(&both[1]) == Some(*first)),
        _ => None,
    }
}

/// The one truth value, which is the same for batches of any size.
fn truth(constant: &Constant) -> Option<bool> {
    Some(constant.scalar()? != 0.0)
}

fn computed(
    source: &Source,
    name: &str,
    size: Option<[usize; 2]>,
    inputs: &[KnownInput],
) -> Result<Option<Value>, Problem> {
    let mut given = known::known(&source.graph, inputs)?;
    if let Some(value) = given.remove(name) {
        return Ok(Some(value));
    }
    let walk = Walk::new(source, name, given)?;
    let (mut builder, input) = match walk.input()? {
        Some(name) => {
            let picture = input::Picture::of(source, name, size)?;
            let (builder, first) = picture.enter(name, source.room)?;
            (builder, Some((name, first, picture.whole)))
        }
        None => (Builder::of_constants(source.room), None),
    };
    walk.lower_to(&mut builder, input, name).map(|(value, _)| value)
}

/// Puts the nodes of a branch in the place of node `at`.
fn replace(graph: &mut GraphProto, at: usize, branch: GraphProto) {
    let GraphProto { mut node, mut initializer, output: results, .. } = branch;
    let outputs = std::mem::take(&mut graph.node[at].output);
    // Names inside of two branches may be the same.
    let prefix = outputs.first().cloned().unwrap_or_default();
    let own = node.iter().flat_map(|node| &node.output).chain(initializer.iter().map(|tensor| &tensor.name));
    let own = own.filter(|name| !name.is_empty());
    let mut names: HashMap<String, String> =
        own.map(|name| (name.clone(), format!("{prefix}:{name}"))).collect();
    let (mut same, mut given) = (Vec::new(), HashSet::new());
    for (result, output) in results.into_iter().zip(outputs).filter(|(_, output)| !output.is_empty()) {
        match names.get_mut(&result.name).filter(|_| given.insert(result.name.clone())) {
            Some(name) => *name = output,
            // A value from outside of the branch, or one that it gives twice.
            None => same.push((result.name, output)),
        }
    }
    let new = |name: &str| names.get(name).cloned();
    node.iter_mut().for_each(|node| node.rename(&new));
    for tensor in &mut initializer {
        tensor.name = new(&tensor.name).unwrap_or_default();
    }
    let same = same.into_iter().map(|(from, to)| NodeProto {
        input: vec![new(&from).unwrap_or(from)],
        output: vec![to],
        op_type: "Identity".to_owned(),
        ..NodeProto::default()
    });
    graph.node.splice(at..=at, node.into_iter().chain(same));
    graph.initializer.append(&mut initializer);
}
