//! Colour maps: from heat to an sRGB colour.
//!
//! Heat is in 0 to 1, or in -1 to 1 on a signed map. The tables hold the exact bytes of matplotlib and OpenCV;
//! `tables/README.md` lists sources and licences. Whether a map is signed is decided where it is drawn.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::fixed::floor;

/// A colour map with 256 colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// Blue over green to yellow; perceptually uniform and safe for colour-blind readers.
    Viridis,
    /// A rainbow without the false edges of jet.
    Turbo,
    /// Black over purple to cream.
    Magma,
    /// Black over red to pale yellow; perceptually uniform, and on a grey photo the most visible of those that are.
    #[default]
    Inferno,
    /// Blue over pink to yellow.
    Plasma,
    /// Blue over grey to yellow, nearly the same for every kind of colour vision.
    Cividis,
    /// The rainbow from dark blue to dark red of most published overlays.
    Jet,
    /// OpenCV's jet, which differs from matplotlib's by up to 33 levels.
    JetOpencv,
    /// Black to white.
    Grey,
    /// Near-white to dark blue.
    Blues,
    /// Near-white to dark green.
    Greens,
    /// Near-white to dark red.
    Reds,
    /// For signed maps: soft blue over grey to soft red.
    Coolwarm,
    /// For signed maps: blue over white to red.
    RedBlue,
    /// For signed maps: red for negative, over white, to green, as in captum.
    RedWhiteGreen,
}

/// Number of colours of a map.
pub(super) const COLORS: usize = 256;

/// 256 colours of three bytes.
type Table = [[u8; 3]; COLORS];

static GREY: Table = grey();

impl Colormap {
    /// Every colour map, in the order that help texts list them.
    pub const ALL: [Self; 15] = [
        Self::Viridis,
        Self::Turbo,
        Self::Magma,
        Self::Inferno,
        Self::Plasma,
        Self::Cividis,
        Self::Jet,
        Self::JetOpencv,
        Self::Grey,
        Self::Blues,
        Self::Greens,
        Self::Reds,
        Self::Coolwarm,
        Self::RedBlue,
        Self::RedWhiteGreen,
    ];

    /// The name that it is parsed from.
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
            Self::JetOpencv => "jet-opencv",
            Self::Grey => "grey",
            Self::Blues => "blues",
            Self::Greens => "greens",
            Self::Reds => "reds",
            Self::Coolwarm => "coolwarm",
            Self::RedBlue => "red-blue",
            Self::RedWhiteGreen => "red-white-green",
        }
    }

    /// Whether the middle means zero and the ends -1 and 1.
    #[must_use]
    pub fn is_diverging(self) -> bool {
        matches!(self, Self::Coolwarm | Self::RedBlue | Self::RedWhiteGreen)
    }

    /// The colour at a position from 0 (cold) to 1 (hot); the position of a signed value is `(value + 1) / 2`.
    /// Positions outside get the colour of the nearer end, NaN the coldest.
    #[must_use]
    pub fn color(self, position: f32) -> [u8; 3] {
        self.colors()[usize::from(index(position))]
    }

    /// All colours from cold to hot.
    pub(super) fn colors(self) -> &'static Table {
        match self {
            Self::Viridis => table(include_bytes!("tables/viridis.rgb")),
            Self::Turbo => table(include_bytes!("tables/turbo.rgb")),
            Self::Magma => table(include_bytes!("tables/magma.rgb")),
            Self::Inferno => table(include_bytes!("tables/inferno.rgb")),
            Self::Plasma => table(include_bytes!("tables/plasma.rgb")),
            Self::Cividis => table(include_bytes!("tables/cividis.rgb")),
            Self::Jet => table(include_bytes!("tables/jet.rgb")),
            Self::JetOpencv => table(include_bytes!("tables/jet-opencv.rgb")),
            Self::Grey => &GREY,
            Self::Blues => table(include_bytes!("tables/blues.rgb")),
            Self::Greens => table(include_bytes!("tables/greens.rgb")),
            Self::Reds => table(include_bytes!("tables/reds.rgb")),
            Self::Coolwarm => table(include_bytes!("tables/coolwarm.rgb")),
            Self::RedBlue => table(include_bytes!("tables/red-blue.rgb")),
            Self::RedWhiteGreen => table(include_bytes!("tables/red-white-green.rgb")),
        }
    }
}

impl FromStr for Colormap {
    type Err = Error;

    /// The colour map of this name, in any case; `gray` is also understood.
    fn from_str(name: &str) -> Result<Self> {
        let name = if name.eq_ignore_ascii_case("gray") { "grey" } else { name };
        super::by_name("colormap", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Colormap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Position of a value from -1 to 1 on a colour map: `(value + 1) / 2`.
#[must_use]
#[inline(always)]
pub(crate) fn signed_position(value: f32) -> f32 {
    (value + 1.0) / 2.0
}

/// Index of the colour at a position: `floor(256 * position)`, and the last one at 1, as in matplotlib.
#[inline(always)]
pub(super) fn index(position: f32) -> u8 {
    floor(position * COLORS as f32, COLORS as f32 - 1.0) as u8
}

/// The bytes of a table file, three per colour.
fn table(bytes: &'static [u8; 3 * COLORS]) -> &'static Table {
    bytemuck::cast_ref(bytes)
}

const fn grey() -> Table {
    let mut table = [[0; 3]; COLORS];
    let mut at = 0;
    while at < COLORS {
        table[at] = [at as u8; 3];
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ends_and_middles_are_those_that_matplotlib_and_opencv_paint() {
        let ends = |map: Colormap| [map.color(0.0), map.color(0.5), map.color(1.0)];
        assert_eq!(ends(Colormap::Viridis), [[68, 1, 84], [32, 144, 140], [253, 231, 36]]);
        assert_eq!(ends(Colormap::Turbo), [[48, 18, 59], [164, 252, 59], [122, 4, 2]]);
        assert_eq!(ends(Colormap::Cividis), [[0, 34, 77], [124, 123, 120], [253, 231, 55]]);
        assert_eq!(ends(Colormap::Jet), [[0, 0, 127], [124, 255, 121], [127, 0, 0]]);
        assert_eq!(ends(Colormap::JetOpencv), [[0, 0, 128], [130, 255, 126], [128, 0, 0]]);
        assert_eq!(ends(Colormap::Grey), [[0; 3], [128; 3], [255; 3]]);
    }

    #[test]
    fn diverging_maps_are_palest_at_zero() {
        for map in Colormap::ALL.into_iter().filter(|map| map.is_diverging()) {
            let lightness =
                |value| map.color(signed_position(value)).iter().map(|c| u32::from(*c)).sum::<u32>();
            assert!(lightness(0.0) > 650, "{map}");
            assert!(lightness(-1.0) < 450 && lightness(1.0) < 450, "{map}");
        }
        let [negative, positive] = [-1.0, 1.0].map(|value| Colormap::RedBlue.color(signed_position(value)));
        assert!(negative[2] > negative[0] && positive[0] > positive[2]);
    }

    #[test]
    fn every_map_is_found_by_its_name_and_no_two_are_alike() {
        for (place, map) in Colormap::ALL.into_iter().enumerate() {
            assert_eq!(map as usize, place);
            assert_eq!(map.name().to_uppercase().parse::<Colormap>().unwrap(), map);
            assert!(Colormap::ALL[..place].iter().all(|other| other.colors() != map.colors()), "{map}");
        }
        let error = "viridus".parse::<Colormap>().unwrap_err().to_string();
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
