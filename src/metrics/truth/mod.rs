//! Where objects are, from files of boxes.
//!
//! Receives a file or a directory of files in one of five formats, which is recognised by its content; gives the objects of each picture in the
//! picture's pixels. Reads no pictures: masks are pictures, and their decoded values become a [`Mask`](crate::localisation::Mask) elsewhere.

mod coco;
mod directory;
mod find;
mod names;
mod object;
mod read;
mod table;
mod text;
mod voc;
mod yolo;

pub use find::Placed;
pub use object::{Format, Object, Truth};

#[cfg(test)]
mod tests;
