//! Two preprocessed pictures: their difference, and its likely cause.

use serde::Serialize;

use super::Status;
use crate::card::Preprocess;
use crate::error::{OptionName, Phrase, Wording};
use crate::model::Model;

/// The greatest difference that passes, in levels of 0..=255: decoders and resizers differ by one level.
const LIMIT: f64 = 1.0;

/// Share of a level that sums of 32-bit floats may differ by.
const ROUNDING: f64 = 0.01;

/// The preprocessed picture compared with another framework's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputCheck {
    /// How it ended.
    pub status: Status,
    /// Greatest difference, in levels of brightness of 0..=255.
    pub levels: f64,
    /// Mean difference, in levels.
    pub mean_levels: f64,
    /// The greatest difference that passes.
    pub limit: f64,
    /// The likely cause of the difference, as a clause; `None` when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Compares two inputs, both `[channels, height, width]`.
pub(super) fn compare_inputs(ours: &[f32], theirs: &[f32], model: &Model, wording: Wording) -> InputCheck {
    compare(ours, theirs, &model.card().preprocess, model.graph().input.channels, wording)
}

fn compare(
    ours: &[f32],
    theirs: &[f32],
    preprocess: &Preprocess,
    channels: usize,
    wording: Wording,
) -> InputCheck {
    let (levels, mean_levels) = levels_apart(ours, theirs, preprocess, channels);
    let passes = levels <= LIMIT + ROUNDING;
    let status = if passes { Status::Ok } else { Status::Failed };
    let hint = if passes { None } else { Some(hint(ours, theirs, preprocess, channels).say(wording)) };
    InputCheck { status, levels, mean_levels, limit: LIMIT, hint }
}

/// Greatest and mean difference in levels.
fn levels_apart(ours: &[f32], theirs: &[f32], preprocess: &Preprocess, channels: usize) -> (f64, f64) {
    let plane = (ours.len() / channels.max(1)).max(1);
    let (mut greatest, mut sum) = (0.0_f64, 0.0);
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let std = preprocess.std.get(at / plane).copied().unwrap_or(1.0);
        let apart = ((f64::from(*a) - f64::from(*b)) * std / preprocess.scale).abs();
        greatest = greatest.max(apart);
        sum += apart;
    }
    (greatest, sum / ours.len().max(1) as f64)
}

/// The kind of the difference.
fn hint(ours: &[f32], theirs: &[f32], preprocess: &Preprocess, channels: usize) -> Phrase {
    let plane = ours.len() / channels.max(1);
    if channels == 3 {
        let turned: Vec<f32> = theirs.chunks(plane.max(1)).rev().flatten().copied().collect();
        if levels_apart(ours, &turned, preprocess, channels).0 <= LIMIT + ROUNDING {
            let order = Phrase::from(": its colours are in the other order (see ");
            return order.option(OptionName::Color).text(")");
        }
    }
    // A line per channel undoes any scale, mean and deviation; what is left then is about places.
    let fits: Vec<_> =
        ours.chunks(plane.max(1)).zip(theirs.chunks(plane.max(1))).map(|(a, b)| line(a, b)).collect();
    let fitted: Vec<f32> = theirs
        .chunks(plane.max(1))
        .zip(&fits)
        .flat_map(|(plane, fit)| plane.iter().map(|x| fit.at(*x)))
        .collect();
    if levels_apart(ours, &fitted, preprocess, channels).0 <= LIMIT + ROUNDING {
        let lines: Vec<String> =
            fits.iter().map(|line| format!("{:.4} x + {:.4}", line.slope, line.shift)).collect();
        let lines = lines.join("; ");
        let scale = format!(": of its numbers x ours are {lines}, so scale, mean or deviation differ (see ");
        return see(scale, [OptionName::PixelScale, OptionName::Mean, OptionName::Std]).text(")");
    }
    let rest = ": not only in colours and scale, so resize, crop or filter differ (see ";
    see(rest.to_owned(), [OptionName::Resize, OptionName::Crop, OptionName::Filter]).text("), or the decoder")
}

/// Words, and three options to look at.
fn see(words: String, [first, second, third]: [OptionName; 3]) -> Phrase {
    Phrase::from(words).option(first).text(", ").option(second).text(", ").option(third)
}

struct Line {
    slope: f64,
    shift: f64,
}

impl Line {
    #[allow(clippy::cast_possible_truncation)] // compared with 32-bit floats
    fn at(&self, x: f32) -> f32 {
        (self.slope * f64::from(x) + self.shift) as f32
    }
}

/// The line that maps `x` closest to `y`, by least squares.
fn line(y: &[f32], x: &[f32]) -> Line {
    let mean =
        |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut both, mut square) = (0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let x = f64::from(*x) - mean_x;
        both += x * (f64::from(*y) - mean_y);
        square += x * x;
    }
    let slope = if square > 0.0 { both / square } else { 0.0 };
    Line { slope, shift: mean_y - slope * mean_x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::arch;

    /// 3 channels of 2 by 2 levels, preprocessed as torchvision does.
    fn prepared(levels: [f64; 12]) -> Vec<f32> {
        let preprocess = arch::find("resnet18").unwrap().preprocess(None);
        let value = |(at, level): (usize, f64)| {
            ((level * preprocess.scale - preprocess.mean[at / 4]) / preprocess.std[at / 4]) as f32
        };
        levels.into_iter().enumerate().map(value).collect()
    }

    const LEVELS: [f64; 12] = [0.0, 10.0, 20.0, 255.0, 30.0, 7.0, 50.0, 60.0, 200.0, 201.0, 9.0, 90.0];

    fn against(theirs: &[f32]) -> InputCheck {
        compare(
            &prepared(LEVELS),
            theirs,
            &arch::find("resnet18").unwrap().preprocess(None),
            3,
            Wording::LIBRARY,
        )
    }

    #[test]
    fn differences_are_told_in_levels_of_brightness() {
        let mut other = LEVELS;
        other[3] -= 1.0;
        let check = against(&prepared(other));
        assert_eq!(check.status, Status::Ok);
        assert!((check.levels - 1.0).abs() < 1e-3 && (check.mean_levels - 1.0 / 12.0).abs() < 1e-4);
        other[9] += 3.0;
        let check = against(&prepared(other));
        assert_eq!(check.status, Status::Failed);
        assert!((check.levels - 3.0).abs() < 1e-3);
    }

    #[test]
    fn the_usual_mistakes_are_named() {
        let ours = prepared(LEVELS);
        let turned: Vec<f32> = ours.chunks(4).rev().flatten().copied().collect();
        assert!(against(&turned).hint.unwrap().contains("PreprocessRequest::color"));
        let plain: Vec<f32> = LEVELS.iter().map(|level| (level / 255.0) as f32).collect();
        let hint = against(&plain).hint.unwrap();
        assert!(hint.contains("4.3668 x + -2.1179; 4.4643 x + -2.0357; 4.4444 x + -1.8044"), "{hint}");
        let mut shifted = ours;
        shifted.rotate_left(1);
        assert!(against(&shifted).hint.unwrap().contains("PreprocessRequest::resize"));
    }
}
