//! What a caller asks for when a layer is to be explained.

use std::str::FromStr;

use crate::error::{Error, Problem, Result};

/// The caller's choice of a layer.
///
/// ```
/// use burncam_model::LayerRequest;
///
/// # fn main() -> burncam_graph::error::Result<()> {
/// assert_eq!("auto".parse::<LayerRequest>()?, LayerRequest::Auto);
/// assert_eq!("layer4".parse::<LayerRequest>()?, LayerRequest::Name("layer4".to_owned()));
/// assert_eq!("-1".parse::<LayerRequest>()?, LayerRequest::Index(-1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LayerRequest {
    /// The last layer with a spatial extent, after its activation.
    #[default]
    Auto,
    /// A node's name, or a prefix such as `layer4`, which means the last tensor produced under it.
    Name(String),
    /// A node's index as `burncam layers` prints it; negative counts from the end.
    Index(i64),
}

impl FromStr for LayerRequest {
    type Err = Error;

    /// Parses `auto`, an integer, or a name; nothing at all is refused.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            _ if text.is_empty() => Err(Error::request(Problem::expected_but("a layer", "nothing"))),
            _ if text == "auto" => Ok(Self::Auto),
            Ok(index) => Ok(Self::Index(index)),
            Err(_) => Ok(Self::Name(text.to_owned())),
        }
    }
}
