//! What each row, column and channel of a tensor adds to the place of its elements in another tensor.

use std::collections::BTreeSet;

/// What each row, column and channel of a tensor adds to the place of its elements in another one: to row, column and channel there.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) parts: [Vec<[usize; 3]>; 3],
}

impl Places {
    /// The places of a tensor whose elements are at these places in another one, which has its own at those of `first`. `None` where that is no
    /// sum for rows, columns and channels.
    pub(crate) fn through(&self, first: &Self) -> Option<Self> {
        let adds_up = |axis: usize| {
            let places = &first.parts[axis];
            let [a, b, c] = self
                .parts
                .each_ref()
                .map(|parts| parts.iter().map(|part| part[axis]).collect::<BTreeSet<_>>());
            // As many as the other tensor has rows, columns or channels: these add up without a gap or a carry.
            a.iter()
                .flat_map(|a| b.iter().map(move |b| [*a, *b]))
                .flat_map(|[a, b]| c.iter().map(move |c| [a, b, *c]))
                .all(|at| {
                    let sum = |to: usize| at.iter().map(|at| places[*at][to]).sum::<usize>();
                    let whole = places[at.iter().sum::<usize>()];
                    (0..3).all(|to| whole[to] + 2 * places[0][to] == sum(to))
                })
        };
        let start = first.parts[0][0];
        let place = |part: &[usize; 3]| {
            let places = [0, 1, 2].map(|axis| first.parts[axis][part[axis]]);
            [0, 1, 2].map(|to| places.iter().map(|place| place[to]).sum::<usize>() - start[to])
        };
        let mut parts = self.parts.each_ref().map(|parts| parts.iter().map(place).collect::<Vec<_>>());
        parts[0].iter_mut().for_each(|row| *row = [0, 1, 2].map(|to| row[to] + start[to]));
        (0..3).all(adds_up).then_some(Self { parts })
    }

    /// Whether it exchanges columns and channels, and does nothing else.
    pub(crate) fn is_turn(&self) -> bool {
        let [rows, columns, channels] = &self.parts;
        let are = |parts: &[[usize; 3]], axis: usize| {
            let unit = |at: usize| std::array::from_fn(|each| if each == axis { at } else { 0 });
            parts.iter().enumerate().all(|(at, part)| *part == unit(at))
        };
        are(rows, 0) && are(columns, 2) && are(channels, 1)
    }
}
