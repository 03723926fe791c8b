//! Which arrays of the file are whose.
//!
//! Receives the weights of a file and a model's layers; gives the arrays of each layer in the order in which Keras lists
//! them. In archives they are found by the layer's class and its position among layers of that class, in `.h5` files by name.

use std::collections::{BTreeMap, HashMap};

use super::hdf5::{Array, Object};
use super::network::Network;
use super::saved::{Format, Saved};
use crate::error::Problem;

/// The weights of a model, or of a model inside of it.
#[derive(Debug, Clone)]
pub(super) enum Scope<'f> {
    /// The group `layers`, its children, and the names that layers have there.
    Archive { group: Option<Object<'f>>, children: BTreeMap<String, u64>, names: Vec<String> },
    /// The group `model_weights`, and its children.
    Legacy { group: Object<'f>, children: BTreeMap<String, u64> },
    /// Inside of a model in a `.h5` file, where the weights of all layers are in one list.
    Listed(Vec<Stored<'f>>),
}

/// An array that is still in the file.
#[derive(Debug, Clone)]
pub(super) struct Stored<'f> {
    /// The layer's path and the weight's name, in `.h5` files: `conv1/kernel:0`.
    path: Option<String>,
    /// In archives, the part of the layer that it belongs to.
    part: Option<String>,
    object: Object<'f>,
}

impl<'f> Stored<'f> {
    /// The weight's own name, where the file has it: `kernel`.
    pub(super) fn role(&self) -> Option<&str> {
        let last = self.path.as_deref()?.rsplit('/').next()?;
        Some(last.split(':').next().unwrap_or(last))
    }

    /// Whether it belongs to a part of its layer. In paths, parts look like layers.
    pub(super) fn is_of_part(&self) -> bool {
        self.part.is_some()
    }

    /// The part of its layer that it belongs to, if that has parts: `query` of an attention.
    pub(super) fn part(&self) -> Option<&str> {
        self.part.as_deref().or_else(|| self.path.as_deref()?.rsplit('/').nth(1))
    }

    /// Whether the file says that it belongs to this layer, or to a part of it.
    fn is_of(&self, layer: &str) -> bool {
        let Some(path) = self.path.as_deref() else { return false };
        path.rsplit('/').skip(1).take(2).any(|name| name == layer)
    }

    pub(super) fn read(&self) -> Result<Array, Problem> {
        self.object.array()
    }
}

impl<'f> Scope<'f> {
    /// The weights of the outermost model.
    ///
    /// # Errors
    /// When the file is damaged.
    pub(super) fn of(saved: &'f Saved, network: &Network) -> Result<Self, Problem> {
        let root = Object::root(&saved.weights)?;
        match saved.format {
            Format::Archive => Self::archive(&root, network),
            Format::Legacy => {
                let group = root.find("model_weights")?.ok_or("has no 'model_weights'")?;
                let children = group.children()?;
                Ok(Self::Legacy { group, children })
            }
        }
    }

    /// Keras 3 calls the group of a model's layers `layers`, Keras 2 by the property that listed them.
    fn archive(model: &Object<'f>, network: &Network) -> Result<Self, Problem> {
        let mut group = None;
        for name in ["layers", "_layer_checkpoint_dependencies"] {
            group = group.or(model.find(name)?);
        }
        let children = group.as_ref().map(Object::children).transpose()?.unwrap_or_default();
        Ok(Self::Archive { group, children, names: group_names(network) })
    }

    /// The arrays of a layer of this model, the one at `at` with the name `layer`, in Keras's order.
    ///
    /// # Errors
    /// When the file is damaged, or has another layer there.
    pub(super) fn arrays(&self, at: usize, layer: &str) -> Result<Vec<Stored<'f>>, Problem> {
        match self {
            Self::Archive { .. } => {
                let Some(group) = self.child(at)? else { return Ok(vec![]) };
                if let Some(variables) = group.find("vars")?
                    && let Some(found) = variables.text("name")?.filter(|found| found != layer)
                {
                    return Err(Problem::new(format!("has the weights of '{found}' in its place")));
                }
                with_parts(&group)
            }
            Self::Legacy { group, children } => {
                // A name with a slash is a path of groups.
                let found = match children.get(layer) {
                    Some(address) => Some(group.at(*address)?),
                    None => group.find(layer)?,
                };
                found.map_or(Ok(vec![]), |found| listed(&found))
            }
            Self::Listed(all) => Ok(all.iter().filter(|stored| stored.is_of(layer)).cloned().collect()),
        }
    }

    /// The weights of the model that the layer at `at` is.
    ///
    /// # Errors
    /// When the file is damaged.
    pub(super) fn inner(&self, at: usize, layer: &str, inner: &Network) -> Result<Self, Problem> {
        match self {
            Self::Archive { .. } => match self.child(at)? {
                Some(group) => Self::archive(&group, inner),
                None => Ok(Self::Listed(vec![])),
            },
            Self::Legacy { .. } => self.arrays(at, layer).map(Self::Listed),
            // The names do not distinguish layers of several models inside; two with the same name are refused.
            Self::Listed(_) => Ok(self.clone()),
        }
    }

    fn child(&self, at: usize) -> Result<Option<Object<'f>>, Problem> {
        let Self::Archive { group: Some(group), children, names } = self else { return Ok(None) };
        let address = names.get(at).and_then(|name| children.get(name));
        address.map(|address| group.at(*address)).transpose()
    }
}

