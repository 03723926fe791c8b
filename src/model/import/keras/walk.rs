//! Goes through a network call by call, and lowers each.
//!
//! Receives a [`Network`] and its weights; fills a [`Builder`], and remembers for each node the layer that it came from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::layers;
use super::network::{Argument, Layer, Network, Reference};
use super::settings::Settings;
use super::site::{Operand, Site, Tensor};
use super::weights::{Scope, Stored};
use crate::builder::Builder;
use crate::error::Problem;
use crate::import::kinds::Kinds;

/// A call: position of the layer, and which of its calls.
type Place = (usize, usize);

/// A network being lowered.
pub(super) struct Walk {
    pub(super) builder: Builder,
    /// The path of the layer behind each origin of a node: `outer/inner`.
    pub(super) paths: Vec<String>,
    /// The major version of Keras that wrote the file, where a setting may depend on it.
    pub(super) version: u64,
    pub(super) asked_version: bool,
}

impl Walk {
    /// The outputs of `network` for these inputs. `prefix` is that of the layers' paths.
    pub(super) fn run(
        &mut self,
        network: &Network,
        scope: &Scope,
        inputs: &[Tensor],
        outputs: &[Reference],
        prefix: &str,
    ) -> Result<Vec<Tensor>, Problem> {
        if inputs.len() != network.inputs.len() {
            let what = format!("model '{}' is called on {} tensors", network.name, inputs.len());
            return Err(Problem::new(what).expected(network.inputs.len().to_string()));
        }
        let places = network.inputs.iter().map(|input| (input.layer, input.call));
        let mut values: HashMap<Place, Vec<Tensor>> =
            places.zip(inputs).map(|(place, tensor)| (place, vec![tensor.clone()])).collect();
        for (at, call) in order(network, outputs)? {
            if values.contains_key(&(at, call)) {
                continue;
            }
            let layer = &network.layers[at];
            let about = |problem: Problem| {
                let name = format!("{prefix}{}", layer.name);
                if layer.inner.is_some() { problem } else { problem.about_node(name, &layer.class) }
            };
            let results = self.call(network, scope, (at, call), &values, prefix).map_err(about)?;
            values.insert((at, call), results);
        }
        outputs.iter().map(|output| tensor(&values, *output)).collect()
    }

    fn call(
        &mut self,
        network: &Network,
        scope: &Scope,
        (at, call): Place,
        values: &HashMap<Place, Vec<Tensor>>,
        prefix: &str,
    ) -> Result<Vec<Tensor>, Problem> {
        let layer = &network.layers[at];
        let path = format!("{prefix}{}", layer.name);
        let call = layer.calls.get(call).ok_or("is an input that nothing is given to")?;
        // Keras 3 puts what prediction says in its place.
        if self.version < 3 && call.is_training() {
            return Err(
                Problem::new("is called with training=True").hint("build the model with training=False")
            );
        }
        let mut operands = Vec::new();
        call.arguments.iter().try_for_each(|argument| open(argument, values, &mut operands))?;
        let mut named = Vec::new();
        for (name, argument) in &call.named {
            let mut opened = Vec::new();
            open(argument, values, &mut opened)?;
            named.extend(opened.into_iter().map(|operand| (name.clone(), operand)));
        }
        // Keras 3 gives the tensors of some layers by name.
        if operands.is_empty() {
            let tensors = named.iter().filter(|(_, operand)| matches!(operand, Operand::Tensor(_)));
            operands.extend(tensors.map(|(_, operand)| operand.clone()));
        }
        if let Some(inner) = &layer.inner {
            let inputs: Vec<Tensor> = operands.into_iter().filter_map(Operand::tensor).collect();
            // Its layers have names of their own, which may be those of layers outside.
            let scope = scope.inner(at, &layer.name, inner)?;
            return self.run(inner, &scope, &inputs, &inner.outputs, &format!("{path}/"));
        }
        let weights = if layer.is_operation() { vec![] } else { scope.arrays(at, &layer.name)? };
        self.paths.push(path);
        self.lower(layer, operands, named, weights).map(|result| vec![result])
    }

    /// The result of a layer that is no model.
    fn lower(
        &mut self,
        layer: &Layer,
        operands: Vec<Operand>,
        named: Vec<(String, Operand)>,
        weights: Vec<Stored>,
    ) -> Result<Tensor, Problem> {
        let lower = layers::find(layer).ok_or("is not supported")?;
        // A mask leaves steps out of sums and softmaxes: without it the result would be another, unnoticed.
        let is_mask = |(name, operand): &&(String, Operand)| {
            name.contains("mask")
                && matches!(operand, Operand::Tensor(_) | Operand::Constant(Value::Bool(true)))
        };
        if let Some((name, _)) = named.iter().find(is_mask) {
            return Err(Problem::new(format!("is called with '{name}'"))
                .expected("no mask")
                .hint(super::hints::EXPORT));
        }
        self.builder.origin = self.paths.len() - 1;
        let settings = Settings(&layer.settings);
        let (class, version) = (layer.class.as_str(), self.version);
        let builder = &mut self.builder;
        let mut site = Site {
            builder,
            class,
            settings,
            operands,
            named,
            weights,
            version,
            asked_version: false,
            is_sequence: false,
        };
        let result = lower(&mut site);
        self.asked_version |= site.asked_version;
        result
    }
}

