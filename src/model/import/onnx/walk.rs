//! Walks an ONNX graph from its input to the scores; each needed node is folded or lowered, in order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::builder::{Builder, Tensor};
use super::file::Source;
use super::messages::{GraphProto, NodeProto, TensorProto};
use super::site::{Site, Value};
use super::whole::{self, Whole};
use super::{fold, lanes, lower};
use crate::error::did_you_mean;

/// The operator sets whose operations have been checked against the specification.
const OLDEST: i64 = 7;
const NEWEST: i64 = 28;

/// Limit on unsupported operations in one message.
const LISTED: usize = 8;

/// An ONNX graph whose references have been checked.
pub(super) struct Walk<'a> {
    source: &'a Source,
    graph: &'a GraphProto,
    opset: i64,
    weights: HashMap<&'a str, &'a TensorProto>,
    /// The types of weights and of `Constant` values, as codes of `TensorProto.DataType`.
    written: HashMap<&'a str, i32>,
    /// Positions of the nodes that the scores depend on, in order.
    needed: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// Finds the nodes that `output` depends on and checks that all of them exist and are supported.
    pub(super) fn new(source: &'a Source, output: &str) -> Result<Self, String> {
        let graph = &source.graph;
        let weights = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let opset = opset(source)?;
        let mut walk = Self { source, graph, opset, weights, written: written(graph), needed: vec![] };
        walk.needed = walk.leading_to(output)?;
        walk.check_supported()?;
        Ok(walk)
    }

    /// Positions of the nodes that lead to `output`. Iterative, because the graph may be too deep for recursion.
    fn leading_to(&self, output: &str) -> Result<Vec<usize>, String> {
        let mut givers: HashMap<&str, usize> = HashMap::new();
        for (at, node) in self.graph.node.iter().enumerate() {
            for name in node.output.iter().filter(|name| !name.is_empty()) {
                if givers.insert(name, at).is_some() {
                    return Err(format!("{} gives '{name}', which an earlier node gives too", called(node)));
                }
            }
        }
        let inputs: HashSet<&str> = self.graph.input.iter().map(|input| input.name.as_str()).collect();
        let last = givers.get(output).ok_or_else(|| format!("nothing gives its output '{output}'"))?;
        let (mut open, mut found) = (vec![*last], HashSet::from([*last]));
        while let Some(at) = open.pop() {
            let node = &self.graph.node[at];
            for name in node.input.iter().filter(|name| !name.is_empty()) {
                match givers.get(name.as_str()) {
                    Some(giver) if found.insert(*giver) => open.push(*giver),
                    Some(_) => {}
                    None if self.weights.contains_key(name.as_str()) || inputs.contains(name.as_str()) => {}
                    None => {
                        let known = givers.keys().chain(self.weights.keys()).chain(&inputs).copied();
                        let hint = did_you_mean(name, known);
                        return Err(format!("{} reads '{name}', which nothing gives{hint}", called(node)));
                    }
                }
            }
        }
        self.in_order(&found, &givers)
    }

    /// The nodes in an order in which they can run: that of the file, except that a node comes after those it reads.
    fn in_order(&self, needed: &HashSet<usize>, givers: &HashMap<&str, usize>) -> Result<Vec<usize>, String> {
        let mut waiting: HashMap<usize, usize> = HashMap::new();
        let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
        for at in needed {
            let reads: HashSet<usize> = self.graph.node[*at]
                .input
                .iter()
                .filter_map(|name| givers.get(name.as_str()).copied())
                .collect();
            waiting.insert(*at, reads.len());
            reads.into_iter().for_each(|giver| readers.entry(giver).or_default().push(*at));
        }
        let free = waiting.iter().filter(|(_, reads)| **reads == 0);
        let mut ready: BTreeSet<usize> = free.map(|(at, _)| *at).collect();
        let mut order = Vec::with_capacity(needed.len());
        while let Some(at) = ready.pop_first() {
            order.push(at);
            for reader in readers.get(&at).into_iter().flatten() {
                let left = waiting.entry(*reader).or_default();
                *left -= 1;
                if *left == 0 {
                    ready.insert(*reader);
                }
            }
        }
        if order.len() < needed.len() {
            let stuck = needed.iter().filter(|at| waiting.get(at) != Some(&0)).min();
            let stuck = stuck.map_or_else(String::new, |at| called(&self.graph.node[*at]));
            return Err(format!(
                "has a cycle that {stuck} waits for, expected nodes that can run one after the other"
            ));
        }
        Ok(order)
    }

    /// An error that names every unsupported operation, how often it is used and where first.
    fn check_supported(&self) -> Result<(), String> {
        let mut unsupported: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for node in self.needed.iter().map(|at| &self.graph.node[*at]) {
            let standard = matches!(node.domain.as_str(), "" | "ai.onnx");
            let known = lower::find(&node.op_type).is_some() || fold::find(&node.op_type).is_some();
            if !(standard && known) {
                let kind = if standard {
                    node.op_type.clone()
                } else {
                    format!("{}::{}", node.domain, node.op_type)
                };
                unsupported.entry(kind).or_insert_with(|| (0, called(node))).0 += 1;
            }
        }
        if unsupported.is_empty() {
            return Ok(());
        }
        let line = |(kind, (count, first)): (&String, &(usize, String))| {
            let nodes = if *count == 1 { "node" } else { "nodes" };
            format!("'{kind}' (used by {count} {nodes}, first {first})")
        };
        let mut list: Vec<String> = unsupported.iter().take(LISTED).map(line).collect();
        if unsupported.len() > LISTED {
            list.push(format!("and {} more kinds", unsupported.len() - LISTED));
        }
        let noun = if unsupported.len() == 1 { "an operation that is" } else { "operations that are" };
        Err(format!(
            "uses {noun} not supported: {} (convolutional classifiers are; see docs/onnx.md)",
            list.join(", ")
        ))
    }

    /// The name in the file of the only input that the scores depend on.
    pub(super) fn input(&self) -> Result<&'a str, String> {
        let read: HashSet<&str> =
            self.needed.iter().flat_map(|at| self.graph.node[*at].input.iter().map(String::as_str)).collect();
        let free = self.graph.input.iter().map(|input| input.name.as_str());
        let used: Vec<&str> =
            free.filter(|name| !self.weights.contains_key(name) && read.contains(name)).collect();
        match used[..] {
            [only] => Ok(only),
            [] => Err("its output does not depend on an input".into()),
            _ => Err(format!("has {} inputs ({}), expected one picture", used.len(), used.join(", "))),
        }
    }

    /// Lowers everything. `input` has the name of the graph's input, its value, and whether it takes integers.
    pub(super) fn run(
        &self,
        builder: &mut Builder,
        input: (&str, Tensor, bool),
        output: &str,
    ) -> Result<Tensor, String> {
        let mut whole: HashSet<&str> = HashSet::from_iter(input.2.then_some(input.0));
        let mut values: HashMap<&str, Value> = HashMap::from([(input.0, Value::Tensor(input.1))]);
        let mut sources: HashMap<&str, &str> = HashMap::new();
        for at in &self.needed {
            let node = &self.graph.node[*at];
            builder.begin(*at);
            let explain = |problem: String| format!("{} ({}): {problem}", called(node), node.op_type);
            let site = self.site(node, &values, &sources).map_err(explain)?;
            let reads_whole = node.input.iter().any(|name| whole.contains(name.as_str()));
            let after = if reads_whole { whole::after(&site).map_err(explain)? } else { Whole::Ends };
            if matches!(after, Whole::Stays | Whole::Unchanged(_)) {
                whole.extend(node.output.iter().map(String::as_str));
            }
            let results = match after {
                Whole::Unchanged(value) => vec![value],
                Whole::Stays | Whole::Ends => evaluate(builder, &site).map_err(explain)?,
            };
            for (name, value) in node.output.iter().zip(results) {
                if let (Value::Constant(_), Some(origin)) = (&value, site.named_weight()) {
                    sources.insert(name, origin);
                }
                values.insert(name, value);
            }
        }
        if whole.contains(output) {
            return Err(format!("its output '{output}' is made of whole numbers, expected scores"));
        }
        match values.remove(output) {
            Some(Value::Tensor(tensor)) => Ok(tensor),
            Some(Value::Row(_) | Value::Rows(_)) => Err(format!(
                "its output '{output}' has the pictures of a batch in one list, expected [batch, classes]"
            )),
            _ => Err(format!("its output '{output}' does not depend on the picture")),
        }
    }

    /// A node with its inputs.
    fn site<'s>(
        &'s self,
        node: &'s NodeProto,
        values: &HashMap<&str, Value>,
        sources: &HashMap<&str, &'s str>,
    ) -> Result<Site<'s>, String> {
        let inputs = node.input.iter().map(|name| self.value(name, values)).collect::<Result<_, _>>()?;
        let named =
            node.input.iter().map(|name| *sources.get(name.as_str()).unwrap_or(&name.as_str())).collect();
        let Self { source, opset, written, .. } = self;
        Ok(Site { node, source, opset: *opset, written, inputs, sources: named })
    }

    /// The value of a name. Weights are decoded again at each use, so that they are never all in memory twice.
    fn value(&self, name: &str, values: &HashMap<&str, Value>) -> Result<Option<Value>, String> {
        match (values.get(name), self.weights.get(name)) {
            (Some(value), _) => Ok(Some(value.clone())),
            (None, Some(tensor)) => Ok(Some(self.source.constant(tensor)?.into())),
            (None, None) if name.is_empty() => Ok(None),
            (None, None) => Err(format!(
                "reads '{name}', an output that is not supported, expected the main output of its node"
            )),
        }
    }
}

