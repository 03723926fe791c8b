//! Values of integers: a picture that enters as bytes, until the graph casts it to real numbers.
//!
//! The engine computes with real numbers only. Integer values may be moved and cast; arithmetic on them would wrap
//! and round differently, and is refused.

use super::cast::is_real;
use super::site::{Site, Value};
use crate::error::Problem;

/// The result of an operation on an integer value.
pub(super) enum Whole {
    /// It stays an integer value.
    Stays,
    /// It becomes real, or no longer depends on the picture's values.
    Ends,
    /// A cast to an integer type that holds every value: a no-op.
    Unchanged(Value),
}

/// What a node does to integers.
pub(super) fn after(site: &Site) -> Result<Whole, Problem> {
    match site.op() {
        "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Slice" | "Split" | "Gather"
        | "GatherND" | "Concat" | "Identity" | "Dropout" => Ok(Whole::Stays),
        "Shape" | "Size" | "DequantizeLinear" => Ok(Whole::Ends),
        "Cast" if is_real(site.int("to", 1)?) == Some(true) => Ok(Whole::Ends),
        // All other integer types are wide enough for bytes.
        "Cast" if matches!(site.int("to", 1)?, 2 | 4..=7 | 12 | 13) => {
            Ok(Whole::Unchanged(site.input(0).cloned().ok_or("has no input")?))
        }
        _ => Err(Problem::new("works on whole numbers, as the input is made of")
            .expected("a Cast to real numbers before it")
            .hint("export a model that takes floats")),
    }
}