/// The operands in an argument. Lists of tensors are opened, those of constants alone are one constant; an argument that is null
/// is left out.
fn open(
    argument: &Argument,
    values: &HashMap<Place, Vec<Tensor>>,
    operands: &mut Vec<Operand>,
) -> Result<(), Problem> {
    match (argument, argument.constant()) {
        (_, Some(Value::Null)) => {}
        (_, Some(value)) => operands.push(Operand::Constant(value)),
        (Argument::Tensor(reference), _) => operands.push(Operand::Tensor(tensor(values, *reference)?)),
        (Argument::List(list), _) => list.iter().try_for_each(|inner| open(inner, values, operands))?,
        (Argument::Constant(_), None) => {}
    }
    Ok(())
}

fn tensor(values: &HashMap<Place, Vec<Tensor>>, reference: Reference) -> Result<Tensor, Problem> {
    let Reference { layer, call, output } = reference;
    let found = values.get(&(layer, call)).and_then(|outputs| outputs.get(output));
    found.cloned().ok_or_else(|| "is called on an output that is not there".into())
}

/// The calls that lead to `outputs`, in an order in which they can run: that of the file as far as possible. No recursion,
/// because networks are deep.
fn order(network: &Network, outputs: &[Reference]) -> Result<Vec<Place>, Problem> {
    let mut reads: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    let mut open: Vec<Place> = outputs.iter().map(|output| (output.layer, output.call)).collect();
    let inputs: HashSet<Place> = network.inputs.iter().map(|input| (input.layer, input.call)).collect();
    while let Some((at, call)) = open.pop() {
        if reads.contains_key(&(at, call)) {
            continue;
        }
        let own = network.layers[at].calls.get(call).filter(|_| !inputs.contains(&(at, call)));
        let before: BTreeSet<Place> = own.map(|call| call.references()).unwrap_or_default();
        open.extend(&before);
        reads.insert((at, call), before);
    }
    let mut readers: HashMap<Place, Vec<Place>> = HashMap::new();
    for (place, before) in &reads {
        before.iter().for_each(|giver| readers.entry(*giver).or_default().push(*place));
    }
    let mut waiting: HashMap<Place, usize> =
        reads.iter().map(|(place, before)| (*place, before.len())).collect();
    let mut ready: BTreeSet<Place> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(place, _)| *place).collect();
    let mut order = Vec::with_capacity(reads.len());
    while let Some(place) = ready.pop_first() {
        order.push(place);
        for reader in readers.get(&place).into_iter().flatten() {
            let count = waiting.entry(*reader).or_default();
            *count -= 1;
            if *count == 0 {
                // A set, and not a list: of what can run, the first in the file runs next, so that graphs do not depend on
                // hashes.
                ready.insert(*reader);
            }
        }
    }
    match order.len() == reads.len() {
        true => Ok(order),
        false => Err("has layers that wait for one another in a circle".into()),
    }
}

/// Refuses a network with layers that are not supported, and names each kind.
pub(super) fn check_supported(network: &Network) -> Result<(), Problem> {
    let mut unsupported = Kinds::default();
    let mut open = vec![(network, String::new())];
    while let Some((network, prefix)) = open.pop() {
        for layer in &network.layers {
            let path = format!("{prefix}{}", layer.name);
            match &layer.inner {
                Some(inner) => open.push((inner, format!("{path}/"))),
                None if layer.class == "InputLayer" || layers::find(layer).is_some() => {}
                None => unsupported.count(kind(layer), || path),
            }
        }
    }
    let say = |kind: &str, count: usize, first: &str| {
        let layers = if count == 1 { "layer" } else { "layers" };
        format!("'{kind}' ({count} {layers}, first '{first}')")
    };
    match unsupported.listed(say) {
        Some(list) => {
            Err(Problem::new(format!("has layers that are not supported: {list}")).hint(super::hints::EXPORT))
        }
        None => Ok(()),
    }
}

/// The class, and for functions in place of layers the function.
fn kind(layer: &Layer) -> String {
    let function = layer.settings.get("function").and_then(Value::as_str);
    match function.filter(|_| layers::is_of_tensorflow(&layer.class)) {
        Some(function) => format!("tf.{function}"),
        None if layer.module.is_empty() || layer.module.starts_with("keras") => layer.class.clone(),
        None => format!("{}.{}", layer.module, layer.class),
    }
}
