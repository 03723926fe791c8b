//! What a network says about its input, and which of its outputs is explained.

use serde_json::Value;

use super::network::{Layer, Network, Reference};
use crate::card::{InputSpec, Layout};
use crate::error::{OptionName, Phrase, Problem};

/// The input's side if neither the file nor the caller gives it: ImageNet's.
const USUAL_SIDE: usize = 224;

/// The picture or signal that a network takes, and assumptions about it. `asked` replaces sides that the file leaves open.
///
/// # Errors
/// When it takes several inputs, or none that is a picture or a signal.
pub(super) fn read(
    network: &Network,
    asked: Option<[usize; 2]>,
) -> Result<(InputSpec, Option<Phrase>), Problem> {
    let [input] = &network.inputs[..] else {
        let names: Vec<&str> =
            network.inputs.iter().map(|input| network.layers[input.layer].name.as_str()).collect();
        let what = format!("has {} inputs ({})", names.len(), names.join(", "));
        return Err(Problem::new(what).expected("one picture"));
    };
    let layer = &network.layers[input.layer];
    let sides = sides(layer);
    if let Some([_, steps, channels]) = sides.as_deref() {
        return Ok((signal(layer, [*steps, *channels], asked)?, None));
    }
    let [height, width, channels] = declared(layer, sides)?;
    // Convolutions work at any size, and most published weights are for this one.
    let usual = asked.unwrap_or([USUAL_SIDE; 2]);
    let size = [height.unwrap_or(usual[0]), width.unwrap_or(usual[1])];
    if let Some([height, width]) = asked.filter(|asked| *asked != size) {
        let what = format!(
            "its input is fixed to {}x{} pixels (height x width), but {height}x{width} are asked for",
            size[0], size[1]
        );
        return Err(what.into());
    }
    let is_open = height.is_none() || width.is_none();
    let note = (is_open && asked.is_none()).then(|| {
        let [height, width] = size;
        let note = format!("the file leaves the size of its input open: {height}x{width} is assumed (");
        Phrase::from(note).option(OptionName::Crop).text(" sets another)")
    });
    let [height, width] = size;
    let (name, channels) = (layer.name.clone(), channels.unwrap_or(3));
    Ok((InputSpec { name, channels, height, width, layout: Layout::ChannelsLast }, note))
}

/// The sides of an input layer, the batch first, as far as they are fixed; `None` where a sequential model was not given the shape of its
/// input.
fn sides(layer: &Layer) -> Option<Vec<Option<usize>>> {
    let shape = layer.shape().unwrap_or(&Value::Null);
    let list = shape.as_array().map(|sides| sides.iter().map(super::settings::count).collect());
    if shape.is_null() { None } else { Some(list.unwrap_or_default()) }
}

fn shaped(layer: &Layer) -> Problem {
    let shape = layer.shape().unwrap_or(&Value::Null);
    Problem::new(format!("its input '{}' has the shape {shape}", layer.name))
}

/// A signal of `[batch, steps, channels]`.
fn signal(
    layer: &Layer,
    [steps, channels]: [Option<usize>; 2],
    asked: Option<[usize; 2]>,
) -> Result<InputSpec, Problem> {
    let Some(channels) = channels else {
        return Err(shaped(layer).expected("a fixed number of channels, which come last"));
    };
    let asked = asked.map(|[_, steps]| steps);
    if let (Some(steps), Some(asked)) = (steps, asked.filter(|asked| Some(*asked) != steps)) {
        return Err(format!("its input is fixed to {steps} samples, but {asked} are asked for").into());
    }
    let Some(width) = steps.or(asked) else {
        let hint = Phrase::default().set(OptionName::Crop, "1x1000").text(" says that it has 1000 samples");
        return Err(Problem::new(format!("its input '{}' leaves the length of its signal open", layer.name))
            .hint(hint));
    };
    Ok(InputSpec { name: layer.name.clone(), channels, height: 1, width, layout: Layout::ChannelsLast })
}

/// Height, width and channels of an input layer, as far as it has them.
fn declared(layer: &Layer, sides: Option<Vec<Option<usize>>>) -> Result<[Option<usize>; 3], Problem> {
    let [_, height, width, channels] = sides.unwrap_or(vec![None; 4])[..] else {
        return Err(shaped(layer).expected("[batch, height, width, channels] or [batch, steps, channels]"));
    };
    if !matches!(channels, None | Some(1 | 3)) {
        return Err(shaped(layer).expected("1 or 3 channels, which come last"));
    }
    Ok([height, width, channels])
}

/// The output to explain: the one that was asked for, or the first.
///
/// # Errors
/// When there is none of that name.
pub(super) fn output(network: &Network, asked: Option<&str>) -> Result<(Reference, Option<Phrase>), Problem> {
    let name = |reference: &Reference| network.layers[reference.layer].name.as_str();
    match asked {
        Some(wanted) => {
            let among_outputs = network.outputs.iter().find(|output| name(output) == wanted).copied();
            let layer = || network.layers.iter().position(|layer| layer.name == wanted);
            let found = among_outputs.or_else(|| Some(Reference { layer: layer()?, call: 0, output: 0 }));
            let found = found.ok_or_else(|| {
                let names = network.layers.iter().map(|layer| layer.name.as_str());
                Problem::new(format!("has no output '{wanted}'"))
                    .near(wanted, names)
                    .known("its outputs are", network.outputs.iter().map(name))
            })?;
            Ok((found, None))
        }
        None => {
            let first = *network.outputs.first().ok_or("has no output")?;
            let others: Vec<&str> = network.outputs.iter().skip(1).map(name).collect();
            let note = (!others.is_empty()).then(|| {
                let note = format!(
                    "the file has several outputs: '{}' is taken, the first, not {} (",
                    name(&first),
                    others.join(", ")
                );
                Phrase::from(note).option(OptionName::OutputName).text(" chooses)")
            });
            Ok((first, note))
        }
    }
}
