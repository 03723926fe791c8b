//! Occlusion.
//!
//! Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, arXiv:1311.2901, section 2: how much
//! the score drops when a square of the picture is covered.
//!
//! ```text
//! M_ij = mean over squares that hold (i, j) of  y^c(x) - y^c(x with the square at zero)
//! ```
//!
//! Squares across the far edges are clipped, as in captum; xplique skips them, and uses the sum instead of the mean.
//! captum assigns the drop to each colour of the square, and its pictures sum the colours. Zero refers to the
//! network's input, for most networks the mean colour.

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits, rounding_of_scores};
use crate::cam::options::{Library, Options};
use crate::cam::question::Question;
use crate::engine::{Network, Region};
use crate::error::{OptionName, Problem, Result, Subject};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "occlusion",
        title: "Occlusion",
        also: &["occlusion-sensitivity"],
        summary: "how much the score drops when a square is covered",
        formula: "y(x) - y(x without the square)",
        paper: "Zeiler and Fergus, ECCV 2014, arXiv:1311.2901",
        cost: "1 forward, 1 more per square",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::Captum, Library::Xplique],
        reads: &[Reads::Patch, Reads::Stride, Reads::BatchSize],
        rounding: rounding_of_scores,
        check: check_square,
        ..Traits::PLAIN
    },
};

/// xplique's square and step, in pixels.
const XPLIQUE_PATCH: usize = 3;

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let [channels, height, width] = question.network().input();
    let theirs = question.follows(Library::Xplique);
    let (patch, stride) = square_of(question.network().input(), question.options);
    let rows = starts(height, patch, stride, theirs);
    let columns = starts(width, patch, stride, theirs);
    let square =
        |top: &usize, left: &usize| [*top..(top + patch).min(height), *left..(left + patch).min(width)];
    let squares: Vec<Region> =
        rows.iter().flat_map(|top| columns.iter().map(move |left| square(top, left))).collect();
    let cover = |[ys, xs]: &Region, values: &mut [f32]| {
        for colour in values.chunks_mut(height * width) {
            ys.clone().for_each(|y| colour[y * width..][xs.clone()].fill(0.0));
        }
    };
    let scores = question.scores_of_regions(&squares, cover)?;
    let times = if question.follows(Library::Captum) { channels as f64 } else { 1.0 };
    let map = |(scores, class): (&Vec<f64>, &usize)| {
        let whole = question.score_of(question.logits(), *class);
        let mut drops = vec![0.0_f64; height * width];
        let mut counts = vec![0.0_f64; height * width];
        for (score, [ys, xs]) in scores.iter().zip(&squares) {
            for cell in ys.clone().flat_map(|y| xs.clone().map(move |x| y * width + x)) {
                drops[cell] += whole - score;
                // Never zero in the end: `check_square` refuses steps that skip pixels, except where xplique is
                // followed, which does not divide.
                counts[cell] += 1.0;
            }
        }
        let cells = drops.iter().zip(counts);
        cells.map(|(drop, count)| if theirs { *drop } else { times * drop / count } as f32).collect()
    };
    Ok(scores.iter().zip(question.classes).map(map).collect())
}

/// Side of the square, and the step between positions.
fn square_of([_, height, width]: [usize; 3], options: &Options) -> (usize, usize) {
    if options.library == Some(Library::Xplique) {
        return (options.patch.unwrap_or(XPLIQUE_PATCH), options.stride.unwrap_or(XPLIQUE_PATCH));
    }
    // A seventh of 224 pixels is 32, what one position of the usual last layer of 7 by 7 stands for.
    let patch = options.patch.unwrap_or((height.min(width) / 7).max(1));
    (patch, options.stride.unwrap_or((patch / 2).max(1)))
}

/// Refuses a square that does not fit, and steps that skip pixels.
fn check_square(_: &str, network: &Network, options: &Options) -> Result<()> {
    let (patch, stride) = square_of(network.input(), options);
    let [_, height, width] = network.input();
    let shorter = height.min(width);
    if patch == 0 || patch > shorter {
        let expected = format!("1 to {shorter}, the input's shorter side");
        return Err(too_large(OptionName::Patch, patch).expected(expected).into());
    }
    if stride == 0 || stride > patch {
        let expected = format!("1 to {patch}, the side of the square");
        return Err(too_large(OptionName::Stride, stride).expected(expected).into());
    }
    Ok(())
}

fn too_large(option: OptionName, pixels: usize) -> Problem {
    let problem = Problem::new(format!("is {pixels} pixels")).hint("choose a smaller one");
    problem.about(Subject::Option(option))
}

/// Start positions of squares: so that every pixel is covered, or only of complete squares.
fn starts(length: usize, patch: usize, stride: usize, only_whole: bool) -> Vec<usize> {
    let room = length - patch;
    let steps = if only_whole { room / stride } else { room.div_ceil(stride) };
    (0..=steps).map(|step| step * stride).collect()
}
