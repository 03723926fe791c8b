//! Local functions of a file: every call is replaced by the function's nodes.
//!
//! Names inside get the call's name as a prefix, so that two calls do not collide. Functions may call others; depth
//! and size are bounded, because a file of a few bytes could otherwise expand without limit.

use std::collections::HashMap;

use prost::Message as _;

use super::messages::{FunctionProto, GraphProto, NodeProto};
use super::size;
use crate::error::Problem;
use crate::memory::allow;

/// Limit on nested calls.
const MAX_DEPTH: usize = 16;

/// Limit on nodes of the whole graph after inlining.
pub(super) const MAX_NODES: usize = 1 << 17;

/// Replaces every call of a local function by the function's nodes.
pub(super) fn inline(graph: &mut GraphProto, functions: &[FunctionProto]) -> Result<(), Problem> {
    let mut by_name: HashMap<(&str, &str), &FunctionProto> = HashMap::new();
    for function in functions {
        by_name.entry((&function.domain, &function.name)).or_insert(function);
    }
    for _ in 0..MAX_DEPTH {
        let function_of =
            |node: &NodeProto| by_name.get(&(node.domain.as_str(), node.op_type.as_str())).copied();
        if !graph.node.iter().any(|node| function_of(node).is_some()) {
            return Ok(());
        }
        let (mut nodes, mut taken) = (Vec::with_capacity(graph.node.len()), 0_u64);
        let mut sizes: HashMap<*const FunctionProto, u64> = HashMap::new();
        for (at, node) in std::mem::take(&mut graph.node).into_iter().enumerate() {
            match function_of(&node) {
                Some(function) => {
                    let call = Call::new(&node, at, function)?;
                    // Every call copies the function's nodes with what they hold, and its own attributes into them.
                    let copied =
                        sizes.entry(function).or_insert_with(|| size::of_function(&function.encode_to_vec()));
                    let given =
                        size::of_node(&node.encode_to_vec()).saturating_mul(function.node.len() as u64);
                    taken = taken.saturating_add(*copied).saturating_add(given);
                    allow(taken)?;
                    nodes.extend(function.node.iter().map(|inner| call.rename(inner)));
                }
                None => nodes.push(node),
            }
            if nodes.len() > MAX_NODES {
                return Err(Problem::new(format!(
                    "has more than {MAX_NODES} nodes with its functions put in"
                )));
            }
        }
        graph.node = nodes;
    }
    Err(Problem::new(format!("calls functions within functions more than {MAX_DEPTH} deep")))
}

/// One call of a function.
struct Call<'a> {
    node: &'a NodeProto,
    prefix: String,
    /// The function's names of its inputs and outputs, mapped to the caller's.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> Call<'a> {
    fn new(node: &'a NodeProto, at: usize, function: &'a FunctionProto) -> Result<Self, Problem> {
        let (inputs, outputs) = (&function.input, &function.output);
        if node.input.len() > inputs.len() || node.output.len() > outputs.len() {
            return Err(Problem::new(format!(
                "calls function '{}' with more values than it takes or gives",
                node.op_type
            )));
        }
        let given = |list: &'a [String]| list.iter().map(String::as_str).chain(std::iter::repeat(""));
        let pairs = inputs.iter().zip(given(&node.input)).chain(outputs.iter().zip(given(&node.output)));
        // An output that the caller does not use keeps its own name.
        let names = pairs.filter(|(inner, outer)| !outer.is_empty() || inputs.contains(inner));
        Ok(Self {
            node,
            prefix: format!("{at}:{}", node.op_type),
            names: names.map(|(a, b)| (a.as_str(), b)).collect(),
        })
    }

    fn rename(&self, inner: &NodeProto) -> NodeProto {
        let mut node = inner.clone();
        node.rename(&|name| match self.names.get(name) {
            _ if name.is_empty() => None,
            Some(outer) => Some((*outer).to_owned()),
            None => Some(format!("{}:{name}", self.prefix)),
        });
        if !self.node.name.is_empty() {
            node.name = format!(
                "{}/{}",
                self.node.name,
                if inner.name.is_empty() { &inner.op_type } else { &inner.name }
            );
        }
        if node.metadata_props.is_empty() {
            node.metadata_props.clone_from(&self.node.metadata_props);
        }
        // Attributes that refer to an attribute of the call; if the call omits it, it is unset.
        node.attribute = node
            .attribute
            .into_iter()
            .filter_map(|mut attribute| {
                if attribute.ref_attr_name.is_empty() {
                    return Some(attribute);
                }
                let mut given =
                    self.node.attribute.iter().find(|given| given.name == attribute.ref_attr_name)?.clone();
                std::mem::swap(&mut given.name, &mut attribute.name);
                Some(given)
            })
            .collect();
        node
    }
}
