//! Finds a network's weights among everything that a checkpoint holds.
//!
//! Training scripts keep weights under a key (`state_dict`, `model`) beside the optimizer's state, and wrappers put
//! prefixes before names (`module.`, `_orig_mod.`). Both are the same thing once nested names are joined by dots: a
//! prefix after which the names that the network needs follow.

use std::collections::{BTreeMap, BTreeSet};

use super::state_dict::StateDict;

/// Keys of checkpoints; what lies beside the one that is taken is not the network's.
const USUAL_KEYS: [&str; 5] = ["state_dict", "model", "model_state_dict", "net", "ema"];

/// Keeps what lies under `key` and takes the key off the names.
///
/// # Errors
/// A clause, when nothing lies there.
pub(super) fn under_key(weights: StateDict, key: &str) -> Result<StateDict, String> {
    let keys: BTreeSet<_> = weights.tensors.keys().map(|name| first_part(name).to_owned()).collect();
    let prefix = format!("{key}.");
    let chosen = strip(weights, &prefix, true);
    if chosen.tensors.is_empty() {
        let some: Vec<_> = keys.iter().take(10).map(String::as_str).collect();
        return Err(format!("has no tensors under the key '{key}', only under {}", some.join(", ")));
    }
    Ok(chosen)
}

/// Takes off the prefix after which most of `needed` follow.
///
/// Tensors without that prefix stay as they are, to be reported as unused; but when the prefix starts with a
/// checkpoint's key, what lies outside that key is dropped.
///
/// # Errors
/// A clause, when several prefixes do equally well.
pub(super) fn matching(weights: StateDict, needed: &BTreeSet<&str>) -> Result<StateDict, String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in weights.tensors.keys() {
        let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
        for start in starts.filter(|start| needed.contains(&name[*start..])) {
            *counts.entry(&name[..start]).or_default() += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let best: Vec<&str> = counts.iter().filter(|(_, count)| **count == most).map(|(name, _)| *name).collect();
    if best.len() > 1 && most * 2 >= needed.len() {
        let keys: Vec<_> = best.iter().map(|prefix| format!("'{}'", prefix.trim_end_matches('.'))).collect();
        return Err(format!(
            "holds several sets of weights, under {} (choose one with --key)",
            keys.join(", ")
        ));
    }
    let prefix = best.first().map_or_else(String::new, |prefix| (*prefix).to_owned());
    let only = USUAL_KEYS.contains(&first_part(&prefix));
    if !only {
        return Ok(strip(weights, &prefix, false));
    }
    let key = format!("{}.", first_part(&prefix));
    let rest = prefix[key.len()..].to_owned();
    Ok(strip(strip(weights, &key, true), &rest, false))
}

fn first_part(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Takes `prefix` off the names; of names without it, `only` says whether they go.
fn strip(weights: StateDict, prefix: &str, only: bool) -> StateDict {
    let rename = |(name, tensor): (String, _)| match name.strip_prefix(prefix) {
        Some(rest) => Some((rest.to_owned(), tensor)),
        None => (!only).then_some((name, tensor)),
    };
    StateDict { tensors: weights.tensors.into_iter().filter_map(rename).collect() }
}
