//! D-RISE.
//!
//! Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021, arXiv:2006.03204, section 3: random
//! masks, weighted by how much the proposals of the masked picture resemble the box that is explained.
//!
//! ```text
//! M_n  = a grid of 16 x 16 cells, each open with p = 0.5, enlarged with straight lines and shifted at random
//! s_n  = max over proposals j of x (.) M_n  of  IoU(L, L_j) cos(P, P_j) O_j
//! M_ij = 1 / (N p (1 - p)) sum_n  ( s_n - mean s ) M_n,ij
//! ```
//!
//! `L`, `P` and `O` are a proposal's box, the probabilities of its classes and its objectness, one where the network gives none. Every
//! anchor is a proposal; that of a class is its surest anchor. The paper does not subtract the mean, which adds nearly the same to
//! every pixel; with it zero means "no evidence" here too.

use crate::cam::definition::{Definition, MethodInfo, Outputs, PixelMaps, Reads, Run, Traits};
use crate::cam::options::Options;
use crate::cam::question::Question;
use crate::cam::random_masks::RandomMasks;
use crate::engine::{Network, Reduction};
use crate::error::{Error, Problem, Result};
use crate::model::{Anchors, FinalActivation, OutputForm, Proposal};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "drise",
        title: "D-RISE",
        summary: "random masks weighted by what they leave of a box",
        formula: "sum_n (s_n - mean s) M_n, s_n = max_j IoU(L, L_j) cos(P, P_j) O_j",
        paper: "Petsiuk et al., CVPR 2021, arXiv:2006.03204",
        cost: "1 forward, N more (N = 5000)",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        reads: &[Reads::Samples, Reads::Seed, Reads::BatchSize],
        outputs: Outputs::Boxes,
        check: check_boxes,
        ..Traits::PLAIN
    },
};

/// Random masks, as in the paper.
const SAMPLES: usize = 5000;
/// Cells of a mask in each direction, as in the paper.
const CELLS: usize = 16;
/// Stream of the first mask.
const STREAM: u64 = 5 << 32;

fn maps(question: &Question) -> Result<PixelMaps> {
    let (detector, Reduction::Greatest(targets)) = (Detector::of(question.network())?, question.reduction())
    else {
        return Err(Error::internal("a detector's targets are not of its anchors"));
    };
    let output = question.scene.output();
    let anchors = targets.anchors_of(output);
    let wanted: Vec<Proposal> =
        question.classes.iter().map(|target| detector.proposal(output, anchors[*target])).collect();
    let masks = RandomMasks::new(question, STREAM, CELLS);
    let seen = |draw: usize, values: &mut [f32]| masks.seen(draw, values);
    let sign = f64::from(question.sign());
    let worth =
        |row: &[f32]| wanted.iter().map(|wanted| sign * detector.best_likeness(wanted, row)).collect();
    let worths = question.values_of_inputs(question.options.samples_or(SAMPLES), seen, worth)?;
    Ok(masks.weighted(&worths))
}

/// How a network's output is read as proposals.
struct Detector {
    form: Anchors,
    activation: FinalActivation,
    /// Height and width of the input.
    size: [usize; 2],
}

impl Detector {
    fn of(network: &Network) -> Result<Self> {
        let [_, height, width] = network.input();
        let output = network.output();
        match output.form {
            OutputForm::Anchors(form) => {
                Ok(Self { form, activation: output.activation, size: [height, width] })
            }
            _ => Err(Error::internal("the network is no detector")),
        }
    }

    fn proposal(&self, output: &[f32], anchor: usize) -> Proposal {
        self.form.proposal(output, self.activation, anchor, self.size)
    }

    /// The likeness of the proposal that is most like `wanted`.
    fn best_likeness(&self, wanted: &Proposal, output: &[f32]) -> f64 {
        let Some(corners) = &wanted.corners else { return 0.0 };
        let better = |best: f64, anchor: usize| {
            let shared = self
                .form
                .corners(output, anchor, self.size)
                .map_or(0.0, |own| Proposal::overlap(corners, &own));
            // Neither other factor is above one. Most boxes are elsewhere, and their classes need not be read.
            if shared <= best { best } else { best.max(likeness(wanted, &self.proposal(output, anchor))) }
        };
        (0..self.form.anchors).fold(0.0, better)
    }
}

