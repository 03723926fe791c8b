//! From one map per layer to the final map: ReLU, combination of layers, and other libraries' orders of these steps.

use super::definition::{Definition, Finishing, Joining};
use super::options::{Library, Options};
use crate::error::{Error, Result, by_name};
use crate::heatmap::{Heatmap, Sampling};

/// How the maps of several layers are combined.
///
/// ```
/// use burncam::{Aggregate, Request};
///
/// # fn main() -> burncam::Result<()> {
/// let mut request = Request::default();
/// request.layers = vec!["layer2".parse()?, "layer4".parse()?];
/// request.finish.aggregate = Some("max".parse()?);
/// assert_eq!(request.finish.aggregate, Some(Aggregate::Max));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aggregate {
    /// Their mean.
    #[default]
    Mean,
    /// The largest magnitude.
    Max,
    /// Their product: common evidence.
    Product,
}

impl Aggregate {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Mean, Self::Max, Self::Product];

    /// Name on the command line and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Product => "product",
        }
    }

    fn of(self, values: &mut dyn Iterator<Item = f32>) -> f32 {
        match self {
            Self::Mean => {
                let (sum, count) =
                    values.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(value), count + 1.0));
                (sum / count) as f32
            }
            // The larger magnitude, so that signed maps keep evidence against the class.
            Self::Max => {
                values.fold(0.0, |most: f32, value| if value.abs() > most.abs() { value } else { most })
            }
            Self::Product => values.product(),
        }
    }
}

impl std::str::FromStr for Aggregate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("aggregate", text, Self::ALL.iter().map(|aggregate| (aggregate.name(), *aggregate)))
    }
}

/// How maps are finished.
///
/// ```
/// use burncam::{Finish, Request};
///
/// // Values stay in units of score times activation until all layers are joined.
/// let finish = Finish { normalize: false, ..Finish::default() };
/// let request = Request::with(|request| request.finish = finish);
/// assert!(!request.finish.normalize && request.finish.aggregate.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// For several layers. Default: what is usual for the network, see [`Finish::or_usual`].
    pub aggregate: Option<Aggregate>,
    /// Scales every layer's map by its own maximum before several are combined.
    pub normalize: bool,
    /// Enlarges every layer's map to the network's input before it is scaled, as ultralytics does. Default: of a detector yes.
    pub enlarge: Option<bool>,
}

impl Default for Finish {
    fn default() -> Self {
        Self { aggregate: None, normalize: true, enlarge: None }
    }
}

impl Finish {
    /// With what is usual where nothing was asked for: of the scales that one head reads, as a detector's, the maximum, because each
    /// sees objects of another size and the strongest counts; of other layers the mean.
    #[must_use]
    pub(crate) fn or_usual(self, are_scales: bool) -> Self {
        let usual = if are_scales { Aggregate::Max } else { Aggregate::Mean };
        let enlarge = self.enlarge.or(Some(are_scales));
        Self { aggregate: self.aggregate.or(Some(usual)), enlarge, ..self }
    }

    /// The combination for a method: as requested, unless the method or the library determines it.
    pub(super) fn aggregate_of(&self, joining: Joining, library: Option<Library>) -> Aggregate {
        match (joining, library) {
            (Joining::Product, _) => Aggregate::Product,
            (_, Some(Library::Torchcam)) => Aggregate::Max,
            (_, Some(_)) => Aggregate::Mean,
            (_, None) => self.aggregate.unwrap_or_default(),
        }
    }

