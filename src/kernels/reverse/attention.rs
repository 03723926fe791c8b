//! Backward through products of computed tensors and through movements.

use super::lower::{Part, Pass};
use crate::card::ValueId;
use crate::kernels::movement::Way;
use crate::kernels::places::Places;
use crate::plan::node::{Node, NodeKind};

impl Pass<'_> {
    /// Passes the gradient of a node's output on to its inputs; false for nodes of other kinds.
    pub(super) fn through_tokens(&mut self, node: &Node, gradient: ValueId) -> bool {
        let x = node.inputs[0];
        match &node.kind {
            NodeKind::Product(turned) => self.matrices(node, *turned, gradient),
            NodeKind::Join(places) => self.taken(node, places, gradient),
            _ if !self.needs(x) => return false,
            NodeKind::Move(places, _) => self.back_to_places(node, places, gradient),
            NodeKind::Channels(channels) => {
                self.parts.entry(x).or_default().push(Part::Channels(*channels, gradient));
            }
            NodeKind::Stored(stored) if !stored.is_product => self.give(x, gradient),
            _ => return false,
        }
        true
    }

    /// Each factor gets the product of the gradient and the other one. A factor that is turned gets that turned: with the factors
    /// exchanged and turned.
    pub(super) fn matrices(&mut self, node: &Node, turned: [bool; 2], gradient: ValueId) {
        let [a, b] = node.inputs[..] else { return };
        let [of_a, of_b] = turned;
        let first = if of_a { ([b, gradient], [of_b, true]) } else { ([gradient, b], [false, !of_b]) };
        let second = if of_b { ([gradient, a], [true, of_a]) } else { ([a, gradient], [!of_a, false]) };
        for (id, (factors, turned)) in [(a, first), (b, second)] {
            if self.needs(id) {
                let part = self.push(NodeKind::Product(turned), factors.to_vec(), self.shapes[&id]);
                self.give(id, part);
            }
        }
    }

    /// Elements go back to where they came from; those that went nowhere have no gradient.
    pub(super) fn back_to_places(&mut self, node: &Node, places: &Places, gradient: ValueId) {
        let x = node.inputs[0];
        let count = |id: &ValueId| self.shapes[id].iter().product::<usize>();
        let way = if count(&x) == count(&node.output) { Way::Scatter } else { Way::ScatterAndClear };
        let part = self.push(NodeKind::Move(places.clone(), way), vec![gradient], self.shapes[&x]);
        self.give(x, part);
    }

    /// The inputs of a join get what is at their places.
    pub(super) fn taken(&mut self, node: &Node, all: &[Places], gradient: ValueId) {
        for (id, places) in node.inputs.iter().zip(all) {
            if self.needs(*id) {
                let kind = NodeKind::Move(places.clone(), Way::Gather);
                let part = self.push(kind, vec![gradient], self.shapes[id]);
                self.give(*id, part);
            }
        }
    }
}
