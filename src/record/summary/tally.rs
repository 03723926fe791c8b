//! Things counted by key. Receives counts one by one or already added up, hands them on most frequent first.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A count of images with something in common.
pub trait Counted {
    /// What they have in common.
    type Key: Ord + Clone;
    /// What they have in common.
    fn key(&self) -> Self::Key;
    /// How many they are.
    fn count(&self) -> usize;
    /// Counts `other`, of the same key, as well.
    fn join(&mut self, other: Self);
}

/// Counts by key. In JSON an array, most frequent first, then in order of key.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally<T: Counted>(BTreeMap<T::Key, T>);

impl<T: Counted> Tally<T> {
    /// Counts more.
    pub fn add(&mut self, more: T) {
        match self.0.get_mut(&more.key()) {
            Some(counted) => counted.join(more),
            None => {
                self.0.insert(more.key(), more);
            }
        }
    }

    /// Of two counts of the same things takes the greater, where [`Tally::add`] would count them twice.
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

    /// Most frequent first, then in order of key.
    pub fn ranked(&self) -> Vec<&T> {
        let mut ranked: Vec<&T> = self.0.values().collect();
        // The map gives them in order of key, and the sort is stable.
        ranked.sort_by_key(|counted| std::cmp::Reverse(counted.count()));
        ranked
    }

    /// Everything that was counted, in order of key.
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