/// Equation 3 of the paper.
fn likeness(wanted: &Proposal, found: &Proposal) -> f64 {
    let (Some(a), Some(b)) = (&wanted.corners, &found.corners) else { return 0.0 };
    Proposal::overlap(a, b) * cosine(&wanted.classes, &found.classes) * found.objectness
}

/// Zero where one has no direction.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

fn check_boxes(name: &str, network: &Network, _: &Options) -> Result<()> {
    let output = network.output();
    let problem = Problem::new(format!("{name} compares boxes"));
    let found = match output.form {
        OutputForm::Anchors(_) if output.form.check_boxes().is_ok() => return Ok(()),
        OutputForm::Anchors(_) => "a detector whose graph gives no boxes".to_owned(),
        _ => format!("a network whose task is '{}'", output.task.name()),
    };
    Err(problem.expected("a detector that gives boxes").found(found).hint("use rise").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Boxes, OwnOutput};

    fn proposal(corners: [f64; 4], classes: [f64; 2], objectness: f64) -> Proposal {
        Proposal { corners: Some(corners), objectness, classes: classes.to_vec() }
    }

    #[test]
    fn the_likeness_of_proposals_by_hand() {
        let wanted = proposal([0.0, 0.0, 10.0, 10.0], [0.8, 0.2], 1.0);
        let of = |found: Proposal| likeness(&wanted, &found);
        // The same box: cos([.8, .2], [.6, .4]) = .56 / sqrt(.68 * .52), times .9.
        let same = of(proposal([0.0, 0.0, 10.0, 10.0], [0.6, 0.4], 0.9));
        assert!((same - 0.847_567_7).abs() < 1e-7, "{same}");
        // A third of the union, the same classes.
        let next = of(proposal([5.0, 0.0, 15.0, 10.0], [0.8, 0.2], 0.95));
        assert!((next - 0.95 / 3.0).abs() < 1e-12, "{next}");
        let other = of(proposal([0.0, 0.0, 10.0, 5.0], [0.1, 0.9], 0.5));
        assert!((other - 0.087_046_6).abs() < 1e-7, "{other}");
        assert_eq!(of(proposal([10.0, 0.0, 20.0, 10.0], [0.8, 0.2], 1.0)), 0.0);
        assert_eq!(of(proposal([0.0, 0.0, 10.0, 10.0], [0.0, 0.0], 1.0)), 0.0);
        assert_eq!(of(Proposal { corners: None, ..wanted.clone() }), 0.0);
    }

    #[test]
    fn the_proposal_most_like_a_box_counts() {
        let logit = |share: f64| (share / (1.0 - share)).ln() as f32;
        // Left, top, right, bottom, objectness and both classes of three anchors.
        let of_class = |shares: [f64; 3], objectness: [f64; 3]| {
            std::array::from_fn(|anchor| logit(shares[anchor] * objectness[anchor]))
        };
        let objectness = [0.9, 0.95, 0.5];
        let rows: [[f32; 3]; 7] = [
            [0.0, 5.0, 0.0],
            [0.0, 0.0, 0.0],
            [10.0, 15.0, 10.0],
            [10.0, 10.0, 5.0],
            objectness.map(logit),
            of_class([0.6, 0.8, 0.1], objectness),
            of_class([0.4, 0.2, 0.9], objectness),
        ];
        let own = OwnOutput { rows: 7, first: 5, turned: false };
        let boxes = Boxes::Corners { unit: false };
        let form = Anchors { anchors: 3, classes: 2, boxes, has_objectness: true, background: None, own };
        let detector = Detector { form, activation: FinalActivation::Sigmoid, size: [20, 20] };
        let wanted = proposal([0.0, 0.0, 10.0, 10.0], [0.8, 0.2], 1.0);
        let best = detector.best_likeness(&wanted, &rows.concat());
        assert!((best - 0.847_567_7).abs() < 1e-6, "{best}");
        let far = proposal([15.0, 15.0, 20.0, 20.0], [0.8, 0.2], 1.0);
        assert_eq!(detector.best_likeness(&far, &rows.concat()), 0.0);
    }
}
