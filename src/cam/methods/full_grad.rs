//! FullGrad.
//!
//! Srinivas and Fleuret, "Full-Gradient Representation for Neural Network Visualization", NeurIPS 2019, arXiv:1905.00780,
//! equation 4: the input times its gradient, and every bias times the gradient there, from all layers.
//!
//! ```text
//! F = psi(x (.) dy^c/dx) + sum_layers sum_channels psi(b (.) dy^c/db)
//! M = F - min F
//! psi: absolute value, scaled to 0 .. 1, enlarged to the input
//! ```
//!
//! Constant channels are ignored. Biases are those of convolutions and batch norms (`beta - mean gamma /
//! sqrt(variance + epsilon)`), as in pytorch-grad-cam, which adds 1e-7 to its divisors, so that the scale of the
//! score affects the map. `--layer` is not used.

use crate::Heatmap;
use crate::cam::definition::{Definition, Finishing, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::engine::{Features, Rule, Sweep, Visits};
use crate::error::{Error, Result};
use crate::heatmap::Sampling;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "fullgrad",
        title: "FullGrad",
        summary: "input and every bias times their gradients, from all layers",
        formula: "psi(x (.) G_x) + sum psi(b (.) G_b)",
        paper: "Srinivas and Fleuret, NeurIPS 2019, arXiv:1905.00780",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::PytorchGradCam],
        slope: true,
        sweeps: Some(Visits::Biases),
        unfolded: true,
        finishing: Finishing::Scaled,
        ..Traits::PLAIN
    },
};

/// A channel whose terms differ by less than this share of the maximum is constant; the rest is rounding.
const FLAT: f32 = 1e-6;

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let of_sweep =
        |sweep: &Sweep<'_>| question.classes.iter().map(|class| map(question, sweep, *class)).collect();
    question.swept(Visits::Biases, of_sweep)
}

fn map(question: &Question, sweep: &Sweep, class: usize) -> Result<Vec<f32>> {
    let [channels, height, width] = question.network().input();
    let mut sum = vec![0.0_f64; height * width];
    let mut add = |terms: &Features| {
        let finite = added(&mut sum, terms, [height, width], question.library());
        finite.ok_or_else(|| Error::request("the gradient of a bias is not finite"))
    };
    // Terms are added as the pass reaches each layer, so that the gradients of only one are held.
    let gradient = sweep.back(&question.score, class, Rule::Plain, &mut |step| {
        // A linear layer has a bias, but its gradient has no positions, so it is not visited.
        let (Some(bias), Some(gradients)) = (step.bias()?, step.gradients()?) else { return Ok(()) };
        gradients.into_iter().try_for_each(|gradient| add(&times(gradient, &bias)))
    })?;
    let values = gradient.iter().zip(question.values()).map(|(gradient, value)| gradient * value).collect();
    add(&Features { channels, height, width, values })?;
    // The paper's pictures subtract the minimum.
    let least = sum.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(sum.into_iter().map(|value| (value - least) as f32).collect())
}

/// Every channel times its bias.
fn times(mut gradient: Features, bias: &[f32]) -> Features {
    let channels = gradient.values.chunks_mut(gradient.height * gradient.width).zip(bias);
    channels.for_each(|(channel, bias)| channel.iter_mut().for_each(|value| *value *= bias));
    gradient
}

/// Adds `psi` of every channel; `None` when a value is not finite.
fn added(
    sum: &mut [f64],
    terms: &Features,
    [height, width]: [usize; 2],
    library: Option<Library>,
) -> Option<()> {
    let cells = terms.height * terms.width;
    // Enlarging is linear, so a layer's channels are summed first.
    let mut layer = vec![0.0_f32; cells];
    for channel in terms.values.chunks(cells) {
        let (least, most) = channel.iter().fold((f32::INFINITY, 0.0_f32), |(least, most), value| {
            (least.min(value.abs()), most.max(value.abs()))
        });
        let range = match library {
            Some(_) => 1e-7 + most - least,
            // A channel that is constant up to rounding has no information.
            None if most - least <= FLAT * most => f32::INFINITY,
            None => most - least,
        };
        let unit = |value: &f32| (value.abs() - least) / range;
        layer.iter_mut().zip(channel).for_each(|(sum, value)| *sum += unit(value));
    }
    let layer = Heatmap::new(terms.height, terms.width, layer)?.resized(height, width, Sampling::Bilinear);
    sum.iter_mut().zip(layer.values()).for_each(|(sum, value)| *sum += f64::from(*value));
    Some(())
}
