//! The layer that sharpens the map of a later one, for methods that multiply the maps of several layers.

use super::{Choice, Model, passes_through};

impl Model {
    /// The last grid before a chosen layer with more cells than it has, of which everything is made that the chosen layer holds: the end of the
    /// stage before, as a convolutional network has stages. Where paths run past all of these, the last one with more cells; `None` where
    /// no grid has, as in most vision transformers.
    #[must_use]
    pub fn finer_layer(&self, chosen: &Choice) -> Option<Choice> {
        let cells = |at: usize| self.grids[at].map_or(0, |grid| grid.height * grid.width);
        let before = self.before_node(chosen.index);
        let is_fit = |at: &usize| {
            *at < chosen.index
                && before.contains(at)
                && self.grids[*at].is_some_and(|grid| grid.is_certain)
                && !passes_through(&self.graph.nodes[*at].op)
                && cells(*at) > cells(chosen.index)
        };
        let finer: Vec<usize> = self.with_read_cells().into_iter().filter(is_fit).collect();
        let narrow = self.narrow_places(chosen.index);
        let index = finer.iter().rev().find(|at| narrow.contains(at)).or(finer.last())?;
        let grid = self.grids[*index]?;
        let (height, width) = (grid.height, grid.width);
        let reason = format!("auto: the last finer grid ({height}x{width}) before '{}'", chosen.name);
        Some(self.choice(*index, reason))
    }

    /// The nodes before `end` that nothing runs past on its way there.
    fn narrow_places(&self, end: usize) -> Vec<usize> {
        let before = self.before_node(end);
        let mut last_reader = vec![0; end + 1];
        // The furthest reader of anything that came so far, the picture first.
        let mut furthest = 0;
        for at in (0..=end).filter(|at| before.contains(at) || *at == end) {
            for input in &self.graph.nodes[at].inputs {
                match input.node() {
                    Some(input) => last_reader[input] = at,
                    None => furthest = at,
                }
            }
        }
        let mut narrow = Vec::new();
        for at in (0..end).filter(|at| before.contains(at)) {
            if furthest <= at {
                narrow.push(at);
            }
            furthest = furthest.max(last_reader[at]);
        }
        narrow
    }
}
