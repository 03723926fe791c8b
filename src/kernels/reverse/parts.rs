//! What the readers of a tensor add to its gradient.

use super::lower::{Part, Pass};
use crate::card::ValueId;
use crate::plan::node::NodeKind;

impl Pass<'_> {
    /// Parts as large as the tensor. Channels that together are all of it, as those of queries, keys and values are, are joined.
    pub(super) fn whole(&mut self, parts: Vec<Part>, shape: [usize; 3]) -> Vec<ValueId> {
        let (mut whole, mut some) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Whole(id) => whole.push(id),
                Part::Channels(channels, id) => some.push((channels, id)),
            }
        }
        some.sort_by_key(|([first, _], _)| *first);
        let next = |at: usize, [first, count]: [usize; 2]| (at == first).then_some(first + count);
        let end = some.iter().try_fold(0, |at, (channels, _)| next(at, *channels));
        if end == Some(shape[0]) {
            whole.push(self.push(NodeKind::Concat, some.into_iter().map(|(_, id)| id).collect(), shape));
        } else {
            let embedded =
                some.into_iter().map(|([first, _], id)| self.push(NodeKind::Embed(first), vec![id], shape));
            whole.extend(embedded.collect::<Vec<_>>());
        }
        whole
    }
}