    /// One map from one per layer, before it is scaled.
    ///
    /// `input` is height and width of the network's input, to which some libraries enlarge. The library in the
    /// options determines the order of steps; `signed` keeps negative values: no ReLU.
    pub(super) fn apply(
        &self,
        method: &Definition,
        maps: &[Heatmap],
        input: [usize; 2],
        options: &Options,
    ) -> Result<Heatmap> {
        let aggregate = self.aggregate_of(method.traits.joining, options.library);
        let finished = match options.library {
            None => self.own(maps, input, aggregate, options.signed),
            Some(Library::Eli5) => over_maximum(&only(maps)?.rectified(), 1e-7),
            Some(Library::PytorchGradCam) => {
                pytorch_grad_cam(method.traits.finishing, maps, input, aggregate)
            }
            Some(Library::Torchcam) => torchcam(method.traits.finishing, maps, aggregate),
            Some(Library::Captum) => only(maps)?.resized(input[0], input[1], Sampling::Nearest),
            Some(Library::TfKerasVis) => {
                let map = zoomed(&only(maps)?.rectified(), input);
                min_max(&map, 1e-7)
            }
            // Its maps on pixels keep their signs; FEM's maps have none.
            Some(Library::Xplique) if method.info.uses_layer => {
                only(maps)?.rectified().resized(input[0], input[1], Sampling::Bicubic)
            }
            Some(Library::Xplique) => only(maps)?.clone(),
        };
        Ok(finished)
    }

    fn own(&self, maps: &[Heatmap], input: [usize; 2], aggregate: Aggregate, signed: bool) -> Heatmap {
        let maps: Vec<Heatmap> =
            maps.iter().map(|map| if signed { map.clone() } else { map.rectified() }).collect();
        if let [map] = &maps[..] {
            return map.clone();
        }
        let scaled = |map: &Heatmap| {
            let map = match self.enlarge {
                Some(true) => map.resized(input[0], input[1], Sampling::Bilinear),
                _ => map.clone(),
            };
            if self.normalize { over_maximum(&map, 0.0) } else { map }
        };
        combined(&maps.iter().map(scaled).collect::<Vec<_>>(), aggregate)
    }
}

/// The map of one layer with pytorch-grad-cam's usual finishing.
pub(super) fn like_pytorch_grad_cam(map: &Heatmap, input: [usize; 2]) -> Heatmap {
    pytorch_grad_cam(Finishing::Usual, std::slice::from_ref(map), input, Aggregate::Mean)
}

/// ReLU, scaling and enlarging per layer, then their mean, scaled again.
fn pytorch_grad_cam(
    finishing: Finishing,
    maps: &[Heatmap],
    [height, width]: [usize; 2],
    aggregate: Aggregate,
) -> Heatmap {
    let whole = |map: &Heatmap| min_max(&map.rectified(), 1e-7).resized(height, width, Sampling::Bilinear);
    // Maps to be multiplied are finished first.
    let product = aggregate == Aggregate::Product;
    let layer = |map: &Heatmap| if product { min_max(&whole(map), 1e-7) } else { whole(map) };
    // A map of the input's size is on pixels, without layers.
    if let (Finishing::Scaled, [map]) = (finishing, maps) {
        return min_max(map, 1e-7);
    }
    min_max(&combined(&maps.iter().map(layer).collect::<Vec<_>>(), aggregate), 1e-7)
}

/// ReLU except for CAM, scaled at the layer's size; several are enlarged to the largest, and the maximum is taken.
fn torchcam(finishing: Finishing, maps: &[Heatmap], aggregate: Aggregate) -> Heatmap {
    let layer = |map: &Heatmap| {
        let unit =
            min_max(&if finishing == Finishing::Unrectified { map.clone() } else { map.rectified() }, 1e-8);
        match finishing {
            Finishing::Tanh if maps.len() > 1 => unit.map(|value| (2.0 * value).tanh()).unwrap_or(unit),
            _ => unit,
        }
    };
    let layers: Vec<Heatmap> = maps.iter().map(layer).collect();
    if aggregate == Aggregate::Product {
        let again: Vec<Heatmap> = layers.iter().map(|map| min_max(map, 1e-8)).collect();
        return min_max(&combined(&again, Aggregate::Product), 1e-8);
    }
    combined(&layers, aggregate)
}

/// scipy's `zoom` of order 1 as tf-keras-vis calls it. Where rounding puts the last row or column just outside the
/// map, it is zero.
fn zoomed(map: &Heatmap, [height, width]: [usize; 2]) -> Heatmap {
    let falls_out = |cells: usize, length: usize| {
        // scipy multiplies an index by this quotient, and rounding may carry the last one past the last cell.
        let (last, end) = ((cells - 1) as f64, (length.max(2) - 1) as f64);
        last / end * end > last
    };
    let (no_row, no_column) = (falls_out(map.height(), height), falls_out(map.width(), width));
    let large = map.resized(height, width, Sampling::BilinearCorners);
    let kept = |at: usize| !(no_row && at / width == height - 1 || no_column && at % width == width - 1);
    let values = large.values().iter().enumerate().map(|(at, value)| if kept(at) { *value } else { 0.0 });
    Heatmap::new(height, width, values.collect()).unwrap_or(large)
}

