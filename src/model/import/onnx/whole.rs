//! Values of whole numbers: a picture that enters as bytes, until the graph casts it to real numbers.
//!
//! The engine computes in real numbers only. Whole ones may be moved about and cast; arithmetic on them would wrap and
//! round otherwise, and is refused.

use super::cast::is_real;
use super::site::{Site, Value};

/// What becomes of a value of whole numbers.
pub(super) enum Whole {
    /// It stays one.
    Stays,
    /// It becomes real, or something that is no value of the picture.
    Ends,
    /// A cast to other whole numbers that holds every value: nothing happens.
    Unchanged(Value),
}

/// What a node does to whole numbers.
pub(super) fn after(site: &Site) -> Result<Whole, String> {
    match site.op() {
        "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Slice" | "Split" | "Gather" | "GatherND"
        | "Concat" | "Identity" | "Dropout" => Ok(Whole::Stays),
        "Shape" | "Size" => Ok(Whole::Ends),
        "Cast" if is_real(site.int("to", 1)?) == Some(true) => Ok(Whole::Ends),
        // Bytes fit into anything wider.
        "Cast" if matches!(site.int("to", 1)?, 2 | 4..=7 | 12 | 13) => {
            Ok(Whole::Unchanged(Value::Tensor(site.tensor(0)?.clone())))
        }
        _ => Err("works on whole numbers, as the input is made of, expected a Cast to real numbers before it (export a model that takes floats)".into()),
    }
}
