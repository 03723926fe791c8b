//! Whether a card, its graph and its tensors fit together.
//!
//! Receives a card and the shapes of the tensors; gives the network with all shapes known and the meaning of its outputs
//! resolved, or refuses it.

use std::collections::BTreeMap;

use crate::card::{Card, Graph};
use crate::error::{Error, Problem, Result};
use crate::import::Diagnosis;
use crate::output::{self, Resolved};
use crate::{arch, lengths, shapes};

/// Checks that a card, its graph and tensors of these shapes fit together; `name` is the model's, for errors. Gives
/// the resolved network and warnings.
pub(crate) fn check(
    card: &Card,
    tensors: &BTreeMap<String, Vec<usize>>,
    name: &str,
) -> Result<(Resolved, Vec<String>)> {
    let blame = |problem: Problem| problem.of_model(name);
    card.check().map_err(blame)?;
    let mut graph = match (&card.arch, &card.graph) {
        (Some(arch), _) => built_in(arch, card)?,
        (None, Some(graph)) => graph.clone(),
        (None, None) => return Err(blame("its card has no graph".into())),
    };
    lengths::mark(&mut graph);
    let warnings = tensors_fit(&graph, tensors, name)?;
    let shapes = shapes::infer(&graph, tensors).map_err(blame)?;
    check_input(card, &graph).map_err(blame)?;
    Ok((output::resolve(card, graph, shapes).map_err(blame)?, warnings))
}

fn check_input(card: &Card, graph: &Graph) -> Result<(), Problem> {
    let (input, preprocess) = (&graph.input, &card.preprocess);
    let size = [input.height, input.width];
    let problem = match preprocess.output_size() {
        Some(made) if made != size => format!(
            "its card's 'preprocess' makes {}x{} pixels (height x width), but 'graph.input' wants {}x{}",
            made[0], made[1], size[0], size[1]
        ),
        // No picture is made into a signal.
        _ if input.is_signal() => return Ok(()),
        _ if preprocess.color.channels() != input.channels => format!(
            "its card's 'preprocess.color' gives {} channels, but 'graph.input' wants {}",
            preprocess.color.channels(),
            input.channels
        ),
        _ => return Ok(()),
    };
    Err(problem.into())
}

fn built_in(arch: &str, card: &Card) -> Result<Graph> {
    let classes = card.num_classes.unwrap_or(card.classes.len());
    if classes == 0 {
        return Err(Error::model(
            &card.name,
            format!("its card builds '{arch}' but gives neither 'num_classes' nor 'classes'"),
        ));
    }
    Ok(arch::build(arch, classes, card.preprocess.output_size())?.graph)
}

/// Refuses a file that lacks tensors; returns a warning when the graph does not use all of them.
fn tensors_fit(graph: &Graph, tensors: &BTreeMap<String, Vec<usize>>, name: &str) -> Result<Vec<String>> {
    let wanted = graph.nodes.iter().flat_map(|node| node.params.values());
    let expected: Vec<_> =
        wanted.map(|name| (name.clone(), tensors.get(name).cloned().unwrap_or_default())).collect();
    let found: Vec<_> = tensors.iter().map(|(name, shape)| (name.clone(), shape.clone())).collect();
    let diagnosis = Diagnosis::compare(&expected, &found);
    if !diagnosis.missing.is_empty() {
        return Err(Error::model(name, diagnosis.problem("")));
    }
    Ok(match diagnosis.unused.len() {
        0 => vec![],
        count => vec![format!(
            "{count} tensors in the model file are not used by its graph, the first is '{}'",
            diagnosis.unused[0].0
        )],
    })
}
