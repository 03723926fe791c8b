//! Recognises an architecture by the names and shapes of its parameters.
//!
//! Receives the tensors of a file; gives the one architecture whose tensors they are, or refuses: with the nearest where
//! none fits, with the candidates where several do that compute different things.

use super::candidate::{self, Candidate, Trouble};
use super::names::Source;
use super::request::ImportRequest;
use super::screen::Screen;
use super::state_dict::file_name;
use crate::arch::{self, Architecture};
use crate::error::{OptionName, Phrase, Problem, Result};

/// The name that asks for recognition, as no name does.
const AUTO: &str = "auto";

/// Whether the architecture is to be recognised, among all or in a family.
pub(super) fn is_asked(arch: &str) -> bool {
    arch == AUTO || arch::is_family(arch)
}

/// The architecture whose tensors these are, how they fit it, and a sentence that says so.
///
/// # Errors
/// When none fits, or several that differ.
pub(super) fn architecture(
    source: &Source,
    request: &ImportRequest,
) -> Result<(&'static Architecture, Candidate, Phrase)> {
    let family = request.arch.as_deref().filter(|arch| *arch != AUTO).unwrap_or_default();
    let is_asked = |architecture: &&Architecture| {
        let begin = architecture.name.get(..family.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(family))
    };
    let compared =
        |architecture| Some((architecture, candidate::candidate(architecture, source, request).ok()?));
    let possible = Screen::new(source).among(arch::all().filter(is_asked)).filter_map(compared);
    let mut fitting: Vec<(&'static Architecture, Candidate)> =
        possible.filter(|(_, candidate)| candidate.diagnosis.is_clean()).collect();
    let Some((first, candidate)) = fitting.first() else {
        let problem = none_fits(arch::all().filter(is_asked), source, request);
        return Err(problem.of_model(file_name(&request.source)));
    };
    // The same graph under two names is one network.
    let differs = |(_, other): &(&Architecture, Candidate)| other.built.graph != candidate.built.graph;
    if fitting.iter().any(differs) {
        let names: Vec<_> = fitting.iter().map(|(architecture, _)| architecture.name).collect();
        return Err(several(&names).of_model(file_name(&request.source)));
    }
    let words = format!("the {} tensors are those of {}: ", candidate.diagnosis.applied, first.name);
    let said = Phrase::from(words).option(OptionName::Arch).text(" says otherwise");
    let (first, candidate) = fitting.swap_remove(0);
    Ok((first, candidate, said))
}

/// Why none of `asked` fits. Architectures that cannot fit are only compared in full to name the nearest.
fn none_fits(
    asked: impl Iterator<Item = &'static Architecture>,
    source: &Source,
    request: &ImportRequest,
) -> Problem {
    let mut choice = None;
    let nearest =
        nearest(asked.filter_map(|architecture| match candidate::candidate(architecture, source, request) {
            Ok(candidate) => Some((architecture, candidate)),
            Err(Trouble::Selection(problem)) => {
                choice.get_or_insert(problem);
                None
            }
            Err(Trouble::Request(_)) => None,
        }));
    // Several sets of weights each fit by half or more, so what is near instead is near by chance.
    match choice.filter(|_| !nearest.is_some_and(is_near)) {
        Some(problem) => problem,
        None => unknown(nearest),
    }
}

/// An architecture, how many tensors fit it, and how many it needs.
type Near = (&'static Architecture, usize, usize);

/// The architecture with the greatest share of fitting tensors.
fn nearest(compared: impl Iterator<Item = (&'static Architecture, Candidate)>) -> Option<Near> {
    let mut nearest: Option<Near> = None;
    for (architecture, Candidate { diagnosis, .. }) in compared {
        let applied = diagnosis.applied;
        let needed = applied + diagnosis.missing.len() + diagnosis.wrong_shape.len();
        // Shares as products of whole numbers; of equal ones the first in listing order.
        let is_nearer = |(_, best, of): Near| applied * of.max(1) > best * needed.max(1);
        if applied > 0 && nearest.is_none_or(is_nearer) {
            nearest = Some((architecture, applied, needed));
        }
    }
    nearest
}

/// Of another network a few tensors fit by chance, and a list of the others says nothing.
fn is_near((_, applied, needed): Near) -> bool {
    applied * 2 >= needed
}

fn unknown(nearest: Option<Near>) -> Problem {
    let problem = Problem::new("its tensors are those of no architecture that is known here");
    match nearest.filter(|nearest| is_near(*nearest)) {
        Some((architecture, applied, needed)) => problem
            .remark(format!(
                "the nearest is '{}', {applied} of whose {needed} tensors fit",
                architecture.name
            ))
            .hint(
                Phrase::from("use ").set(OptionName::Arch, architecture.name).text(" to see what does not"),
            ),
        None => problem.hint(
            Phrase::from("export the network to ONNX and import that, or describe it with ")
                .set(OptionName::Card, "CARD.json"),
        ),
    }
}

fn several(names: &[&str]) -> Problem {
    Problem::new(format!(
        "its tensors are those of {}, which compute different things with the same tensors",
        names.join(" and ")
    ))
    .hint(Phrase::from("say which with ").option(OptionName::Arch))
}
