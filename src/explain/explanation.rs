//! The maps of one image by one method, and their scale.

use super::Scale;
use crate::cam::{Library, Method};
use crate::engine::Reduction;
use crate::heatmap::{Heatmap, Stats};
use crate::record::{DetectionRecord, Prediction};

/// Share of the pixels of a fine map that are drawn below the brightest.
const BRIGHTEST: f64 = 0.99;

/// One image explained by one method.
///
/// ```
/// use burncam::{Explainer, Method, Model, Request};
///
/// # fn main() -> burncam::Result<()> {
/// # #[cfg(feature = "embedded-model")] {
/// let request = Request::with(|request| request.methods = vec![Method::GradCam, Method::EigenCam]);
/// let explainer = Explainer::new(Model::embedded()?, request)?;
/// let subject = explainer.read("fixtures/images/coffee.png")?;
/// let explanations = explainer.explain(&subject)?;
/// assert_eq!(explanations.len(), 2, "one for each method");
/// assert_eq!(explanations[0].predictions[0].class_name, "espresso");
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The method.
    pub method: Method,
    /// The explained layers with their grids, as people read them: `_relu1 (7x7)`. Empty for methods on pixels.
    pub layers: Vec<String>,
    /// The explained classes, in the order requested, without duplicates.
    pub targets: Vec<ClassExplanation>,
    /// The most probable classes.
    pub predictions: Vec<Prediction>,
    /// The true class among all, if the subject has one.
    pub(crate) true_class: Option<TrueClass>,
    /// The boxes that a detector found, the surest first; none for other networks.
    pub detections: Vec<DetectionRecord>,
    /// What a reader should know before trusting the pictures.
    pub warnings: Vec<String>,
    /// The divisor of the maps.
    pub scale: Scale,
    /// The library whose conventions the maps follow. They keep its scale; [`Explanation::scale`] is not used.
    pub library: Option<Library>,
}

/// Rank and probability of the true class; of several the most probable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrueClass {
    pub(crate) rank: usize,
    pub(crate) proba: Option<f64>,
}

/// A subject's explanations, and the way from the network's output for its input to one number per target.
#[derive(Debug)]
pub(crate) struct Scored {
    /// One per method of the request.
    pub(crate) explanations: Vec<Explanation>,
    /// That of the subject: masks and boxes are those of its own output.
    pub(crate) reduction: Reduction,
    /// Number of values that the network gives for one input.
    pub(crate) outputs: usize,
}

/// One explained class.
///
/// ```
/// use burncam::{Explainer, Model, Request, Target};
///
/// # fn main() -> burncam::Result<()> {
/// # #[cfg(feature = "embedded-model")] {
/// let request = Request::with(|request| request.targets = vec![Target::Top(2)]);
/// let explainer = Explainer::new(Model::embedded()?, request)?;
/// let explanation = &explainer.explain(&explainer.read("fixtures/images/coffee.png")?)?[0];
/// let second = &explanation.targets[1];
/// assert_eq!((second.class.class_name.as_str(), second.rank), ("cup", Some(2)));
/// // Not divided by anything; `Explanation::heatmap` gives 0 to 1.
/// assert_eq!((second.map.height(), second.map.width()), (7, 7));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassExplanation {
    /// The class with its scores.
    pub class: Prediction,
    /// The class score whose gradient was taken.
    pub score: f64,
    /// Rank among all classes, 1 for the most probable; `None` for a network that gives numbers.
    pub rank: Option<usize>,
    /// The map at the method's resolution, after ReLU and the combination of layers, not yet divided by anything. All zero when there is a
    /// finding.
    pub map: Heatmap,
    /// Statistics of each layer's map before ReLU; empty when one is not finite.
    pub raw: Vec<Stats>,
    /// Why the map is blank, if it is.
    pub finding: Option<String>,
    /// Number of the box in [`Explanation::detections`], from 1, when a detector's box is explained.
    pub box_number: Option<usize>,
    /// Where the class wins in a segmentation, 1 or 0 for each of the network's pixels; `None` for other tasks.
    pub mask: Option<Heatmap>,
    /// Number of the network's pixels that the score is a sum over; `None` for other tasks.
    pub pixels: Option<usize>,
}

