//! What is left of the score when the picture is multiplied by its map: drop, increase, gain.

use burncam_graph::error::{Error, Problem};

use super::picture::Picture;
use crate::convention::Convention;
use crate::map::Map;
use crate::scorer::Scorer;

/// The scores `y(x)` of a picture and `y(H . x)` of the picture multiplied by its map, pixel by pixel in all channels.
///
/// A dataset's figure is the mean over pictures: average drop (Chattopadhay et al. 2018, arXiv:1710.11063, eq. 11), increase in
/// confidence (there, eq. 12), average gain (Zhang et al. 2024, Opti-CAM, arXiv:2301.07002). All are fractions from 0 to 1; the first
/// paper prints per cent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Masked {
    /// `y(x)`.
    pub whole: f64,
    /// `y(H . x)`.
    pub masked: f64,
}

impl Masked {
    /// Multiplies the picture by its map and asks for the score.
    ///
    /// The product is of the network's input, so that 0 becomes the mean that preprocessing subtracts, as in all libraries.
    ///
    /// # Errors
    ///
    /// When the map has another size or values outside 0 to 1, and what the scorer reports.
    pub fn new(picture: &Picture, map: &Map, scorer: &mut dyn Scorer) -> Result<Self, Error> {
        picture.check(map)?;
        if let Some(value) = map.values().iter().find(|value| !(0.0..=1.0).contains(*value)) {
            let problem = Problem::new("map that multiplies a picture has a value outside its range");
            return Err(problem.expected("0 to 1").found(value.to_string()).into());
        }
        let multiply = |_: usize, values: &mut [f32]| {
            for channel in values.chunks_exact_mut(map.values().len()) {
                channel.iter_mut().zip(map.values()).for_each(|(value, relevance)| *value *= relevance);
            }
        };
        let masked = picture.scores(scorer, 1, multiply)?[0];
        Ok(Self { whole: picture.score(), masked })
    }

    /// The drop of one picture, lower is better.
    ///
    /// * The paper's is `max(0, y(x) - y(H . x)) / y(x)`, and `None` where `y(x)` is not positive: of a negative logit any map
    ///   would get a drop of 0. OpenVINO XAI's is the same.
    /// * torchcam adds `1e-7` to the denominator and xplique `1e-8`; they refuse nothing.
    /// * pytorch-grad-cam does not divide: [`drop_difference`](Self::drop_difference).
    #[must_use]
    pub fn drop(&self, convention: Convention) -> Option<f64> {
        let difference = self.drop_difference();
        match convention {
            Convention::Paper | Convention::OpenvinoXai => {
                (self.whole > 0.0).then(|| difference / self.whole)
            }
            Convention::PytorchGradCam => Some(difference),
            Convention::Torchcam => Some(difference / (self.whole + 1e-7)),
            Convention::Xplique => Some(difference / (self.whole + 1e-8)),
        }
    }

    /// `max(0, y(x) - y(H . x))` in units of the score, lower is better: `DropInConfidence` of pytorch-grad-cam.
    #[must_use]
    pub fn drop_difference(&self) -> f64 {
        (self.whole - self.masked).max(0.0)
    }

    /// Whether the score rose, strictly; the share of such pictures is the increase in confidence, higher is better.
    ///
    /// `None` where `y(x)` is negative: multiplying by a map brings such a score towards 0, which is up.
    #[must_use]
    pub fn increase(&self) -> Option<bool> {
        (self.whole >= 0.0).then_some(self.masked > self.whole)
    }

