//! Is the heat on the object? Receives a map and where the object is; gives figures, each with its chance level.
//!
//! A place is a [`Region`] of the map's own grid. Boxes and masks of a picture are moved there first, because the network may have seen a crop of
//! the picture. Whether the network looks at the object is another question than whether it should.

mod bounds;
mod boxed;
mod energy;
mod grid;
mod mask;
mod pointing;
mod region;

pub use bounds::Bounds;
pub use boxed::{
    BoxAccuracy, RightBoxes, box_accuracy, box_ious, component_box, held_out_box_accuracy, region_iou,
};
pub use energy::{energy, rank_accuracy, roc_area};
pub use grid::Grid;
pub use mask::Mask;
pub use pointing::{pointing, pointing_any};
pub use region::Region;

/// Share of the map's maximum from which a pixel belongs to the object, of Grad-CAM's paper (arXiv:1610.02391, section 4.1).
pub const GRAD_CAM_THRESHOLD: f64 = 0.15;

/// Tolerance of the pointing game in pixels of the picture, of its paper (arXiv:1608.00507).
pub const POINTING_TOLERANCE: f64 = 15.0;

#[cfg(test)]
mod shapes_tests;
