//! From lowered nodes to those that run backward through them.
//!
//! Receives nodes in the order in which they run, which tensors' gradients are given and which are wanted. Gives nodes that compute
//! vector-Jacobian products, from the last operation to the first; each gradient is a tensor of its own with a new number.

use std::collections::{HashMap, HashSet};

use super::turn::{Turn, turns};
use crate::card::ValueId;
use crate::kernels::activation::slope_of_value;
use crate::kernels::conv::ConvGeometry;
use crate::kernels::filters::Filters;
use crate::kernels::pool;
use crate::plan::Shapes;
use crate::plan::node::{Node, NodeKind, Turning};

/// The nodes of a backward pass, and its tensors.
#[derive(Debug)]
pub(super) struct Backward {
    pub(super) nodes: Vec<Node>,
    /// Gradients that are given, in the caller's order.
    pub(super) seeds: Vec<ValueId>,
    /// Gradients that are wanted; `None` where they are zero.
    pub(super) gradients: Vec<Option<ValueId>>,
}

/// Whether kernels run backward through a node.
pub(super) fn is_known(node: &Node, lanes: usize) -> bool {
    match &node.kind {
        NodeKind::Convolution { geometry, filters, depthwise } => {
            turns(*filters, geometry, *depthwise, lanes).is_some()
        }
        _ => true,
    }
}

/// Runs backward from `seeds` to `targets`. `shapes` gets those of the gradients.
pub(super) fn backward(
    nodes: &[Node],
    shapes: &mut Shapes,
    [seeds, targets]: [&[ValueId]; 2],
    lanes: usize,
) -> Backward {
    let next = shapes.keys().filter_map(|id| id.node()).max().map_or(0, |last| last + 1);
    let (added, parts) = Default::default();
    let needed = needed(nodes, targets);
    let mut pass = Pass { shapes, nodes: added, parts, lanes, next, needed, targets };
    let seeds: Vec<ValueId> = seeds
        .iter()
        .map(|id| {
            let seed = pass.new_like(*id);
            pass.give(*id, seed);
            seed
        })
        .collect();
    let mut found = HashMap::new();
    for (at, node) in nodes.iter().enumerate().rev() {
        let Some(gradient) = pass.total(node.output) else { continue };
        found.insert(node.output, Some(gradient));
        pass.through(node, gradient, &nodes[..at]);
    }
    // No node gives an input.
    let mut of = |id: &ValueId| *found.entry(*id).or_insert_with(|| pass.total(*id));
    let gradients: Vec<Option<ValueId>> = targets.iter().map(&mut of).collect();
    let found = gradients.iter().zip(targets).filter_map(|(id, target)| Some(((*id)?, *target)));
    found.for_each(|(id, target)| pass.shapes.arrange_as(id, target));
    Backward { nodes: pass.nodes, seeds, gradients }
}

/// The tensors that depend on a target, and these.
fn needed(nodes: &[Node], targets: &[ValueId]) -> HashSet<ValueId> {
    let mut needed: HashSet<ValueId> = targets.iter().copied().collect();
    for node in nodes {
        if node.inputs.iter().any(|id| needed.contains(id)) {
            needed.insert(node.output);
        }
    }
    needed
}

/// What a reader of a tensor adds to its gradient.
#[derive(Debug)]
pub(super) enum Part {
    /// As large as the tensor.
    Whole(ValueId),
    /// Of some channels, the first of them and how many; zero in the others.
    Channels([usize; 2], ValueId),
}

pub(super) struct Pass<'a> {
    pub(super) shapes: &'a mut Shapes,
    nodes: Vec<Node>,
    /// What the readers of a tensor add to its gradient.
    pub(super) parts: HashMap<ValueId, Vec<Part>>,
    lanes: usize,
    /// Position that no tensor has yet.
    next: usize,
    needed: HashSet<ValueId>,
    targets: &'a [ValueId],
}

