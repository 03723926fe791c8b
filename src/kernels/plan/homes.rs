//! Which memory a value lives in, and for how long.
//!
//! The parts of a concatenation are written where they belong, side by side, so that joining them costs nothing; a
//! concatenation of the first parts of a longer one is a shorter view of it. Memory is used again as soon as its last
//! reader is done, so its size is known before anything runs.

use std::collections::HashMap;

use super::{Node, NodeKind, Shapes};
use crate::memory::LINE;
use crate::view::{Halo, View};

/// Where values live: slot -> home and first block in it.
#[derive(Debug, Default)]
pub(super) struct Homes {
    places: HashMap<usize, (usize, usize)>,
    homes: Vec<Home>,
}

#[derive(Debug)]
struct Home {
    channels: usize,
    height: usize,
    width: usize,
    lanes: usize,
    halo: Halo,
    /// First and last moment: 0 before the first node, `n + 1` for node `n`.
    span: Option<[usize; 2]>,
    start: usize,
}

impl Homes {
    /// Finds a home for every value that a node reads or gives, and for those in `outside`, which are brought in or handed
    /// out. `lanes_of` says how many channels of a value lie side by side.
    pub(super) fn new(
        nodes: &[Node],
        outside: [&[usize]; 2],
        shapes: &Shapes,
        lanes_of: &impl Fn(usize) -> usize,
    ) -> Self {
        let mut homes = Self::default();
        for node in nodes.iter().rev() {
            if matches!(node.kind, NodeKind::Concat) {
                homes.join(node, shapes, lanes_of);
            }
        }
        let inside = nodes.iter().flat_map(|node| node.reads().chain([node.output]));
        for slot in inside.chain(outside.concat()) {
            if !homes.places.contains_key(&slot) {
                homes.settle(slot, shapes[&slot], lanes_of(slot));
            }
        }
        homes
    }

    fn settle(&mut self, slot: usize, [channels, height, width]: [usize; 3], lanes: usize) {
        self.places.insert(slot, (self.homes.len(), 0));
        let home = Home { channels, height, width, lanes, halo: Halo::default(), span: None, start: 0 };
        self.homes.push(home);
    }

    /// Places the parts of a concatenation in its home, as far as they are free and fill whole blocks.
    fn join(&mut self, node: &Node, shapes: &Shapes, lanes_of: &impl Fn(usize) -> usize) {
        let lanes = lanes_of(node.output);
        if node.inputs.iter().any(|slot| lanes_of(*slot) != lanes) {
            return;
        }
        if !self.places.contains_key(&node.output) {
            match self.prefix(node, shapes, lanes) {
                Some(place) => {
                    self.places.insert(node.output, place);
                }
                None => self.settle(node.output, shapes[&node.output], lanes),
            }
        }
        let (home, mut block) = self.places[&node.output];
        for slot in &node.inputs {
            self.places.entry(*slot).or_insert((home, block));
            let channels = shapes[slot][0];
            if !channels.is_multiple_of(lanes) {
                break;
            }
            block += channels / lanes;
        }
    }

    /// Where the parts already lie one behind the other, if they do.
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

    /// A value with this halo is read or written at this moment.
    pub(super) fn touch(&mut self, slot: usize, moment: usize, halo: Halo) {
        let home = &mut self.homes[self.places[&slot].0];
        home.halo = home.halo.or(halo);
        let [first, last] = home.span.unwrap_or([moment, moment]);
        home.span = Some([first.min(moment), last.max(moment)]);
    }

    /// Gives every home a place in memory, first fit, and returns how many numbers one image takes.
    pub(super) fn allocate(&mut self) -> usize {
        let mut placed: Vec<(usize, usize, [usize; 2])> = Vec::new();
        let mut order: Vec<usize> = (0..self.homes.len()).collect();
        // The largest first: small ones fit between them.
        order.sort_by_key(|home| std::cmp::Reverse(self.homes[*home].size()));
        for home in order {
            let Some(span) = self.homes[home].span else { continue };
            let size = self.homes[home].size();
            let mut taken: Vec<_> = placed
                .iter()
                .filter(|(.., [first, last])| *first <= span[1] && span[0] <= *last)
                .map(|(start, end, _)| (*start, *end))
                .collect();
            taken.sort_unstable();
            let start = taken.iter().fold(
                0,
                |free, (start, end)| {
                    if free + size <= *start { free } else { free.max(*end) }
                },
            );
            self.homes[home].start = start;
            placed.push((start, start + size, span));
        }
        placed.iter().map(|(_, end, _)| *end).max().unwrap_or(0)
    }

    /// Where a value lies.
    pub(super) fn view(&self, slot: usize, channels: usize) -> View {
        let (home, first_block) = self.places[&slot];
        let home = &self.homes[home];
        View { channels, first_block, ..home.view() }
    }

    /// The parts of this concatenation that lie elsewhere and must be copied: slot and first channel.
    pub(super) fn strangers(&self, node: &Node, shapes: &Shapes, lanes: usize) -> Vec<(usize, usize)> {
        let (home, first) = self.places[&node.output];
        let mut channel: usize = 0;
        let mut strangers = Vec::new();
        for slot in &node.inputs {
            let at_home =
                channel.is_multiple_of(lanes) && self.places[slot] == (home, first + channel / lanes);
            if !at_home {
                strangers.push((*slot, channel));
            }
            channel += shapes[slot][0];
        }
        strangers
    }
}

impl Home {
    fn view(&self) -> View {
        let Self { channels, height, width, lanes, halo, start, .. } = *self;
        let view = View { channels, height, width, lanes, halo, start, first_block: 0, image: 0 };
        View { image: view.block() * view.blocks(), ..view }
    }

    /// Numbers of one image, in whole cache lines.
    fn size(&self) -> usize {
        self.view().image.next_multiple_of(LINE)
    }
}
