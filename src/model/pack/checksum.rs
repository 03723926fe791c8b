//! burncam's two entries in a pack's metadata: the card, and a checksum.
//!
//! Receives a card and tensors; gives their checksum, computed in pieces. Reading and comparing are the caller's.

pub(super) const CARD_KEY: &str = "burncam";
pub(super) const CHECKSUM_KEY: &str = "burncam.crc32";

/// CRC-32 over the card and every tensor's name, shape and bytes in order of name.
pub(super) struct Checksum(crc32fast::Hasher);

impl Checksum {
    pub(super) fn of_card(card: &str) -> Self {
        let mut sum = Self(crc32fast::Hasher::new());
        sum.update(card.as_bytes());
        sum
    }

    pub(super) fn of_head(name: &str, shape: &[usize]) -> Self {
        let mut sum = Self(crc32fast::Hasher::new());
        sum.update(format!("\n{name}{shape:?}").as_bytes());
        sum
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Combines this checksum with the following pieces. Gives it in hexadecimal.
    pub(super) fn finish<'a>(mut self, pieces: impl Iterator<Item = &'a Self>) -> String {
        pieces.for_each(|piece| self.0.combine(&piece.0));
        format!("{:08x}", self.0.finalize())
    }
}
