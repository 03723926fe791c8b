//! The sheet of all methods and classes of a photo: a row per method, a column per class.

use crate::cam::Method;
use crate::explain::{ClassExplanation, Explainer, Explanation, Subject, at_layers};
use crate::render::escape::escaped;
use crate::render::{Bar, Cell, Heading, RgbImage, Sheet, SheetRow};

/// The sheet of all methods and classes of a photo; one row per method.
pub(super) fn sheet(
    explainer: &Explainer,
    subject: &Subject,
    explanations: &[Explanation],
    mut rows: Vec<SheetRow>,
) -> Sheet {
    let columns = explanations.first().map_or(&[][..], |explanation| &explanation.targets);
    let style = &explainer.request().style;
    let signed = explainer.request().options.signed;
    let bars: Vec<_> = explanations.iter().map(|one| style.bar(signed, &one.greatest(None))).collect();
    // One bar for all rows below them, where it is true of all.
    let is_common = bars.windows(2).all(|pair| pair[0] == pair[1]);
    let common = bars.first().cloned().flatten().filter(|_| is_common);
    if !is_common {
        rows.iter_mut().zip(bars).for_each(|(row, bar)| row.bar = bar);
    }
    Sheet {
        title: name_of(subject),
        footer: escaped(&footer(explainer)).into_owned(),
        photo: Some(subject.picture.clone()),
        columns: columns.iter().map(|target| heading(explainer, target)).collect(),
        rows,
        bar: common,
        cell: style.sheet_cell,
    }
}

/// The row of a method, without its cells.
pub(super) fn row(explanation: &Explanation) -> SheetRow {
    let info = explanation.method.info();
    let is_one = !info.uses_class && explanation.targets.len() > 1;
    let rest = if is_one { "the same for every class" } else { "" };
    SheetRow { label: info.title.to_owned(), rest: rest.to_owned(), ..SheetRow::default() }
}

/// The picture of a class, with a note where it has no heat.
pub(super) fn cell(picture: RgbImage, target: &ClassExplanation) -> Cell {
    let note = target.finding.as_ref().map_or_else(String::new, |finding| format!("No heat: {finding}"));
    Cell { picture, note: escaped(&note).into_owned() }
}

/// The name of a photo's file.
pub(super) fn name_of(subject: &Subject) -> String {
    // Names come from files: control characters would be drawn as boxes, and may turn the text around.
    escaped(subject.file.path.rsplit('/').next().unwrap_or_default()).into_owned()
}

/// A column for each method, and the bar of all of them; where their scales differ each heading says what its brightest colour is.
pub(super) fn columns_of_methods(explainer: &Explainer) -> (Vec<Heading>, Option<Bar>) {
    let request = explainer.request();
    let ends: Vec<String> =
        request.methods.iter().map(|method| explainer.empty(*method).greatest(None)).collect();
    let is_common = ends.windows(2).all(|pair| pair[0] == pair[1]);
    let bar = ends.first().filter(|_| is_common);
    let bar = bar.and_then(|end| request.style.bar(request.options.signed, end));
    let heading = |(method, end): (&Method, &String)| {
        let says = !is_common && request.style.library.is_none();
        let detail = if says { format!("brightest: {end}") } else { String::new() };
        Heading { title: method.info().title.to_owned(), detail }
    };
    (request.methods.iter().zip(&ends).map(heading).collect(), bar)
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
pub(super) fn footer(explainer: &Explainer) -> String {
    let layers: Vec<String> =
        explainer.every_layer().into_iter().map(|layer| explainer.layer_title(layer)).collect();
    format!("{}{}", explainer.model().name(), at_layers(&layers))
}