    /// `max(0, y(H . x) - y(x)) / (1 - y(x))`, higher is better. `None` where `y(x)` is not in `[0, 1)`: only a probability below
    /// 1 can gain. xplique adds `1e-8` to the denominator and refuses nothing.
    #[must_use]
    pub fn gain(&self, convention: Convention) -> Option<f64> {
        let gain = (self.masked - self.whole).max(0.0);
        match convention {
            Convention::Xplique => Some(gain / (1.0 - self.whole + 1e-8)),
            _ => (0.0..1.0).contains(&self.whole).then(|| gain / (1.0 - self.whole)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A score that is linear in the input, as in the cases that torchcam was run on.
    fn linear(weights: &'static [f64]) -> impl FnMut(&[f32]) -> f64 {
        move |input| weights.iter().zip(input).map(|(weight, value)| weight * f64::from(*value)).sum()
    }

    const WEIGHTS: &[f64] = &[0.1, 0.2, 0.3, 0.05, 0.25, 0.1];

    fn masked(values: [f32; 6], map: [f32; 6]) -> Masked {
        let mut scorer = linear(WEIGHTS);
        let picture = Picture::new([1, 2, 3], values.to_vec(), vec![0.0], &mut scorer).unwrap();
        Masked::new(&picture, &Map::new(2, 3, map.to_vec()).unwrap(), &mut scorer).unwrap()
    }

    fn assert_near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?}, expected {expected}");
    }

    #[test]
    fn drops_are_those_of_torchcam() {
        let cases = [
            ([0.0, 0.5, 1.0, 0.0, 1.0, 0.2], 0.33),
            ([1.0; 6], 0.0),
            ([0.0; 6], 1.0),
            ([0.5; 6], 0.5),
            ([0.0, 0.5, 1.0, 0.0, 0.5, 1.0], 0.375),
        ];
        for (map, drop) in cases {
            assert_near(masked([1.0; 6], map).drop(Convention::Torchcam), drop);
            assert_near(masked([1.0; 6], map).drop(Convention::Paper), drop);
            assert_near(masked([1.0; 6], map).drop(Convention::Xplique), drop);
        }
        let second = masked([2.0, -1.0, 0.0, 1.0, 0.0, 3.0], [1.0, 0.0, 0.0, 0.5, 0.0, 1.0]);
        assert_near(Some(second.whole), 0.35);
        assert_near(Some(second.masked), 0.525);
        let first = masked([1.0; 6], cases[0].0);
        let mean = |of: fn(&Masked) -> f64| (of(&first) + of(&second)) / 2.0;
        assert_near(Some(mean(|one| one.drop(Convention::Torchcam).unwrap())), 0.165);
        assert_near(Some(mean(|one| f64::from(u8::from(one.increase().unwrap())))), 0.5);
    }

    #[test]
    fn a_score_that_is_not_positive_has_no_ratio_but_in_torchcam() {
        let negative = masked([-1.0; 6], [0.0, 0.5, 1.0, 0.0, 1.0, 0.2]);
        assert_near(Some(negative.masked), -0.67);
        assert_near(negative.drop(Convention::Torchcam), 0.0);
        assert_eq!(negative.drop(Convention::Paper), None);
        assert_eq!(negative.increase(), None);
        assert_eq!(negative.gain(Convention::Paper), None);
        assert_eq!(masked([0.0; 6], [1.0; 6]).drop(Convention::Paper), None);
    }

    #[test]
    fn the_difference_of_pytorch_grad_cam_is_not_divided() {
        let one = Masked { whole: 20.0, masked: 15.55 };
        assert_near(one.drop(Convention::PytorchGradCam), 4.45);
        assert_near(one.drop(Convention::Paper), 0.2225);
        assert_eq!(one.increase(), Some(false));
        let nothing = Masked { whole: 20.0, masked: 0.0 };
        assert_eq!((nothing.drop_difference(), nothing.drop(Convention::Paper)), (20.0, Some(1.0)));
    }

    #[test]
    fn gain_is_the_drop_of_the_complement() {
        let one = Masked { whole: 0.6, masked: 0.7 };
        assert_near(one.gain(Convention::Paper), 0.25);
        assert_near(one.gain(Convention::Xplique), 0.25);
        let complement = Masked { whole: 1.0 - one.whole, masked: 1.0 - one.masked };
        assert_near(complement.drop(Convention::Paper), 0.25);
        assert_eq!(Masked { whole: 1.0, masked: 1.0 }.gain(Convention::Paper), None);
    }

    #[test]
    fn a_map_outside_of_its_range_is_refused() {
        let mut scorer = linear(WEIGHTS);
        let picture = Picture::new([1, 2, 3], vec![1.0; 6], vec![0.0], &mut scorer).unwrap();
        let map = Map::new(2, 3, vec![0.0, 0.5, 2.0, 0.0, 0.0, 0.0]).unwrap();
        let error = Masked::new(&picture, &map, &mut scorer).unwrap_err();
        assert_eq!(
            error.to_string(),
            "map that multiplies a picture has a value outside its range, expected 0 to 1, got 2"
        );
    }
}
