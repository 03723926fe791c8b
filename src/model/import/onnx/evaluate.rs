//! One node: folded if all its inputs are known, lowered otherwise.
//!
//! Receives a [`Site`], returns the values that the node gives. Which operations are supported is asked here too, before
//! the first node is evaluated.

use super::builder::Builder;
use super::messages::{NodeProto, is_standard};
use super::site::{Site, Value};
use super::{fold, interpret, lanes, lower, merged, sequence};
use crate::card::Op;
use crate::error::Problem;
use crate::import::kinds::Kinds;

/// An error that names every unsupported operation, how often it is used and where first.
pub(super) fn check_supported<'a>(nodes: impl IntoIterator<Item = &'a NodeProto>) -> Result<(), Problem> {
    let (mut unsupported, mut last) = (Kinds::default(), "");
    for node in nodes {
        let standard = is_standard(&node.domain);
        let known = lower::find(&node.op_type).is_some() || fold::find(&node.op_type).is_some();
        if !(standard && known) {
            let kind =
                if standard { node.op_type.clone() } else { format!("{}::{}", node.domain, node.op_type) };
            unsupported.count(kind, || node.called());
            last = &node.op_type;
        }
    }
    let say = |kind: &str, count: usize, first: &str| {
        let nodes = if count == 1 { "node" } else { "nodes" };
        format!("'{kind}' (used by {count} {nodes}, first {first})")
    };
    let Some(list) = unsupported.listed(say) else { return Ok(()) };
    let noun = if unsupported.len() == 1 { "an operation that is" } else { "operations that are" };
    let problem = Problem::new(format!("uses {noun} not supported: {list}"));
    Err(problem.hint(match (unsupported.len(), last) {
        (1, "LSTM" | "GRU" | "RNN") => {
            "docs/onnx.md shows how to write a recurrent layer out step by step, which is read"
        }
        (1, "If") => {
            "its condition depends on the picture: export the network with the one branch that it takes"
        }
        _ => "docs/onnx.md lists those that are; export the part before it, or rewrite it with them",
    }))
}

/// Evaluates a node if all its inputs are known, else adds it to the graph.
pub(super) fn evaluate(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let known = |value: &Option<Value>| value.as_ref().is_none_or(Value::is_known);
    let of_shape = matches!(site.op(), "Shape" | "Size");
    // Only the type of the second input matters here, not its value.
    let of_kind = site.op() == "CastLike" && site.inputs.first().is_some_and(known);
    let now = site.inputs.iter().all(known) || of_shape || of_kind;
    match (fold::find(site.op()).filter(|_| now), lower::find(site.op())) {
        (Some(fold), _) => lanes::fold(site, fold),
        (None, Some(lower)) if now => {
            Ok(interpret::fold(site, lower)?.into_iter().map(Value::from).collect())
        }
        (None, Some(_)) if lower::is_of_chosen(site) => lower::on_chosen(builder, site),
        (None, Some(lower)) if sequence::concerns(site) => sequence::lower(builder, site, lower, evaluate),
        (None, Some(lower)) if site.inputs.iter().any(|input| matches!(input, Some(Value::Merged(_)))) => {
            let site = site_of_parts(builder, site)?;
            merged::lower(builder, &site, lower)
        }
        (None, Some(lower)) if site.inputs.iter().any(|input| matches!(input, Some(Value::Rows(_)))) => {
            on_rows(builder, site, lower)
        }
        (None, Some(lower)) => lower(builder, site),
        (None, None) => Err("works on a computed value, which is supported only for constants".into()),
    }
}

/// Lowers a node that reads rows. Operations that treat each row separately are applied to the value that the rows
/// belong to, and a reshape of the rows is a reshape of that value.
fn on_rows(builder: &mut Builder, site: &Site, lower: lower::Lower) -> Result<Vec<Value>, Problem> {
    let unlisted = |input: &Option<Value>| match input {
        Some(Value::Rows(tensor)) => Some(Value::Tensor(tensor.clone())),
        other => other.clone(),
    };
    let listed = |value: Value| match value {
        Value::Tensor(tensor) => Value::Rows(tensor),
        other => other,
    };
    let inputs = site.inputs.iter().map(unlisted).collect();
    let inner = Site { inputs, sources: site.sources.clone(), ..*site };
    match site.op() {
        "Reshape" => lower(builder, &inner),
        // The product with a vector has one number per row, so there are no rows left.
        "MatMul" if matches!(site.input(1), Some(Value::Constant(vector)) if vector.shape().len() == 1) => {
            lower(builder, site)
        }
        op if lower::is_rowwise(op) => Ok(lower(builder, &inner)?.into_iter().map(listed).collect()),
        _ => {
            let site = site_of_parts(builder, site)?;
            merged::lower(builder, &site, lower)
        }
    }
}

/// A site whose rows are parts of their pictures, `[batch, rows, features]`.
fn site_of_parts<'a>(builder: &mut Builder, site: &Site<'a>) -> Result<Site<'a>, Problem> {
    let mut inputs = Vec::with_capacity(site.inputs.len());
    for input in &site.inputs {
        inputs.push(match input {
            Some(Value::Rows(x)) if !x.is_batch(0) => {
                let problem =
                    Problem::new("works on rows of which those of a picture are not next to each other");
                return Err(problem.expected("the pictures of a batch one after the other"));
            }
            Some(Value::Rows(x)) if x.rank() == 3 => Some(Value::Merged(x.clone())),
            Some(Value::Rows(x)) => {
                let last = x.side(x.rank() - 1)?;
                Some(Value::Merged(builder.unary(Op::Reshape { shape: vec![0, -1, last as i64] }, x)?))
            }
            other => other.clone(),
        });
    }
    Ok(Site { inputs, sources: site.sources.clone(), ..*site })
}
