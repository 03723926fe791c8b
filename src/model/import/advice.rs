//! The hint at the end of a refusal: what to do about weights that do not fit.

use super::diagnosis::{Diagnosis, one_line};
use super::head;
use super::names::{Convention, Source};
use super::request::ImportRequest;
use super::select::Selected;
use crate::arch::{Architecture, Built};
use crate::error::{OptionName, Phrase};

/// Always works: a graph contains what weights alone do not.
fn with_a_graph() -> Phrase {
    Phrase::from("export the network to ONNX and import that, or describe it in a card, see ")
        .option(OptionName::Card)
}

/// Number of tensors of a head or a stem: weight and bias.
const FEW: usize = 2;

/// For an architecture's weights. `better` needs exactly these weights.
pub(super) fn for_architecture(
    asked: &Architecture,
    built: &Built,
    diagnosis: &Diagnosis,
    selected: &Selected,
    source: &Source,
    request: &ImportRequest,
    better: Option<&Architecture>,
) -> Option<Phrase> {
    if let Some(better) = better {
        return Some(Phrase::from("the weights fit ").set(OptionName::Arch, better.name));
    }
    if diagnosis.fits() {
        return Some(for_leftovers(diagnosis, selected, source, request));
    }
    if let Some(hint) = integers(diagnosis, selected) {
        return Some(hint);
    }
    if !diagnosis.hints.is_empty() {
        return None;
    }
    let troubled = diagnosis.missing.len() + diagnosis.wrong_shape.len();
    let needed = diagnosis.applied + troubled;
    if troubled <= FEW || troubled * 10 <= needed {
        return Some(for_a_variant(asked, built, diagnosis));
    }
    let hint = Phrase::from("does ").option(OptionName::Arch).text(" name the right architecture?");
    Some(match source.convention {
        Convention::Torch => hint,
        Convention::Burn => hint.text(" Modules with other names need a card, see ").option(OptionName::Card),
    })
}

/// For a card's weights.
pub(super) fn for_card(
    diagnosis: &Diagnosis,
    selected: &Selected,
    source: &Source,
    request: &ImportRequest,
) -> Phrase {
    if diagnosis.fits() {
        return for_leftovers(diagnosis, selected, source, request);
    }
    integers(diagnosis, selected).unwrap_or_else(|| "are the names in the card those of the file?".into())
}

/// For weights that include everything that is needed, and more.
fn for_leftovers(
    diagnosis: &Diagnosis,
    selected: &Selected,
    source: &Source,
    request: &ImportRequest,
) -> Phrase {
    let prefix = &selected.prefix;
    let all = &source.tensors.tensors;
    let is_outside = |name: &String| all.contains_key(name) && !all.contains_key(&format!("{prefix}{name}"));
    if !prefix.is_empty() && diagnosis.unused.iter().all(|(name, _)| is_outside(name)) {
        let key = prefix.trim_end_matches('.');
        let key = request.key.as_ref().map_or_else(|| key.to_owned(), |outer| format!("{outer}.{key}"));
        let words = Phrase::from("is what is left over part of the network? If not, ");
        return words.set(OptionName::Key, one_line(&key)).text(" leaves it out");
    }
    let way_out = if request.card.is_some() { "name it in the card".into() } else { with_a_graph() };
    Phrase::from("what is left over usually belongs to another network: ")
        .phrase(way_out)
        .text(", or leave it out with ")
        .option(OptionName::AllowUnused)
}

/// For weights that nearly fit, so that the network is probably of the same family.
fn for_a_variant(asked: &Architecture, built: &Built, diagnosis: &Diagnosis) -> Phrase {
    let missing = diagnosis.missing.iter().map(|missing| missing.name.as_str());
    let troubled: Vec<&str> =
        missing.chain(diagnosis.wrong_shape.iter().map(|wrong| wrong.name.as_str())).collect();
    let is_in = |module: &str| troubled.iter().all(|name| name.starts_with(module));
    let head = head::last_layer(built).unwrap_or_default();
    if let Some(other) = same_layer(diagnosis, head) {
        let words = format!("everything but the head '{head}' fits, and '{other}' has its tensors: ");
        return Phrase::from(words)
            .set(OptionName::Rename, format!("{other}={head}"))
            .text(" if it is the same layer");
    }
    let stem = built.parameters.first().map_or("", |(name, _)| name.as_str());
    let what = if is_in(head) {
        format!("everything but the head '{head}' fits, and weights do not say what another head computes")
    } else if is_in(stem) {
        format!("everything but '{stem}' fits, and weights do not say its stride and padding")
    } else {
        format!("the network is a variant of {}", asked.name)
    };
    Phrase::from(format!("{what}: ")).phrase(with_a_graph())
}

/// The name of the only layer that is left over, if it has the tensors that `head` lacks, for any number of classes.
fn same_layer(diagnosis: &Diagnosis, head: &str) -> Option<String> {
    let Diagnosis { missing, unused, wrong_shape, .. } = diagnosis;
    if missing.is_empty() || !wrong_shape.is_empty() || missing.len() != unused.len() {
        return None;
    }
    let (layer, _) = unused.first()?.0.rsplit_once('.')?;
    let is_there = |role: &str, expected: &[usize]| {
        let found = unused.iter().find(|(name, _)| *name == format!("{layer}.{role}"));
        found.is_some_and(|(_, shape)| shape.len() == expected.len() && shape[1..] == expected[1..])
    };
    let of_head = |name: &str| name.strip_prefix(head)?.strip_prefix('.').map(str::to_owned);
    let mut roles = missing.iter().map(|missing| (of_head(&missing.name), &missing.expected));
    let fits = roles.all(|(role, expected)| role.is_some_and(|role| is_there(&role, expected)));
    fits.then(|| one_line(layer))
}

fn integers(diagnosis: &Diagnosis, selected: &Selected) -> Option<Phrase> {
    let tensors = &selected.weights.tensors;
    let missing = diagnosis.missing.iter().find(|missing| tensors.contains_key(&missing.name))?;
    Some(
        format!("tensor '{}' holds integers: quantised weights cannot be imported", one_line(&missing.name))
            .into(),
    )
}