impl Pass<'_> {
    fn new_tensor(&mut self, shape: [usize; 3]) -> ValueId {
        let id = ValueId::of_node(self.next);
        self.next += 1;
        self.shapes.insert(id, shape);
        id
    }

    fn new_like(&mut self, id: ValueId) -> ValueId {
        let new = self.new_tensor(self.shapes[&id]);
        self.shapes.arrange_as(new, id);
        new
    }

    /// Whether the gradient of a tensor leads to one that is wanted.
    pub(super) fn needs(&self, id: ValueId) -> bool {
        self.needed.contains(&id)
    }

    /// A new tensor of this shape.
    pub(super) fn push(&mut self, kind: NodeKind, inputs: Vec<ValueId>, shape: [usize; 3]) -> ValueId {
        let output = self.new_tensor(shape);
        self.nodes.push(Node::new(kind, inputs, output));
        output
    }

    fn last(&mut self) -> Option<&mut Node> {
        self.nodes.last_mut()
    }

    /// The sum of a tensor's parts; `None` if it has none, or nothing wanted depends on it.
    fn total(&mut self, id: ValueId) -> Option<ValueId> {
        let parts = self.parts.remove(&id)?;
        let shape = self.shapes[&id];
        let parts = self.whole(parts, shape);
        parts.into_iter().reduce(|sum, part| self.push(NodeKind::Add, vec![sum, part], shape))
    }

    pub(super) fn give(&mut self, to: ValueId, part: ValueId) {
        self.parts.entry(to).or_default().push(Part::Whole(part));
    }

    /// From the gradient of a node's output to those of its inputs. `before` are the nodes before it.
    fn through(&mut self, node: &Node, gradient: ValueId, before: &[Node]) {
        match &node.kind {
            NodeKind::Concat => return self.apart(node, gradient, before),
            NodeKind::Add | NodeKind::Mul => return self.two(node, gradient),
            _ if self.through_tokens(node, gradient) => return,
            _ => {}
        }
        let x = node.inputs[0];
        if !self.needed.contains(&x) {
            return;
        }
        let shape = self.shapes[&x];
        let one = |kind| (kind, vec![gradient]);
        let (kind, inputs) = match &node.kind {
            NodeKind::Convolution { .. } => return self.convolution(node, gradient),
            NodeKind::BatchNorm | NodeKind::Stored(_) => one(node.kind.clone()),
            NodeKind::LayerNorm(epsilon) => (NodeKind::LayerNormBack(*epsilon), vec![x, gradient]),
            NodeKind::Softmax => (NodeKind::SoftmaxBack, vec![node.output, gradient]),
            NodeKind::Line([scale, _]) => one(NodeKind::Line([*scale, 0.0])),
            NodeKind::Activation => {
                let function = node.activation;
                let kept = if slope_of_value(function) { node.output } else { x };
                (NodeKind::Slope { function, is_scaled: false }, vec![gradient, kept])
            }
            NodeKind::Pool(kind, window) => {
                let kept = (*kind == pool::Kind::Max).then_some(x);
                let inputs = std::iter::once(gradient).chain(kept).collect();
                (NodeKind::Unpool(*kind, *window), inputs)
            }
            NodeKind::Pad([top, _, left, _]) => one(NodeKind::Crop([*top, *left])),
            // What is left is made by this pass alone.
            _ => return,
        };
        let part = self.push(kind, inputs, shape);
        if let Some(last) = self.last() {
            (last.source, last.rectifier) = (node.source, node.rectifier);
            last.turning = matches!(last.kind, NodeKind::BatchNorm).then_some(Turning::Scale);
        }
        self.give(x, part);
    }

    /// Sums give their gradient to both operands, products each times the other one.
    fn two(&mut self, node: &Node, gradient: ValueId) {
        let [a, b] = node.inputs[..] else { return };
        let is_product = matches!(node.kind, NodeKind::Mul);
        if self.needed.contains(&a) {
            let shape = self.shapes[&a];
            let part = match is_product {
                true => self.product([gradient, b], node.broadcasts, shape),
                false => gradient,
            };
            self.give(a, part);
        }
        if self.needed.contains(&b) {
            let shape = self.shapes[&b];
            let part = match (is_product, node.broadcasts) {
                (true, true) => self.push(NodeKind::Contract, vec![gradient, a], shape),
                (true, false) => self.product([gradient, a], false, shape),
                (false, true) => self.push(NodeKind::Contract, vec![gradient], shape),
                (false, false) => gradient,
            };
            self.give(b, part);
        }
    }

    fn product(&mut self, inputs: [ValueId; 2], broadcasts: bool, shape: [usize; 3]) -> ValueId {
        let part = self.push(NodeKind::Mul, inputs.to_vec(), shape);
        if let Some(last) = self.last() {
            last.broadcasts = broadcasts;
        }
        part
    }

    /// The inputs of a concatenation get their channels.
    fn apart(&mut self, node: &Node, gradient: ValueId, before: &[Node]) {
        // In DenseNet every concatenation begins with an earlier one, which takes its channels at once and passes them on together with
        // what its other readers give it. They are no part of its own gradient.
        let begins = |earlier: &&Node| {
            matches!(earlier.kind, NodeKind::Concat)
                && earlier.inputs.len() > 1
                && node.inputs.starts_with(&earlier.inputs)
                && !self.targets.contains(&earlier.output)
                && earlier.inputs.iter().any(|id| self.needed.contains(id))
        };
        let longest = before.iter().filter(begins).max_by_key(|earlier| earlier.inputs.len());
        let (joined, count) = longest.map_or((None, 0), |node| (Some(node.output), node.inputs.len()));
        let mut first = 0;
        for id in joined.iter().chain(&node.inputs[count..]) {
            let shape = self.shapes[id];
            if self.needed.contains(id) {
                let part = self.push(NodeKind::Channels([first, shape[0]]), vec![gradient], shape);
                self.give(*id, part);
            }
            first += shape[0];
        }
    }

    fn convolution(&mut self, node: &Node, gradient: ValueId) {
        let NodeKind::Convolution { geometry, filters, depthwise } = node.kind else { return };
        let x = node.inputs[0];
        let shape = self.shapes[&x];
        if node.is_linear() {
            return self.linear(node, gradient);
        }
        // `None` was refused before anything was lowered.
        let turns = turns(filters, &geometry, depthwise, self.lanes).unwrap_or_default();
        let (mut inputs, mut places) = (Vec::new(), Vec::new());
        for turn in turns {
            let part = turn.output(shape);
            // A picture with fewer rows than the stride has none of some remainders.
            if part.iter().product::<usize>() > 0 {
                places.push(turn.places());
                inputs.push(self.turned(node, gradient, turn, (part, depthwise)));
            }
        }
        let part = match geometry.stride {
            // All windows meet padding alone.
            _ if inputs.is_empty() => return,
            [1, 1] => inputs[0],
            step => self.push(NodeKind::Spread { step, places }, inputs, shape),
        };
        self.give(x, part);
    }

    /// Backward a linear layer's matrix is used as it is stored.
    fn linear(&mut self, node: &Node, gradient: ValueId) {
        let (x, y) = (node.inputs[0], node.output);
        let (shape, [out, ..]) = (self.shapes[&x], self.shapes[&y]);
        let filters = Filters { shape: [shape[0], out, 1, 1], groups: 1 };
        let kind = NodeKind::Convolution { geometry: ConvGeometry::of_pixels(), filters, depthwise: false };
        let part = self.push(kind, vec![gradient], shape);
        if let Some(last) = self.last() {
            (last.source, last.turning) = (node.source, Some(Turning::Matrix { backward: true }));
        }
        self.give(x, part);
    }

    fn turned(
        &mut self,
        node: &Node,
        gradient: ValueId,
        turn: Turn,
        (shape, depthwise): ([usize; 3], bool),
    ) -> ValueId {
        let (geometry, filters) = (turn.geometry(), turn.filters());
        let kind = NodeKind::Convolution { geometry, filters, depthwise };
        let part = self.push(kind, vec![gradient], shape);
        if let Some(last) = self.last() {
            (last.source, last.turning) = (node.source, Some(Turning::Weights(turn)));
        }
        part
    }
}
