//! The sheet of all methods and classes of a photo: a row per method, a column per class.

use crate::explain::{ClassExplanation, Explainer, Explanation, Subject};
use crate::render::escape::escaped;
use crate::render::{Heading, Sheet, SheetRow};

/// The sheet of all methods and classes of a photo; one row per method.
pub(super) fn sheet(
    explainer: &Explainer,
    subject: &Subject,
    explanations: &[Explanation],
    rows: Vec<SheetRow>,
) -> Sheet {
    let columns = explanations.first().map_or(&[][..], |explanation| &explanation.targets);
    Sheet {
        // Names come from files: control characters would be drawn as boxes, and may turn the text around.
        title: escaped(subject.file.path.rsplit('/').next().unwrap_or_default()).into_owned(),
        footer: escaped(&footer(explainer)).into_owned(),
        photo: Some(subject.picture.clone()),
        columns: columns.iter().map(|target| heading(explainer, target)).collect(),
        rows,
        colormap: explainer.request().style.colormap,
        signed: explainer.request().options.signed,
    }
}

fn heading(explainer: &Explainer, target: &ClassExplanation) -> Heading {
    let title = escaped(&target.title()).into_owned();
    let against =
        explainer.rival_title().map(|rival| format!(", against {}", escaped(&rival))).unwrap_or_default();
    let rank = target.rank.filter(|rank| *rank > 1);
    let rank = rank.map_or_else(String::new, |rank| format!(", rank {rank}"));
    Heading { title, detail: format!("{}{rank}{against}", target.shown()) }
}

/// `efficientnet_lite0, layer _relu1 (7x7)`.
fn footer(explainer: &Explainer) -> String {
    let model = explainer.model();
    let layers = explainer.every_layer().into_iter().map(|layer| {
        model.grid(layer.index).map_or_else(|| layer.name.clone(), |grid| format!("{} ({grid})", layer.name))
    });
    let layers: Vec<String> = layers.collect();
    let place = match &layers[..] {
        [] => String::new(),
        [layer] => format!(", layer {layer}"),
        several => format!(", layers {}", several.join(", ")),
    };
    format!("{}{place}", model.name())
}
