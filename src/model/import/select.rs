//! Finds a network's weights in a checkpoint.
//!
//! Training scripts store weights under a key (`state_dict`, `model`) next to the optimizer's state, and wrappers
//! prefix names (`module.`, `_orig_mod.`). Once nested names are joined by dots, both are prefixes of the names that
//! the network needs. They differ in the remaining tensors: those in another dictionary may be ignored, those in the
//! same one belong to the network.

use std::collections::{BTreeMap, BTreeSet};

use super::state_dict::StateDict;
use crate::error::{OptionName, Phrase, Problem};

/// Keys of the network's weights; dictionaries next to the selected one are not part of the network.
const WEIGHTS: [&str; 12] = [
    "state_dict",
    "model",
    "model_state_dict",
    "model_state",
    "net",
    "net_state_dict",
    "network",
    "weights",
    "params",
    "ema",
    "model_ema",
    "state_dict_ema",
];

/// Keys and attributes, at any depth, under which training scripts store other tensors.
const TRAINING_STATE: [&str; 16] = [
    "optimizer",
    "optimizers",
    "optimizer_state",
    "optimizer_state_dict",
    "optimizer_states",
    "optim",
    "opt",
    "scheduler",
    "schedulers",
    "scheduler_state_dict",
    "lr_scheduler",
    "lr_schedulers",
    "scaler",
    "amp",
    "callbacks",
    "loops",
];

/// Counters saved with the weights that inference does not use: those of batch norm, and of the profiler `thop`.
const COUNTERS: [&str; 3] = ["num_batches_tracked", "total_ops", "total_params"];

/// Weights, and the prefix that was removed from their names.
pub(super) struct Selected {
    pub(super) weights: StateDict,
    pub(super) prefix: String,
}

/// Whether an unused tensor has no effect on the network.
pub(super) fn is_counter(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    COUNTERS.contains(&last)
}

/// Keeps the tensors under `key` and removes the key from their names.
///
/// # Errors
/// A clause, when there are none.
pub(super) fn under_key(weights: StateDict, key: &str) -> Result<StateDict, Problem> {
    let keys: BTreeSet<_> = weights.tensors.keys().map(|name| first_part(name).to_owned()).collect();
    let prefix = format!("{key}.");
    let chosen = strip(weights, &prefix, true);
    if chosen.tensors.is_empty() {
        let some: Vec<_> = keys.iter().take(10).map(String::as_str).collect();
        return Err(format!("has no tensors under the key '{key}', only under {}", some.join(", ")).into());
    }
    Ok(chosen)
}

/// Replaces runs of parts of names, wherever they stand between dots.
///
/// # Errors
/// A clause, when a run is in no name, or two tensors would get one name.
pub(super) fn renamed(mut weights: StateDict, renames: &[(String, String)]) -> Result<StateDict, Problem> {
    for (from, to) in renames {
        let mut found = false;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in weights.tensors {
            let new = with_parts(&name, from, to);
            found |= new != name;
            if tensors.insert(new.clone(), tensor).is_some() {
                return Err(Problem::new(format!("would have two tensors called '{new}'"))
                    .hint(Phrase::from("change ").option(OptionName::Rename)));
            }
        }
        weights.tensors = tensors;
        if !found {
            return Err(Problem::new(format!("has no tensor with '{from}' in its name"))
                .hint(Phrase::from("change ").option(OptionName::Rename)));
        }
    }
    Ok(weights)
}

/// `a.b.c` with the parts `from` replaced by `to`, which may be empty.
fn with_parts(name: &str, from: &str, to: &str) -> String {
    // Dots at both ends, so that only whole parts are replaced: `fc` is not found in `fc1`.
    let dotted = format!(".{name}.");
    let to = if to.is_empty() { ".".to_owned() } else { format!(".{to}.") };
    dotted.replace(&format!(".{from}."), &to).trim_matches('.').to_owned()
}

/// Removes the prefix after which most of `needed` follow.
///
/// Tensors without that prefix are kept and reported as unused, except those in a dictionary that is known not to be
/// the network's.
///
/// # Errors
/// A clause, when several prefixes match equally well.
pub(super) fn matching(weights: StateDict, needed: &BTreeSet<&str>) -> Result<Selected, Problem> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in weights.tensors.keys() {
        // Every place after a dot may be the end of a prefix.
        let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
        for start in starts.filter(|start| needed.contains(&name[*start..])) {
            *counts.entry(&name[..start]).or_default() += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let best: Vec<&str> = counts.iter().filter(|(_, count)| **count == most).map(|(name, _)| *name).collect();
    // Half of the network under several prefixes is a real choice (a model and its average); fewer are chance matches
    // of short names.
    if best.len() > 1 && most * 2 >= needed.len() {
        let keys: Vec<_> = best.iter().map(|prefix| format!("'{}'", prefix.trim_end_matches('.'))).collect();
        return Err(Problem::new(format!("holds several sets of weights, under {}", keys.join(", ")))
            .hint(Phrase::from("choose one with ").option(OptionName::Key)));
    }
    let prefix = best.first().map_or_else(String::new, |prefix| (*prefix).to_owned());
    Ok(Selected { weights: strip(without_others(weights, &prefix), &prefix, false), prefix })
}

/// Drops dictionaries next to the network's weights when their keys identify them.
fn without_others(mut weights: StateDict, prefix: &str) -> StateDict {
    let StateDict { tensors, dictionaries } = &mut weights;
    let own = dictionaries.iter().filter(|dictionary| prefix.starts_with(*dictionary));
    // The innermost dictionary that holds the weights.
    let own = own.max_by_key(|dictionary| dictionary.len()).cloned().unwrap_or_default();
    let is_named = WEIGHTS.contains(&first_part(&own));
    let is_state = |dictionary: &&String| {
        let below = dictionary.strip_prefix(own.as_str()).unwrap_or(dictionary);
        !own.starts_with(*dictionary) && below.split('.').any(|key| TRAINING_STATE.contains(&key))
    };
    let states: Vec<&String> = dictionaries.iter().filter(is_state).collect();
    let is_other = |name: &str| {
        states.iter().any(|state| name.starts_with(*state)) || (is_named && !name.starts_with(&own))
    };
    tensors.retain(|name, _| !is_other(name));
    weights
}

fn first_part(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Removes `prefix` from the names; `only` drops names without it.
fn strip(weights: StateDict, prefix: &str, only: bool) -> StateDict {
    let rename = |name: String| match name.strip_prefix(prefix) {
        Some(rest) => Some(rest.to_owned()),
        None => (!only).then_some(name),
    };
    let StateDict { tensors, dictionaries } = weights;
    StateDict {
        tensors: tensors.into_iter().filter_map(|(name, tensor)| Some((rename(name)?, tensor))).collect(),
        dictionaries: dictionaries.into_iter().filter_map(rename).filter(|name| !name.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_parts;

    #[test]
    fn whole_parts_of_a_name_are_replaced() {
        assert_eq!(with_parts("head.weight", "head", "fc"), "fc.weight");
        assert_eq!(with_parts("a.head.weight", "head", "fc.1"), "a.fc.1.weight");
        assert_eq!(with_parts("overhead.weight", "head", "fc"), "overhead.weight");
        assert_eq!(with_parts("net.body.conv.weight", "net.body", ""), "conv.weight");
        assert_eq!(
            with_parts("layer1.0.shortcut.1.bias", "shortcut", "downsample"),
            "layer1.0.downsample.1.bias"
        );
    }
}
