//! Which part of the memory a tensor takes, and for how long.
//!
//! The inputs of a concatenation are written where the concatenation has them, so that it costs nothing; a concatenation of the
//! first inputs of a longer one is a view of its first blocks, and so are whole blocks of channels that are taken from a tensor. Memory is reused as soon as the last reader of a buffer is
//! done, so its size is known before anything runs.

use std::collections::HashMap;

use super::node::{Node, NodeKind};
use super::operation::Shapes;
use crate::card::ValueId;
use crate::memory::LINE;
use crate::view::{Halo, View};

/// Where tensors are: tensor -> buffer and first block in it.
#[derive(Debug, Default)]
pub(crate) struct MemoryPlan {
    places: HashMap<ValueId, (usize, usize)>,
    buffers: Vec<Buffer>,
}

#[derive(Debug)]
struct Buffer {
    channels: usize,
    height: usize,
    width: usize,
    lanes: usize,
    halo: Halo,
    /// First and last use: 0 before the first node, `n + 1` for node `n`.
    span: Option<[usize; 2]>,
    start: usize,
}

impl MemoryPlan {
    /// Assigns a buffer to each tensor that a node reads or gives, and to those in `outside`, which are imported or exported.
    /// `lanes_of` says how many channels a block of a tensor has.
    pub(crate) fn new(
        nodes: &[Node],
        outside: [&[ValueId]; 2],
        shapes: &Shapes,
        lanes_of: &impl Fn(ValueId) -> usize,
    ) -> Self {
        let mut plan = Self::default();
        // From the last to the first, so that a concatenation within a longer one finds its place there.
        for node in nodes.iter().rev() {
            if matches!(node.kind, NodeKind::Concat) {
                plan.join(node, shapes, lanes_of);
            }
        }
        let assign = |plan: &mut Self, slot: ValueId| {
            if !plan.places.contains_key(&slot) {
                plan.assign(slot, shapes[&slot], lanes_of(slot));
            }
        };
        for node in nodes {
            node.reads().for_each(|slot| assign(&mut plan, slot));
            if let NodeKind::Channels([first, _]) = node.kind {
                plan.share(node, first, shapes, [node.inputs[0], node.output].map(lanes_of));
            }
            assign(&mut plan, node.output);
        }
        outside.concat().into_iter().for_each(|slot| assign(&mut plan, slot));
        plan
    }

    /// A tensor is channels of another one, from `first` on, whose blocks it shares.
    fn share(&mut self, node: &Node, first: usize, shapes: &Shapes, lanes: [usize; 2]) {
        let (whole, part) = (node.inputs[0], shapes[&node.output][0]);
        let at_blocks = first.is_multiple_of(lanes[0])
            && (part.is_multiple_of(lanes[0]) || first + part == shapes[&whole][0]);
        let Some((buffer, block)) = self.places.get(&whole).copied() else { return };
        if at_blocks && lanes[0] == lanes[1] {
            self.places.entry(node.output).or_insert((buffer, block + first / lanes[0]));
        }
    }

    /// Whether the channels that a node takes are where it would put them.
    pub(crate) fn is_shared(&self, node: &Node, first: usize, lanes: usize) -> bool {
        let ((buffer, block), place) = (self.places[&node.inputs[0]], self.places[&node.output]);
        first.is_multiple_of(lanes) && place == (buffer, block + first / lanes)
    }

    fn assign(&mut self, slot: ValueId, [channels, height, width]: [usize; 3], lanes: usize) {
        self.places.insert(slot, (self.buffers.len(), 0));
        let buffer = Buffer { channels, height, width, lanes, halo: Halo::default(), span: None, start: 0 };
        self.buffers.push(buffer);
    }