/// The name of each layer's group: its class, and a number from the second of a class on. Operations have none.
fn group_names(network: &Network) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let name = |layer: &super::network::Layer| {
        if layer.is_operation() {
            return String::new();
        }
        let class = snake_case(&layer.class);
        let count = counts.entry(class.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { class } else { format!("{class}_{}", *count - 1) }
    };
    network.layers.iter().map(name).collect()
}

/// Keras's own rule: an underscore before a capital that follows a small letter or begins a word of small ones.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> =
        class.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let begins_word = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase()
            && before.is_some_and(|before| before.is_ascii_lowercase() || begins_word)
        {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The arrays of a layer, then those of its parts. Keras names parts by the property that has them, `query_dense`.
fn with_parts<'f>(layer: &Object<'f>) -> Result<Vec<Stored<'f>>, Problem> {
    let mut all = Vec::new();
    for (name, address) in layer.children()? {
        let group = layer.at(address)?;
        if name == "vars" {
            all.splice(..0, numbered(&group, None)?);
        } else if let Some(variables) = group.find("vars")? {
            let part = match name.trim_start_matches('_').trim_end_matches("_dense") {
                "output" => "attention_output",
                part => part,
            };
            all.extend(numbered(&variables, Some(part))?);
        }
    }
    Ok(all)
}

/// Arrays called by their number.
fn numbered<'f>(group: &Object<'f>, part: Option<&str>) -> Result<Vec<Stored<'f>>, Problem> {
    let children = group.children()?;
    let mut numbers: Vec<(usize, u64)> =
        children.iter().filter_map(|(name, address)| Some((name.parse().ok()?, *address))).collect();
    numbers.sort_unstable();
    let stored =
        |(_, address)| Ok(Stored { path: None, part: part.map(str::to_owned), object: group.at(address)? });
    numbers.into_iter().map(stored).collect()
}

/// Arrays listed by an attribute. Long lists are split over several, because an attribute is limited to 64 kB.
fn listed<'f>(group: &Object<'f>) -> Result<Vec<Stored<'f>>, Problem> {
    let mut paths = group.texts("weight_names")?.unwrap_or_default();
    for part in 0.. {
        let Some(more) = group.texts(&format!("weight_names{part}"))? else { break };
        paths.extend(more);
    }
    // The group of a long model is long, and the arrays of a layer follow each other: each group is read once.
    let children = group.children()?;
    let mut open: Option<(u64, Object<'f>)> = None;
    let mut find = |path: &str| -> Result<Option<Object<'f>>, Problem> {
        let path = path.trim_start_matches('/');
        let (layer, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some(address) = children.get(layer) else { return Ok(None) };
        if open.as_ref().is_none_or(|(at, _)| at != address) {
            open = Some((*address, group.at(*address)?));
        }
        open.as_ref().map_or(Ok(None), |(_, layer)| layer.find(rest))
    };
    let stored = |path: String| {
        let object = find(&path)?;
        let object = object.ok_or_else(|| Problem::new(format!("has no array '{path}', which it lists")))?;
        Ok(Stored { path: Some(path), part: None, object })
    };
    paths.into_iter().map(stored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_spelled_as_keras_spells_them() {
        let names = ["Conv2D", "BatchNormalization", "DepthwiseConv2D", "ReLU", "PReLU", "Dense"];
        let expected = ["conv2d", "batch_normalization", "depthwise_conv2d", "re_lu", "p_re_lu", "dense"];
        assert_eq!(names.map(snake_case), expected);
    }
}
