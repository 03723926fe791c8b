//! Walks an ONNX graph from its input to the scores; each needed node is folded or lowered, in order.

use std::collections::{HashMap, HashSet};

use super::builder::{Builder, Tensor};
use super::evaluate::{check_supported, evaluate};
use super::file::Source;
use super::live::Live;
use super::messages::{GraphProto, NodeProto, TensorProto};
use super::order;
use super::quantised;
use super::site::{Site, Value};
use super::step::Step;
use crate::error::{OptionName, Phrase, Problem};

/// The operator sets whose operations have been checked against the specification.
const OLDEST: i64 = 7;
const NEWEST: i64 = 28;

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
    /// Values of inputs other than the picture.
    known: HashMap<String, Value>,
}

impl<'a> Walk<'a> {
    /// Finds the nodes that `output` depends on and checks that all of them exist and are supported.
    pub(super) fn new(
        source: &'a Source,
        output: &str,
        known: HashMap<String, Value>,
    ) -> Result<Self, Problem> {
        let graph = &source.graph;
        let weights = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let opset = opset(source)?;
        let needed = order::leading_to(output, graph, &weights)?;
        check_supported(needed.iter().map(|at| &graph.node[*at]))?;
        Ok(Self { source, graph, opset, weights, written: written(graph), needed, known })
    }

    /// The name in the file of the only input that the scores depend on and whose value is not known, if they depend on any.
    pub(super) fn input(&self) -> Result<Option<&'a str>, Problem> {
        let read: HashSet<&str> =
            self.needed.iter().flat_map(|at| self.graph.node[*at].input.iter().map(String::as_str)).collect();
        let free = self.graph.input.iter().map(|input| input.name.as_str());
        let used: Vec<&str> = free
            .filter(|name| !self.weights.contains_key(name) && read.contains(name))
            .filter(|name| !self.known.contains_key(*name))
            .collect();
        match used[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => {
                let problem = Problem::new(format!("has {} inputs ({})", used.len(), used.join(", ")));
                let hint = Phrase::default().set(OptionName::Inputs, "NAME=FILE.npy");
                Err(problem.expected("one picture").hint(hint.text(" makes another input a constant")))
            }
        }
    }

    /// Whether tensors are rounded to integers on the way.
    pub(super) fn rounds(&self) -> bool {
        self.source.dynamic || self.needed.iter().any(|at| self.graph.node[*at].op_type == "QuantizeLinear")
    }

    /// Lowers everything. `input` has the name of the graph's input, its value, and whether it takes integers.
    pub(super) fn run<'s>(
        &'s self,
        builder: &mut Builder,
        input: (&'s str, Value, bool),
        output: &'s str,
    ) -> Result<Tensor, Problem> {
        let (value, is_whole) = self.lower_to(builder, Some(input), output)?;
        scores(output, value, is_whole)
    }

    /// Lowers all that leads to `output`; gives its value, and whether that is made of whole numbers with a step.
    pub(super) fn lower_to<'s>(
        &'s self,
        builder: &mut Builder,
        input: Option<(&'s str, Value, bool)>,
        output: &'s str,
    ) -> Result<(Option<Value>, bool), Problem> {
        let nodes = self.needed.iter().map(|at| &self.graph.node[*at]);
        let mut values = Live::new(nodes, output, self.source.room);
        let mut steps: HashMap<&str, Step> = HashMap::new();
        if let Some((name, value, is_whole)) = input {
            values.insert(name, value)?;
            steps.extend(is_whole.then_some((name, Step::ONE)));
        }
        for (name, value) in &self.known {
            values.insert(name, value.clone())?;
        }
        let mut sources: HashMap<&str, &str> = HashMap::new();
        for at in &self.needed {
            let node = &self.graph.node[*at];
            let explain = |problem| node.explain(problem);
            builder.begin(*at);
            let mut site = self.site(node, &values, &sources).map_err(explain)?;
            let step = stepped(&mut site, &steps).map_err(explain)?;
            let results = values_of(builder, &site, step).map_err(explain)?;
            for (name, value) in node.output.iter().zip(results) {
                if let (Some(step), false) = (step, value.is_known()) {
                    steps.insert(name, step);
                }
                if let (Value::Constant(_), Some(origin)) = (&value, site.named_weight()) {
                    sources.insert(name, origin);
                }
                values.insert(name, value).map_err(explain)?;
            }
            values.read_by(node);
        }
        Ok((values.take(output), steps.contains_key(output)))
    }

    /// A node with its inputs.
    fn site<'s>(
        &'s self,
        node: &'s NodeProto,
        values: &Live,
        sources: &HashMap<&str, &'s str>,
    ) -> Result<Site<'s>, Problem> {
        let inputs = node.input.iter().map(|name| self.value(name, values)).collect::<Result<_, _>>()?;
        let named =
            node.input.iter().map(|name| *sources.get(name.as_str()).unwrap_or(&name.as_str())).collect();
        let Self { source, opset, written, .. } = self;
        Ok(Site {
            node,
            source,
            opset: *opset,
            written,
            inputs,
            sources: named,
            merged: None,
            row: false,
            step: None,
        })
    }

    /// The value of a name. Weights are decoded again at each use, so that they are never all in memory twice.
    fn value(&self, name: &str, values: &Live) -> Result<Option<Value>, Problem> {
        match (values.get(name), self.weights.get(name)) {
            (Some(value), _) => Ok(Some(value.clone())),
            (None, Some(tensor)) => Ok(Some(self.source.constant(tensor)?.into())),
            (None, None) if name.is_empty() => Ok(None),
            (None, None) => Err(Problem::new(format!("reads '{name}', an output that is not supported"))
                .expected("the main output of its node")),
        }
    }
}

/// Says a node the step of its inputs, and gives that of its results.
fn stepped(site: &mut Site, steps: &HashMap<&str, Step>) -> Result<Option<Step>, Problem> {
    let read: Vec<_> = site.node.input.iter().map(|name| steps.get(name.as_str()).copied()).collect();
    site.step = read.iter().flatten().next().copied();
    quantised::after(site, &read)
}

/// What a node gives.
fn values_of(builder: &mut Builder, site: &Site, step: Option<Step>) -> Result<Vec<Value>, Problem> {
    match (site.op(), step, site.input(0)) {
        // From one type of integers to another that holds them all.
        ("Cast", Some(_), Some(same)) => Ok(vec![same.clone()]),
        _ => evaluate(builder, site),
    }
}

/// The tensor of the output, one row per picture.
fn scores(output: &str, value: Option<Value>, is_whole: bool) -> Result<Tensor, Problem> {
    if is_whole {
        let problem = Problem::new(format!("its output '{output}' is made of whole numbers"));
        return Err(problem.expected("scores"));
    }
    match value {
        Some(Value::Tensor(tensor) | Value::Sequence(tensor)) => Ok(tensor),
        Some(Value::Row(_) | Value::Rows(_) | Value::Merged(_)) => {
            let problem =
                Problem::new(format!("its output '{output}' has the pictures of a batch in one list"));
            Err(problem.expected("[batch, classes]"))
        }
        _ => Err(Problem::new(format!("its output '{output}' does not depend on the picture"))),
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

fn opset(source: &Source) -> Result<i64, Problem> {
    let version = source.opset.ok_or("does not say which operator set it uses")?;
    match version {
        OLDEST..=NEWEST => Ok(version),
        _ => Err(Problem::new(format!("uses operator set {version}"))
            .expected(format!("{OLDEST} to {NEWEST}"))
            .hint("convert it with onnx.version_converter")),
    }
}
