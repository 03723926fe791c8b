//! A graph in the making: nodes and weights by number, the shape of every tensor, and who reads it.
//!
//! [`crate::builder`] fills it, [`crate::passes`] rewrite it, and [`Draft::finish`] makes it a [`Graph`]. All edits keep three
//! things true: a node comes after everything that it reads, the lists of readers are complete, and a node that nothing reads
//! is gone. Nodes keep their number for as long as they exist, so that edits cost no more than what they touch.

use std::collections::BTreeMap;

use crate::card::{Graph, InputSpec, Node, Op, ValueId, Values};
use crate::error::Problem;

/// A stored tensor that nodes take as a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WeightId(usize);

/// A stored tensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weight {
    /// Its shape, in the layout that the operation wants.
    pub shape: Vec<usize>,
    /// Row-major, the last axis fastest. Empty where only shapes are known: no pass changes such a weight.
    pub values: Vec<f32>,
    /// The name that its source has for it; empty for what was computed.
    pub source: String,
}

/// A node: an operation, what it reads, and its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftNode {
    /// The operation and its settings.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<ValueId>,
    /// Role in the operation -> stored tensor.
    pub params: BTreeMap<&'static str, WeightId>,
    /// The caller's mark for where it came from, for example the position of a node in the source's own graph.
    pub origin: usize,
}

/// A graph in the making.
#[derive(Debug, Clone)]
pub struct Draft {
    input: InputSpec,
    /// By position; `None` for what was removed.
    nodes: Vec<Option<DraftNode>>,
    /// For the first batch size.
    shapes: Values<Vec<usize>>,
    /// The nodes that read a tensor, one entry for each time.
    readers: Values<Vec<ValueId>>,
    weights: Vec<Weight>,
    output: Option<ValueId>,
}

/// A finished graph with the weights that it takes, in the order in which it takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The graph, under its final names.
    pub graph: Graph,
    /// Name -> weight, each once.
    pub weights: Vec<(String, Weight)>,
}

impl Draft {
    pub(crate) fn new(input: InputSpec, shape: Vec<usize>) -> Self {
        let (nodes, weights) = (Vec::new(), Vec::new());
        let (shapes, readers) = (Values::new(shape), Values::new(Vec::new()));
        Self { input, nodes, shapes, readers, weights, output: None }
    }

    /// Name and size of the input.
    #[must_use]
    pub fn input(&self) -> &InputSpec {
        &self.input
    }

    /// Declares what the graph is for; everything that does not lead there is removed.
    pub fn end_at(&mut self, output: ValueId) {
        self.output = Some(output);
        // From the end, so that a node is looked at after all that could read it.
        for at in (0..self.nodes.len()).rev() {
            self.remove_if_unread(ValueId::of_node(at));
        }
    }

    /// What [`Draft::end_at`] said; passes may have put another tensor in its place.
    #[must_use]
    pub fn output(&self) -> Option<ValueId> {
        self.output
    }

    /// The node that gives a tensor; `None` for the input.
    #[must_use]
    pub fn node(&self, id: ValueId) -> Option<&DraftNode> {
        self.nodes.get(id.node()?)?.as_ref()
    }

