//! Counts by key. Receives single or summed counts; lists them by descending frequency.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A count of images with a common property.
pub trait Counted {
    /// The type of the common property.
    type Key: Ord + Clone;
    /// The common property.
    fn key(&self) -> Self::Key;
    /// The number of images.
    fn count(&self) -> usize;
    /// Adds `other`, which has the same key.
    fn join(&mut self, other: Self);
}

/// Counts by key. Serialised as an array, most frequent first, equal counts in order of key.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally<T: Counted>(BTreeMap<T::Key, T>);

impl<T: Counted> Tally<T> {
    /// Adds a count.
    pub fn add(&mut self, more: T) {
        match self.0.get_mut(&more.key()) {
            Some(counted) => counted.join(more),
            None => {
                self.0.insert(more.key(), more);
            }
        }
    }

    /// Keeps the greater of two counts of the same files, which [`Tally::add`] would count twice.
    pub(super) fn add_the_same(&mut self, same: T) {
        match self.0.get(&same.key()) {
            Some(counted) if counted.count() >= same.count() => {}
            _ => {
                self.0.insert(same.key(), same);
            }
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By descending count, equal counts in order of key.
    pub fn ranked(&self) -> Vec<&T> {
        let mut ranked: Vec<&T> = self.0.values().collect();
        // The map iterates in order of key and the sort is stable, which orders equal counts.
        ranked.sort_by_key(|counted| std::cmp::Reverse(counted.count()));
        ranked
    }

    /// All counts, in order of key.
    pub(super) fn into_counts(self) -> impl Iterator<Item = T> {
        self.0.into_values()
    }
}

impl<T: Counted> Default for Tally<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Counted + Serialize> Serialize for Tally<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ranked())
    }
}

impl<'de, T: Counted + Deserialize<'de>> Deserialize<'de> for Tally<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tally = Self::default();
        for counted in Vec::<T>::deserialize(deserializer)? {
            tally.add(counted);
        }
        Ok(tally)
    }
}