    /// Places the inputs of a concatenation in its buffer, as far as they have no other place yet and fill whole blocks.
    fn join(&mut self, node: &Node, shapes: &Shapes, lanes_of: &impl Fn(ValueId) -> usize) {
        let lanes = lanes_of(node.output);
        // Blocks of another width cannot be part of the concatenation's buffer.
        if node.inputs.iter().any(|slot| lanes_of(*slot) != lanes) {
            return;
        }
        if !self.places.contains_key(&node.output) {
            match self.prefix(node, shapes, lanes) {
                Some(place) => {
                    self.places.insert(node.output, place);
                }
                None => self.assign(node.output, shapes[&node.output], lanes),
            }
        }
        let (buffer, mut block) = self.places[&node.output];
        for slot in &node.inputs {
            self.places.entry(*slot).or_insert((buffer, block));
            let channels = shapes[slot][0];
            // What follows begins in the middle of a block and is copied.
            if !channels.is_multiple_of(lanes) {
                break;
            }
            block += channels / lanes;
        }
    }

    /// Where the inputs are already adjacent and in order, if they are.
    fn prefix(&self, node: &Node, shapes: &Shapes, lanes: usize) -> Option<(usize, usize)> {
        let first = *self.places.get(&node.inputs[0])?;
        let mut block = first.1;
        for slot in &node.inputs {
            if self.places.get(slot) != Some(&(first.0, block)) {
                return None;
            }
            block += shapes[slot][0].div_ceil(lanes);
        }
        let whole = node.inputs[..node.inputs.len() - 1].iter();
        whole.map(|slot| shapes[slot][0]).all(|channels| channels.is_multiple_of(lanes)).then_some(first)
    }

    /// A tensor is read or written at this moment, with this halo.
    pub(crate) fn touch(&mut self, slot: ValueId, moment: usize, halo: Halo) {
        let buffer = &mut self.buffers[self.places[&slot].0];
        buffer.halo = buffer.halo.or(halo);
        let [first, last] = buffer.span.unwrap_or([moment, moment]);
        buffer.span = Some([first.min(moment), last.max(moment)]);
    }

    /// Gives each buffer a start in memory, first fit, and returns how many elements one image takes.
    pub(crate) fn allocate(&mut self) -> usize {
        let mut placed: Vec<(usize, usize, [usize; 2])> = Vec::new();
        let mut order: Vec<usize> = (0..self.buffers.len()).collect();
        // The largest first: small ones fit between them.
        order.sort_by_key(|buffer| std::cmp::Reverse(self.buffers[*buffer].size()));
        for buffer in order {
            let Some(span) = self.buffers[buffer].span else { continue };
            let size = self.buffers[buffer].size();
            let mut taken: Vec<_> = placed
                .iter()
                .filter(|(.., [first, last])| *first <= span[1] && span[0] <= *last)
                .map(|(start, end, _)| (*start, *end))
                .collect();
            taken.sort_unstable();
            // The first gap between buffers that are alive at the same time.
            let start = taken.iter().fold(
                0,
                |free, (start, end)| {
                    if free + size <= *start { free } else { free.max(*end) }
                },
            );
            self.buffers[buffer].start = start;
            placed.push((start, start + size, span));
        }
        placed.iter().map(|(_, end, _)| *end).max().unwrap_or(0)
    }

    pub(crate) fn view(&self, slot: ValueId, channels: usize) -> View {
        let (buffer, first_block) = self.places[&slot];
        View { channels, first_block, ..self.buffers[buffer].view() }
    }

    /// Inputs of a concatenation that could not be written in place: tensor and first channel.
    pub(crate) fn copied_inputs(&self, node: &Node, shapes: &Shapes, lanes: usize) -> Vec<(ValueId, usize)> {
        let (buffer, first) = self.places[&node.output];
        let mut channel: usize = 0;
        let mut copied = Vec::new();
        for slot in &node.inputs {
            let in_place =
                channel.is_multiple_of(lanes) && self.places[slot] == (buffer, first + channel / lanes);
            if !in_place {
                copied.push((*slot, channel));
            }
            channel += shapes[slot][0];
        }
        copied
    }
}

impl Buffer {
    fn view(&self) -> View {
        let Self { channels, height, width, lanes, halo, start, .. } = *self;
        let (first_block, image, channels_last) = Default::default();
        let view = View { channels, height, width, lanes, halo, start, first_block, image, channels_last };
        View { image: view.block() * view.blocks(), ..view }
    }

    /// Elements of one image, in whole cache lines.
    fn size(&self) -> usize {
        // So that every buffer starts on a cache line, as the loads of a whole register want it.
        self.view().image.next_multiple_of(LINE)
    }
}