    /// All nodes that exist, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (ValueId, &DraftNode)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(at, node)| Some((ValueId::of_node(at), node.as_ref()?)))
    }

    /// The numbers of all nodes that exist, in order, as a list that stays valid while nodes are edited.
    pub(crate) fn ids(&self) -> Vec<ValueId> {
        self.nodes().map(|(id, _)| id).collect()
    }

    /// The shape of a tensor, for the first batch size.
    #[must_use]
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.shapes[id]
    }

    /// A stored tensor.
    #[must_use]
    pub fn weight(&self, id: WeightId) -> &Weight {
        &self.weights[id.0]
    }

    /// The weight that a node takes in `role`.
    #[must_use]
    pub fn weight_of(&self, node: &DraftNode, role: &str) -> Option<&Weight> {
        node.params.get(role).map(|id| self.weight(*id))
    }

    pub(crate) fn store(&mut self, weight: Weight) -> WeightId {
        self.weights.push(weight);
        WeightId(self.weights.len() - 1)
    }

    /// Appends a node.
    pub(crate) fn push(&mut self, node: DraftNode, shape: Vec<usize>) -> ValueId {
        let id = ValueId::of_node(self.nodes.len());
        node.inputs.iter().for_each(|input| self.readers[*input].push(id));
        self.nodes.push(Some(node));
        self.shapes.push(shape);
        self.readers.push(Vec::new());
        id
    }

    /// The nodes that read a tensor, one entry for each time. The caller reads the output as well.
    pub(crate) fn readers(&self, id: ValueId) -> &[ValueId] {
        &self.readers[id]
    }

    /// The node that reads a tensor, when exactly one does, once, and the tensor is not the output.
    pub(crate) fn only_reader(&self, id: ValueId) -> Option<ValueId> {
        match self.readers[id][..] {
            // The output is read by the caller as well, who must find it.
            [reader] if self.output != Some(id) => Some(reader),
            _ => None,
        }
    }

    /// The node before `id`, when that is its only input and its only reader.
    pub(crate) fn only_before(&self, id: ValueId) -> Option<ValueId> {
        let [input] = self.node(id)?.inputs[..] else { return None };
        (self.only_reader(input) == Some(id)).then_some(input).filter(|input| self.node(*input).is_some())
    }

    /// Puts another operation in a node's place, which gives a tensor of the same shape. What it no longer reads is removed.
    pub(crate) fn replace(
        &mut self,
        id: ValueId,
        op: Op,
        inputs: Vec<ValueId>,
        params: BTreeMap<&'static str, WeightId>,
    ) {
        if self.node(id).is_none() {
            return;
        }
        inputs.iter().for_each(|input| self.readers[*input].push(id));
        let Some(node) = id.node().and_then(|at| self.nodes[at].as_mut()) else { return };
        (node.op, node.params) = (op, params);
        // New readers were noted first: a tensor that is read before and after must not be removed in between.
        let old = std::mem::replace(&mut node.inputs, inputs);
        self.unread(id, &old);
    }

    /// Changes a node's operation and weights alone.
    pub(crate) fn edit(
        &mut self,
        id: ValueId,
        edit: impl FnOnce(&mut Op, &mut BTreeMap<&'static str, WeightId>),
    ) {
        if let Some(node) = id.node().and_then(|at| self.nodes[at].as_mut()) {
            edit(&mut node.op, &mut node.params);
        }
    }

    /// Says that a tensor has another shape than before.
    pub(crate) fn reshape(&mut self, id: ValueId, shape: Vec<usize>) {
        self.shapes[id] = shape;
    }

    /// Lets everything that reads `from` read `to`, an earlier tensor; `from` is removed.
    pub(crate) fn redirect(&mut self, from: ValueId, to: ValueId) {
        let readers = std::mem::take(&mut self.readers[from]);
        for reader in &readers {
            let node = reader.node().and_then(|at| self.nodes[at].as_mut());
            node.into_iter()
                .flat_map(|node| &mut node.inputs)
                .filter(|input| **input == from)
                .for_each(|input| *input = to);
        }
        self.readers[to].extend(readers);
        if self.output == Some(from) {
            self.output = Some(to);
        }
        self.remove_if_unread(from);
    }

    /// `reader` reads these tensors no longer.
    fn unread(&mut self, reader: ValueId, inputs: &[ValueId]) {
        for input in inputs {
            let readers = &mut self.readers[*input];
            if let Some(at) = readers.iter().rposition(|other| *other == reader) {
                readers.swap_remove(at);
            }
        }
        inputs.iter().for_each(|input| self.remove_if_unread(*input));
    }

    /// Removes a node that nothing reads, and what only it read. A list of things to do: graphs are deep.
    fn remove_if_unread(&mut self, id: ValueId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            // While no output is known anything may still be read.
            if !self.readers[id].is_empty() || self.output.is_none_or(|output| output == id) {
                continue;
            }
            let Some(node) = id.node().and_then(|at| self.nodes[at].take()) else { continue };
            for input in node.inputs {
                let readers = &mut self.readers[input];
                if let Some(at) = readers.iter().rposition(|other| *other == id) {
                    readers.swap_remove(at);
                }
                open.push(input);
            }
        }
    }

    /// The graph under its final names: `names` has one for each node that exists, in order, and `call` names a weight after
    /// the node and the role that take it first.
    ///
    /// # Errors
    /// When no output was declared, or it is the input itself.
    pub fn finish(
        mut self,
        names: &[String],
        mut call: impl FnMut(&str, &str, &Weight) -> String,
    ) -> Result<Finished, Problem> {
        // Numbers of the finished graph have no gaps.
        let (mut kept, mut count) = (Values::new(ValueId::INPUT), 0);
        for node in &self.nodes {
            kept.push(ValueId::of_node(count));
            count += usize::from(node.is_some());
        }
        let output =
            self.output.filter(|output| *output != ValueId::INPUT).ok_or("does nothing to its input")?;
        let mut called: BTreeMap<WeightId, String> = BTreeMap::new();
        let (mut nodes, mut taken) = (Vec::with_capacity(count), Vec::new());
        for (own, (_, node)) in names.iter().zip(self.nodes()) {
            let mut params = BTreeMap::new();
            for (role, id) in &node.params {
                let tensor = called.entry(*id).or_insert_with(|| {
                    let tensor = call(own, role, &self.weights[id.0]);
                    taken.push((tensor.clone(), *id));
                    tensor
                });
                params.insert((*role).to_owned(), tensor.clone());
            }
            let inputs = node.inputs.iter().map(|id| kept[*id]).collect();
            nodes.push(Node { name: own.clone(), inputs, params, op: node.op.clone() });
        }
        let mut take = |id: WeightId| std::mem::take(&mut self.weights[id.0]);
        let weights = taken.into_iter().map(|(tensor, id)| (tensor, take(id))).collect();
        Ok(Finished { graph: Graph { input: self.input, nodes, output: kept[output] }, weights })
    }
}