/// Evaluates a node if all its inputs are known, else adds it to the graph.
fn evaluate(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let known = |value: &Option<Value>| {
        matches!(value, None | Some(Value::Constant(_) | Value::Repeated(_) | Value::PerBatch(_)))
    };
    let of_shape = matches!(site.op(), "Shape" | "Size");
    // Only the type of the second input matters here, not its value.
    let of_kind = site.op() == "CastLike" && site.inputs.first().is_some_and(known);
    let now = site.inputs.iter().all(known) || of_shape || of_kind;
    match (fold::find(site.op()).filter(|_| now), lower::find(site.op()).filter(|_| !now)) {
        (Some(fold), _) => lanes::fold(site, fold),
        (None, Some(lower)) if site.inputs.iter().any(|input| matches!(input, Some(Value::Rows(_)))) => {
            on_rows(builder, site, lower)
        }
        (None, Some(lower)) => lower(builder, site),
        (None, None) if now => Err("works on constants alone, which is not supported".into()),
        (None, None) => Err("works on a computed value, which is supported only for constants".into()),
    }
}

/// Lowers a node that reads rows. Operations that treat each row separately are applied to the value that the rows
/// belong to, and a reshape of the rows is a reshape of that value.
fn on_rows(builder: &mut Builder, site: &Site, lower: lower::Lower) -> Result<Vec<Value>, String> {
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
        _ => lower(builder, site),
    }
}

/// How messages refer to a node.
fn called(node: &NodeProto) -> String {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => format!("the node that gives '{output}'"),
        (name, _) => format!("node '{name}'"),
    }
}

/// If a name is defined twice, an initialiser takes precedence over a `Constant`, also for its type.
fn written(graph: &GraphProto) -> HashMap<&str, i32> {
    let mut types = HashMap::new();
    for tensor in &graph.initializer {
        types.entry(tensor.name.as_str()).or_insert(tensor.data_type);
    }
    for node in graph.node.iter().filter(|node| node.op_type == "Constant") {
        let value = node.attribute.iter().find(|attribute| attribute.name == "value");
        if let Some(tensor) = value.and_then(|attribute| attribute.t.as_ref()) {
            for name in &node.output {
                types.entry(name.as_str()).or_insert(tensor.data_type);
            }
        }
    }
    types
}

fn opset(source: &Source) -> Result<i64, String> {
    let standard = source.opsets.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    let version = standard.ok_or("does not say which operator set it uses")?.version;
    match version {
        OLDEST..=NEWEST => Ok(version),
        _ => Err(format!(
            "uses operator set {version}, expected {OLDEST} to {NEWEST} (convert it with onnx.version_converter)"
        )),
    }
}