/// Maps resized to the largest and combined.
fn combined(maps: &[Heatmap], aggregate: Aggregate) -> Heatmap {
    // The finest layer decides the resolution: enlarging loses nothing.
    let largest = maps.iter().max_by_key(|map| map.values().len()).unwrap_or(&maps[0]);
    let (height, width) = (largest.height(), largest.width());
    let same: Vec<Heatmap> = maps.iter().map(|map| map.resized(height, width, Sampling::Bilinear)).collect();
    let cell = |at: usize| aggregate.of(&mut same.iter().map(|map| map.values()[at]));
    let values = (0..height * width).map(cell).collect();
    Heatmap::new(height, width, values).unwrap_or_else(|| largest.clone())
}

/// Subtracts the minimum, then divides by the maximum plus a small number.
fn min_max(map: &Heatmap, small: f32) -> Heatmap {
    let least = map.stats().min;
    over_maximum(&map.map(|value| value - least).unwrap_or_else(|| map.clone()), small)
}

/// Divides by the largest magnitude plus a small number; zeros stay zeros.
fn over_maximum(map: &Heatmap, small: f32) -> Heatmap {
    let most = map.magnitude();
    // Zero divided by zero is NaN, and a blank map has a finding instead.
    if most == 0.0 {
        map.clone()
    } else {
        map.map(|value| value / (most + small)).unwrap_or_else(|| map.clone())
    }
}

/// Libraries that explain one layer at a time.
fn only(maps: &[Heatmap]) -> Result<&Heatmap> {
    match maps {
        [map] => Ok(map),
        _ => Err(Error::internal("a library that explains one layer was given several")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_that_scipy_loses_is_lost() {
        // Run with scipy 1.17: 32 -> 224 loses its last column, 7 -> 224 does not.
        let row = |cells: usize| Heatmap::new(1, cells, vec![1.0; cells]).unwrap();
        let last = |cells: usize| zoomed(&row(cells), [1, 224]).values().last().copied();
        assert_eq!((last(32), last(7), last(14)), (Some(0.0), Some(1.0), Some(1.0)));
    }

    #[test]
    fn scales_of_a_head_are_joined_by_their_maximum_unless_asked() {
        let of = |asked, are_scales| {
            Finish { aggregate: asked, ..Finish::default() }.or_usual(are_scales).aggregate
        };
        assert_eq!(of(None, true), Some(Aggregate::Max));
        assert_eq!(of(None, false), Some(Aggregate::Mean));
        assert_eq!(of(Some(Aggregate::Product), true), Some(Aggregate::Product));
    }

    #[test]
    fn layers_become_one_by_hand() {
        let maps =
            [Heatmap::new(1, 2, vec![-1.0, 2.0]).unwrap(), Heatmap::new(1, 2, vec![1.0, 4.0]).unwrap()];
        let of =
            |aggregate, signed| Finish::default().own(&maps, [2, 4], aggregate, signed).values().to_vec();
        assert_eq!(of(Aggregate::Mean, false), [0.125, 1.0]);
        assert_eq!(of(Aggregate::Max, false), [0.25, 1.0]);
        assert_eq!(of(Aggregate::Product, false), [0.0, 1.0]);
        assert_eq!(of(Aggregate::Max, true), [-0.5, 1.0]);
        // Enlarged first: cells of [0, 2] become 0, 1/2, 3/2, 2, those of [1, 4] 1, 7/4, 13/4, 4, and then each is divided.
        let enlarged = Finish { enlarge: Some(true), ..Finish::default() };
        let found = enlarged.own(&maps, [1, 4], Aggregate::Max, false);
        assert_eq!(found.values(), [0.25, 0.4375, 0.8125, 1.0]);
    }
}
