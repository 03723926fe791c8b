//! Colour maps: from heat, 0 to 1, to an sRGB colour.
//!
//! All are within one level of 255 of matplotlib's, but two: `turbo` and `cividis` are d3's smooth formulas, which
//! differ by up to 32 levels (turbo's dark ends) and 19 (cividis' yellow end).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::error::{Error, Result};

/// A way from heat to colour. Each has 256 colours, as in matplotlib.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// Blue over green to yellow; even to the eye, and safe for the colour-blind.
    #[default]
    Viridis,
    /// A rainbow without jet's false edges.
    Turbo,
    /// Black over purple to cream.
    Magma,
    /// Black over red to pale yellow.
    Inferno,
    /// Blue over pink to yellow.
    Plasma,
    /// Blue over grey to yellow, nearly the same to every kind of colour vision.
    Cividis,
    /// The old rainbow from dark blue to dark red that most published overlays use.
    Jet,
    /// Black to white.
    Grey,
}

/// How many colours a map has.
const COLORS: usize = 256;

type Table = [[u8; 3]; COLORS];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| Colormap::ALL.map(table).into());

impl Colormap {
    /// Every colour map, in the order that help texts list them.
    pub const ALL: [Self; 8] = [
        Self::Viridis,
        Self::Turbo,
        Self::Magma,
        Self::Inferno,
        Self::Plasma,
        Self::Cividis,
        Self::Jet,
        Self::Grey,
    ];

    /// The name that [`Colormap::parse`] takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Turbo => "turbo",
            Self::Magma => "magma",
            Self::Inferno => "inferno",
            Self::Plasma => "plasma",
            Self::Cividis => "cividis",
            Self::Jet => "jet",
            Self::Grey => "grey",
        }
    }

    /// The colour map of this name, in any case; `gray` is also understood.
    ///
    /// # Errors
    /// [`Error::Request`] with the names there are, and the nearest of them.
    pub fn parse(name: &str) -> Result<Self> {
        let name = if name.eq_ignore_ascii_case("gray") { "grey" } else { name };
        super::by_name("colormap", name, &Self::ALL, Self::name)
    }

    /// The colour of a value from 0 to 1. Values outside, and NaN, get the colour of the nearer end, and zero's.
    #[must_use]
    pub fn color(self, value: f32) -> [u8; 3] {
        self.table()[index(value)]
    }

    /// The colours from cold to hot.
    pub(super) fn table(self) -> &'static [[u8; 3]; COLORS] {
        &TABLES[self as usize]
    }
}

impl FromStr for Colormap {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

impl fmt::Display for Colormap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which of the 256 colours a value has: `floor(256 * value)`, one has the last, as in matplotlib.
pub(super) fn index(value: f32) -> usize {
    // A float's conversion to an integer holds it within the integer's range, and makes NaN zero.
    ((value * COLORS as f32) as usize).min(COLORS - 1)
}

fn table(map: Colormap) -> Table {
    let gradient = match map {
        Colormap::Viridis => colorous::VIRIDIS,
        Colormap::Turbo => colorous::TURBO,
        Colormap::Magma => colorous::MAGMA,
        Colormap::Inferno => colorous::INFERNO,
        Colormap::Plasma => colorous::PLASMA,
        Colormap::Cividis => colorous::CIVIDIS,
        Colormap::Jet => return std::array::from_fn(|index| jet(index as f64 / (COLORS - 1) as f64)),
        Colormap::Grey => return std::array::from_fn(|index| [index as u8; 3]),
    };
    std::array::from_fn(|index| gradient.eval_rational(index, COLORS).into_array())
}

/// Jet at `t`, 0 to 1: each colour rises, stays and falls in straight lines between the published corners.
fn jet(t: f64) -> [u8; 3] {
    const RED: [[f64; 2]; 5] = [[0.0, 0.0], [0.35, 0.0], [0.66, 1.0], [0.89, 1.0], [1.0, 0.5]];
    const GREEN: [[f64; 2]; 6] =
        [[0.0, 0.0], [0.125, 0.0], [0.375, 1.0], [0.64, 1.0], [0.91, 0.0], [1.0, 0.0]];
    const BLUE: [[f64; 2]; 5] = [[0.0, 0.5], [0.11, 1.0], [0.34, 1.0], [0.65, 0.0], [1.0, 0.0]];
    [&RED[..], &GREEN, &BLUE].map(|corners| (piecewise(corners, t) * 255.0).round() as u8)
}

/// The height at `t` of the line through `[position, height]` corners in ascending order.
fn piecewise(corners: &[[f64; 2]], t: f64) -> f64 {
    corners.windows(2).find(|pair| t <= pair[1][0]).map_or(0.0, |pair| {
        pair[0][1] + (pair[1][1] - pair[0][1]) * (t - pair[0][0]) / (pair[1][0] - pair[0][0])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_are_the_published_ones() {
        assert_eq!(
            [Colormap::Viridis.color(0.0), Colormap::Viridis.color(1.0)],
            [[68, 1, 84], [253, 231, 37]]
        );
        assert_eq!([Colormap::Jet.color(0.0), Colormap::Jet.color(1.0)], [[0, 0, 128], [128, 0, 0]]);
        assert_eq!([Colormap::Grey.color(0.0), Colormap::Grey.color(1.0)], [[0; 3], [255; 3]]);
    }

    #[test]
    fn every_map_is_found_by_its_name_and_its_place() {
        for (place, map) in Colormap::ALL.into_iter().enumerate() {
            assert_eq!(map as usize, place);
            assert_eq!(map.name().to_uppercase().parse::<Colormap>().unwrap(), map);
        }
        let error = Colormap::parse("viridus").unwrap_err().to_string();
        assert!(error.starts_with("colormap 'viridus' is not known (did you mean 'viridis'?); "), "{error}");
    }

    #[test]
    fn no_number_is_without_a_colour() {
        let ends = [(f32::NEG_INFINITY, 0), (-1.0, 0), (f32::NAN, 0), (2.0, 255), (f32::INFINITY, 255)];
        assert!(ends.into_iter().all(|(value, expected)| index(value) == expected));
    }

    proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn hotter_never_maps_to_an_earlier_color(a in 0.0f32..=1.0, b in 0.0f32..=1.0) {
            prop_assert!(index(a.min(b)) <= index(a.max(b)));
        }
    }
}
