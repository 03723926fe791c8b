//! From a file to a network's input: decode, orient, resize, crop, scale.
//!
//! Receives paths or bytes and the card's [`Preprocess`](crate::card::Preprocess); hands on a [`Picture`] to draw
//! on, the numbers for the network, and the [`Placement`] that tells where those numbers lie on the picture.
//! Knows nothing of Burn.

mod placement;

pub use placement::Placement;
