//! The maps of one image by one method, and what they are divided by.

use super::Scale;
use crate::cam::{ClassMap, Library, Method};
use crate::heatmap::Heatmap;
use crate::record::Prediction;

/// Share of the pixels of a fine map that are drawn below the brightest.
const BRIGHTEST: f64 = 0.99;

/// One image explained by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The method.
    pub method: Method,
    /// The explained classes, in the order asked for, each once.
    pub targets: Vec<ClassExplanation>,
    /// The most probable classes.
    pub predictions: Vec<Prediction>,
    /// What a reader should know before trusting the pictures.
    pub warnings: Vec<String>,
    /// What the maps are divided by.
    pub scale: Scale,
    /// The library whose conventions the maps follow. They keep its scale, and [`Explanation::scale`] is not used.
    pub library: Option<Library>,
}

/// One explained class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassExplanation {
    /// The class with its scores.
    pub class: Prediction,
    /// The class score whose gradient was taken.
    pub score: f64,
    /// Rank among all classes, 1 for the most probable; `None` of a network that gives numbers.
    pub rank: Option<usize>,
    /// The map.
    pub map: ClassMap,
    /// Why the map is blank, if it is.
    pub finding: Option<String>,
}

impl Explanation {
    /// A target's map on the explanation's scale, whole: 0 to 1, or with signs -1 to 1, where it is divided by its own greatest
    /// value. On a scale of [`Scale::Fixed`] values may be beyond; raw ones, and those of a library, are of any size.
    #[must_use]
    pub fn heatmap(&self, target: &ClassExplanation) -> Heatmap {
        let map = &target.map.map;
        self.divisor(target).map_or_else(|| map.clone(), |divisor| scaled(map, divisor))
    }

    /// What a target's map is divided by, or `None` when it stays as it is.
    pub(crate) fn divisor(&self, target: &ClassExplanation) -> Option<f32> {
        let magnitude = target.map.map.magnitude();
        match self.scale {
            _ if self.library.is_some() => None,
            Scale::Raw => None,
            Scale::Own => (magnitude > 0.0).then_some(magnitude),
            Scale::Fixed(scale) => Some(scale),
        }
    }

    /// The greatest distance from zero in any target's map, before it is divided.
    #[must_use]
    pub fn magnitude(&self) -> f32 {
        self.targets.iter().fold(0.0, |most, target| most.max(target.map.map.magnitude()))
    }

    /// A target's map as it is drawn: as [`Explanation::heatmap`], and always within -1 to 1.
    ///
    /// Of a method whose single pixels stand out, the drawing is brightest from the 99th percentile on, as in Smilkov et al.
    /// 2017, arXiv:1706.03825, section 3.1, unless the scale is common to several maps.
    pub(crate) fn drawn(&self, target: &ClassExplanation) -> Heatmap {
        let heatmap = self.heatmap(target);
        let magnitude = heatmap.magnitude();
        let is_common = matches!(self.scale, Scale::Fixed(_));
        let divisor = match heatmap.magnitude_quantile(BRIGHTEST) {
            quantile if self.method.is_fine() && !is_common && quantile > 0.0 => quantile,
            _ if is_common || magnitude == 0.0 => 1.0,
            _ => magnitude,
        };
        scaled(&heatmap, divisor).map(|value| value.clamp(-1.0, 1.0)).unwrap_or(heatmap)
    }
}

/// Values that are greatest become exactly one.
fn scaled(map: &Heatmap, divisor: f32) -> Heatmap {
    map.map(|value| value / divisor).unwrap_or_else(|| map.clone())
}
