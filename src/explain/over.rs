//! Where the values of a segmentation's class are summed: the pixels of a mask.

use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, Problem, Result};

/// The pixels over which a segmentation's class is summed.
///
/// ```
/// use burncam::{Over, Request};
///
/// # fn main() -> burncam::Result<()> {
/// // The class at one pixel of the photo.
/// let mut request = Request::default();
/// request.over = "120,80".parse()?;
/// assert_eq!(request.over, Over::Point { x: 120.0, y: 80.0 });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Over {
    /// Where the class has the greatest value of all; of a single class, where it is above zero.
    #[default]
    Wins,
    /// All pixels.
    Everywhere,
    /// The output's pixel at a point of the picture, in pixels from its upper left corner.
    Point {
        /// Column.
        x: f64,
        /// Row.
        y: f64,
    },
    /// Where a picture of the photo's size is lighter than middle grey.
    Mask(PathBuf),
}

impl FromStr for Over {
    type Err = Error;

    /// `wins`, `everywhere`, `X,Y`, or the path of a picture.
    fn from_str(text: &str) -> Result<Self> {
        let point = text.split_once(',').map(|(x, y)| (x.trim().parse(), y.trim().parse()));
        match (text, point) {
            ("", _) => {
                Err(Error::request(Problem::expected_but("wins, everywhere, X,Y or a mask", "nothing")))
            }
            ("wins", _) => Ok(Self::Wins),
            ("everywhere", _) => Ok(Self::Everywhere),
            (_, Some((Ok(x), Ok(y)))) => Ok(Self::Point { x, y }),
            _ => Ok(Self::Mask(text.into())),
        }
    }
}

impl std::fmt::Display for Over {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wins => write!(f, "wins"),
            Self::Everywhere => write!(f, "everywhere"),
            Self::Point { x, y } => write!(f, "{x},{y}"),
            Self::Mask(_) => write!(f, "mask"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_two_numbers_and_anything_else_a_file() {
        let read = |text: &str| text.parse::<Over>().unwrap();
        assert_eq!(read("wins"), Over::default());
        assert_eq!(read("everywhere"), Over::Everywhere);
        assert_eq!(read("12, 7.5"), Over::Point { x: 12.0, y: 7.5 });
        assert_eq!(read("a,b.png"), Over::Mask("a,b.png".into()));
        assert!("".parse::<Over>().is_err());
    }
}
