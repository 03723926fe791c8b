//! The tensors of a graph by number.
//!
//! Receives positions of nodes, gives [`ValueId`]s, and [`Values`], which holds one entry for each tensor. A number says where a
//! tensor comes from, so that nothing after the card is read looks names up.

use std::ops::{Index, IndexMut};

/// A tensor of a graph: its input, or what one of its nodes gives.
///
/// The order of numbers is the order in which tensors are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(usize);

impl ValueId {
    /// The graph's input.
    pub const INPUT: Self = Self(0);

    /// What the node at this position gives.
    #[must_use]
    pub const fn of_node(position: usize) -> Self {
        Self(position + 1)
    }

    /// Position of the node that gives it; `None` for the input.
    #[must_use]
    pub const fn node(self) -> Option<usize> {
        self.0.checked_sub(1)
    }
}

/// One entry for each tensor of a graph, the input first.
///
/// Indexing with the number of a tensor that has no entry panics, as with a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<T>(Vec<T>);

impl<T> Values<T> {
    /// Starts with the input's entry.
    pub fn new(input: T) -> Self {
        Self(vec![input])
    }

    /// Adds the entry of the next node.
    pub fn push(&mut self, entry: T) {
        self.0.push(entry);
    }

    /// The entries of the nodes, in order.
    #[must_use]
    pub fn of_nodes(&self) -> &[T] {
        &self.0[1..]
    }

    /// All entries with their tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ValueId, &T)> {
        self.0.iter().enumerate().map(|(at, entry)| (ValueId(at), entry))
    }

    /// The same table with every entry changed by `change`.
    pub fn map<U>(&self, change: impl FnMut(&T) -> U) -> Values<U> {
        Values(self.0.iter().map(change).collect())
    }
}

impl<T: Clone> Values<T> {
    /// The same entry for the tensors up to `last`.
    pub fn filled(entry: T, last: ValueId) -> Self {
        Self(vec![entry; last.0 + 1])
    }
}

impl<T> Index<ValueId> for Values<T> {
    type Output = T;

    fn index(&self, id: ValueId) -> &T {
        &self.0[id.0]
    }
}

impl<T> IndexMut<ValueId> for Values<T> {
    fn index_mut(&mut self, id: ValueId) -> &mut T {
        &mut self.0[id.0]
    }
}