impl ClassExplanation {
    /// What file names call it: the class's index, or `box1`.
    pub(crate) fn tag(&self) -> String {
        self.box_number.map_or_else(|| self.class.target.to_string(), |number| format!("box{number}"))
    }

    /// What people call it: its class, with the number of a box before it.
    pub(crate) fn title(&self) -> String {
        self.class.title(self.box_number)
    }

    /// What people read of the class: its probability, its share of the picture, or the number.
    #[must_use]
    pub(crate) fn shown(&self) -> String {
        Prediction { number: Some(self.score), ..self.class.clone() }.shown()
    }
}

impl ClassExplanation {
    /// Whether the other class has the same map, bit for bit, and so the same pictures, arrays and boxes; with the same pixels of
    /// its own, if they are drawn.
    pub(crate) fn looks_like(&self, other: &Self, with_mask: bool) -> bool {
        let pairs = || self.map.values().iter().zip(other.map.values());
        self.finding.is_some() == other.finding.is_some()
            && (self.map.height(), self.map.width()) == (other.map.height(), other.map.width())
            // Bits, because an array keeps the sign of a zero.
            && pairs().all(|(one, other)| one.to_bits() == other.to_bits())
            && (!with_mask || self.mask == other.mask)
    }
}

impl Explanation {
    /// A target's map on the explanation's scale: 0 to 1, or -1 to 1 for signed maps, when it is divided by its own
    /// maximum. With [`Scale::Fixed`] values may exceed that; raw maps, and those of a library, have any values.
    #[must_use]
    pub fn heatmap(&self, target: &ClassExplanation) -> Heatmap {
        let map = &target.map;
        self.divisor(target).map_or_else(|| map.clone(), |divisor| scaled(map, divisor))
    }

    /// A target's divisor, or `None` when the map is not divided.
    pub(crate) fn divisor(&self, target: &ClassExplanation) -> Option<f32> {
        let magnitude = target.map.magnitude();
        match self.scale {
            _ if self.library.is_some() => None,
            Scale::Raw => None,
            Scale::Own => (magnitude > 0.0).then_some(magnitude),
            Scale::Fixed(scale) => Some(scale),
        }
    }

    /// The largest magnitude in any target's map, before division.
    #[must_use]
    pub fn magnitude(&self) -> f32 {
        self.targets.iter().fold(0.0, |most, target| most.max(target.map.magnitude()))
    }

    /// A target's map for drawing: as [`Explanation::heatmap`], clamped to -1 to 1.
    ///
    /// For methods whose single pixels have much larger values than the rest, the drawing is brightest from the 99th
    /// percentile on, as in Smilkov et al. 2017, arXiv:1706.03825, section 3.1, unless several maps share the scale.
    pub(crate) fn drawn(&self, target: &ClassExplanation) -> Heatmap {
        let heatmap = self.heatmap(target);
        let magnitude = heatmap.magnitude();
        let is_common = matches!(self.scale, Scale::Fixed(_));
        let divisor = match heatmap.magnitude_quantile(BRIGHTEST) {
            // A quantile of zero means that nearly all is zero; dividing by it would leave nothing to see.
            quantile if self.method.is_fine() && !is_common && quantile > 0.0 => quantile,
            _ if is_common || magnitude == 0.0 => 1.0,
            _ => magnitude,
        };
        scaled(&heatmap, divisor).map(|value| value.clamp(-1.0, 1.0)).unwrap_or(heatmap)
    }
}

/// Maxima become exactly one.
fn scaled(map: &Heatmap, divisor: f32) -> Heatmap {
    map.map(|value| value / divisor).unwrap_or_else(|| map.clone())
}
