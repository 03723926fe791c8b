//! The checksum of a pack, found while its tensors are read.
//!
//! Receives the bytes of each tensor when it is first read, in any order; says whether all are what `burncam import` wrote. Does not read
//! those that are missing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::checksum::Checksum;
use super::format::Entry;

/// What the file says its checksum is, and what is known of it.
pub(super) struct Seal {
    /// Hexadecimal.
    pub(super) stored: String,
    card: String,
    /// Of the tensors that were read.
    sums: Mutex<BTreeMap<String, Checksum>>,
    is_sound: AtomicBool,
}

impl Seal {
    pub(super) fn new(stored: String, card: String) -> Self {
        Self { stored, card, sums: Mutex::default(), is_sound: AtomicBool::new(false) }
    }

    /// Whether all bytes were verified.
    pub(super) fn is_sound(&self) -> bool {
        self.is_sound.load(Ordering::Acquire)
    }

    /// A sum for the bytes of a tensor that was not read before.
    pub(super) fn begin(&self, name: &str, entry: &Entry) -> Option<Checksum> {
        let sums = self.sums.lock().ok()?;
        (!self.is_sound() && !sums.contains_key(name)).then(|| Checksum::of_head(name, &entry.shape))
    }

    /// Keeps the sum of a tensor, all of whose bytes it has seen.
    pub(super) fn keep(&self, name: &str, sum: Checksum) {
        if let Ok(mut sums) = self.sums.lock() {
            sums.insert(name.to_owned(), sum);
        }
    }

    /// The checksum, once every tensor has a sum. The file is sound from then on if it is the stored one.
    pub(super) fn found(&self) -> String {
        // A poisoned lock means that another thread panicked; then the sum is of fewer tensors and not the stored one.
        let found = self.sums.lock().map(|sums| Checksum::of_card(&self.card).finish(sums.values()));
        let found = found.unwrap_or_default();
        if found == self.stored {
            self.is_sound.store(true, Ordering::Release);
        }
        found
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Seal").field("is_sound", &self.is_sound()).finish_non_exhaustive()
    }
}
