//! The sheet of `--grid`: methods by classes, labelled.

use anyhow::Result;
use burncam::explain::{ClassExplanation, Explainer, Explanation, Style, Subject};
use burncam::render::{CELL, Heading, Sheet, SheetRow, encode_png, thumbnail};

use crate::text;

/// One picture of all methods and classes of an input.
pub(crate) fn png(
    explainer: &Explainer,
    subject: &Subject,
    explanations: &[Explanation],
    style: &Style,
) -> Result<Vec<u8>> {
    // Small at once, so that a sheet of many does not hold them all in full size.
    let cell = |explanation: &Explanation, target: &ClassExplanation| {
        thumbnail(&explanation.overlay(target, subject, style), CELL)
    };
    let row = |explanation: &Explanation| -> Result<SheetRow> {
        let label = explanation.method.info().title.to_owned();
        let cells =
            explanation.targets.iter().map(|target| Ok(cell(explanation, target)?)).collect::<Result<_>>()?;
        Ok(SheetRow { label, cells })
    };
    let columns = explanations.first().map_or(&[][..], |explanation| &explanation.targets);
    let sheet = Sheet {
        title: subject.file.path.rsplit('/').next().unwrap_or_default().to_owned(),
        footer: footer(explainer),
        photo: Some(subject.picture.clone()),
        columns: columns.iter().map(heading).collect(),
        rows: explanations.iter().map(row).collect::<Result<_>>()?,
        colormap: style.colormap,
        signed: explainer.settings().options.signed,
    };
    Ok(encode_png(&sheet.draw()?)?)
}

fn heading(target: &ClassExplanation) -> Heading {
    // Synonyms follow a comma; one name is enough for a column.
    let title = target.class.class_name.split(", ").next().unwrap_or_default().to_owned();
    let rank = if target.rank > 1 { format!(", rank {}", target.rank) } else { String::new() };
    Heading { title, detail: format!("{}{rank}", text::percent(target.class.proba)) }
}

/// `efficientnet_lite0, layer _relu1 (7x7)`.
fn footer(explainer: &Explainer) -> String {
    let model = explainer.model();
    let layers = explainer.layers().iter().map(|layer| {
        let shape = &model.shapes()[layer.index];
        format!("{} ({}x{})", layer.name, shape[2], shape[3])
    });
    let layers: Vec<String> = layers.collect();
    let place = match &layers[..] {
        [] => String::new(),
        [layer] => format!(", layer {layer}"),
        several => format!(", layers {}", several.join(", ")),
    };
    format!("{}{place}", model.name())
}
