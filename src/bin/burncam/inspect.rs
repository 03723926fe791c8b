//! `burncam layers` and `info`: listings. Neither reads weights.

use anyhow::Result;
use burncam::{LayerRequest, Model};
use burncam_graph::card::{Crop, Filter, Preprocess, Resize};
use burncam_model::{Form, LayerInfo, OutputForm, arch};
use serde_json::json;

use crate::args::{InfoArgs, LayersArgs};
use crate::outcome::Outcome;
use crate::{subjects, text};

/// `burncam layers`.
pub(crate) fn layers(args: &LayersArgs) -> Result<Outcome> {
    let model = subjects::open_model(&args.model)?;
    // A network without a map has no such layer, and its layers can be listed all the same.
    let auto = model.choose_layers(&LayerRequest::Auto).unwrap_or_default();
    let mut layers = model.layers();
    layers.retain(|layer| layer.explainable || !args.explainable);
    let is_auto = |layer: &LayerInfo| auto.iter().any(|choice| choice.index == layer.index);
    let is_branch = |layer: &LayerInfo| auto.iter().any(|choice| choice.branches.contains(&layer.name));
    if args.format.json {
        let lines = layers.iter().map(|layer| layer_json(layer, is_auto(layer), is_branch(layer)));
        lines.into_iter().try_for_each(|line| text::json_line(&line.to_string()))?;
        return Ok(Outcome::Done);
    }
    let rows: Vec<_> =
        layers.iter().map(|layer| layer_row(layer, is_auto(layer), is_branch(layer))).collect();
    text::lines(&text::table(&["index", "name", "op", "output", "sees", "explainable"], &rows))?;
    Ok(Outcome::Done)
}

fn layer_json(layer: &LayerInfo, is_auto: bool, is_branch: bool) -> serde_json::Value {
    let mut line = json!({
        "index": layer.index, "name": layer.name, "op": layer.op, "shape": layer.shape,
        "receptive_field": layer.receptive_field, "explainable": layer.explainable, "auto": is_auto,
    });
    if is_branch {
        line["branch"] = json!(true);
    }
    if layer.explainable && !layer.is_read {
        line["cells_read"] = json!(false);
    }
    // Feature maps with channels first are their own shape.
    if let Some(grid) = layer.grid.filter(|grid| grid.form != Form::ChannelsFirst) {
        line["grid"] = json!({ "height": grid.height, "width": grid.width, "prefix": grid.prefix() });
    }
    line
}

fn layer_row(layer: &LayerInfo, is_auto: bool, is_branch: bool) -> Vec<String> {
    let mark = match (is_auto, layer.explainable) {
        (true, _) => "yes, auto takes it",
        (false, true) if is_branch => "yes, the end of another branch",
        (false, true) if !layer.is_read => "yes, but no score reads its cells",
        (false, true) => "yes",
        (false, false) => "",
    };
    let shape: Vec<String> = layer.shape[1..].iter().map(ToString::to_string).collect();
    let shape = match layer.grid {
        Some(grid) if grid.form != Form::ChannelsFirst => format!("{}: {grid}", shape.join("x")),
        _ => shape.join("x"),
    };
    let field = layer.receptive_field.map(|[height, width]| format!("{height}x{width}"));
    vec![
        layer.index.to_string(),
        layer.name.clone(),
        layer.op.clone(),
        shape,
        field.unwrap_or_default(),
        mark.to_owned(),
    ]
}

/// `burncam info`.
pub(crate) fn info(args: &InfoArgs) -> Result<Outcome> {
    if args.architectures {
        arch::names().try_for_each(text::line)?;
        return Ok(Outcome::Done);
    }
    let model =
        subjects::open(args.file.as_deref().or(args.model.model.as_deref()), args.model.spec.as_deref())?;
    if args.card {
        let card = model.card().to_json()?;
        text::json(&card)?;
    } else if args.classes {
        for index in 0..model.num_classes() {
            text::line(&format!("{index:>4}  {}", model.class_name(index)))?;
        }
    } else {
        for (name, value) in facts(&model)? {
            text::line(&format!("{name:<14}{value}"))?;
        }
    }
    Ok(Outcome::Done)
}

fn facts(model: &Model) -> Result<Vec<(&'static str, String)>> {
    let (input, cost) = (&model.graph().input, model.cost());
    let types: Vec<String> =
        model.element_types().iter().map(|(dtype, count)| format!("{count} tensors {dtype}")).collect();
    let mut facts = vec![
        ("model", model.name().to_owned()),
        ("file", format!("{} ({})", model.file_name(), text::size(model.file_size()?))),
        (
            "input",
            format!("{} x {} x {} (channels, height, width)", input.channels, input.height, input.width),
        ),
        classes(model),
        ("graph", format!("{} operations", model.graph().nodes.len())),
        ("output", output(model)),
        ("parameters", format!("{:.2} million, {}", cost.parameters as f64 / 1e6, types.join(", "))),
        ("work", format!("{:.2} billion multiply-adds a picture", cost.multiply_adds as f64 / 1e9)),
        ("preprocess", preprocess(&model.card().preprocess)),
    ];
    if let Ok(choices) = model.choose_layers(&LayerRequest::Auto) {
        let names: Vec<String> = choices.into_iter().map(|choice| choice.name).collect();
        facts.push(("auto layer", names.join(", ")));
    }
    if let Some(source) = &model.card().source {
        let entries = [
            ("source", &source.file),
            ("source sha256", &source.sha256),
            ("license", &source.license),
            ("note", &source.note),
        ];
        facts.extend(entries.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    }
    Ok(facts)
}

/// What the outputs are of, and how many.
fn classes(model: &Model) -> (&'static str, String) {
    match model.output().form {
        OutputForm::Vector { values } => ("embedding", format!("{values} numbers")),
        _ if model.output().is_regression() => {
            ("numbers", format!("{}{}", model.num_classes(), sample(model)))
        }
        _ => ("classes", format!("{}{}", model.num_classes(), sample(model))),
    }
}

fn output(model: &Model) -> String {
    let assumed =
        model.output().assumed.as_ref().map_or("", |_| " (assumed; import --task and --output change it)");
    format!("{}{assumed}", model.output())
}

fn sample(model: &Model) -> String {
    let classes = &model.card().classes;
    match (classes.first(), classes.last()) {
        (Some(first), Some(last)) if classes.len() > 1 => format!(" ({first} ... {last})"),
        _ => " (without names)".to_owned(),
    }
}

fn preprocess(preprocess: &Preprocess) -> String {
    let filter = |filter: &Filter| format!("{filter:?}").to_lowercase();
    let mut steps = vec![match &preprocess.resize {
        Resize::ShortestSide { size, filter: how } => format!("shorter side to {size} ({})", filter(how)),
        Resize::Stretch { height, width, filter: how } => {
            format!("stretch to {height}x{width} ({})", filter(how))
        }
        Resize::Letterbox { height, width, filter: how, .. } => {
            format!("letterbox to {height}x{width} ({})", filter(how))
        }
        Resize::None {} => "no resize".to_owned(),
    }];
    if let Some(Crop::Center { height, width }) = &preprocess.crop {
        steps.push(format!("middle {height}x{width}"));
    }
    steps.push(format!("{:?}", preprocess.color).to_lowercase());
    steps.push(format!("value * {:.6}", preprocess.scale));
    for (word, numbers) in [("minus", &preprocess.mean), ("divided by", &preprocess.std)] {
        if !numbers.is_empty() {
            steps.push(format!("{word} {numbers:?}"));
        }
    }
    steps.join(", ")
}
