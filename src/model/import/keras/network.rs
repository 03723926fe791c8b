//! The network that a configuration describes: layers, and how they are called on one another.
//!
//! Receives the JSON of Keras 2 or 3; gives a [`Network`], in which sequential and functional models have the same form.
//! Checks that references lead somewhere; what layers compute is not looked at.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::calls::{Named, Raw, RawArgument, calls, references};
use super::settings::Settings;
use crate::error::Problem;

/// Deeper than models are nested in practice.
const MAX_DEPTH: usize = 16;

/// A model: layers in the file's order.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) layers: Vec<Layer>,
    pub(super) inputs: Vec<Reference>,
    pub(super) outputs: Vec<Reference>,
}

/// A layer, an operation of `keras.ops` in place of one, or a model inside of a model.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) name: String,
    /// The Python class.
    pub(super) class: String,
    /// The Python module, where the file has it.
    pub(super) module: String,
    pub(super) settings: Map<String, Value>,
    /// The model that it is.
    pub(super) inner: Option<Network>,
    pub(super) calls: Vec<Call>,
}

/// One call of a layer: what it is called with.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) arguments: Vec<Argument>,
    pub(super) named: Vec<(String, Argument)>,
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    Tensor(Reference),
    List(Vec<Argument>),
    /// A constant, or null.
    Constant(Value),
}

impl Argument {
    /// The constant that it is; `None` if there is a tensor in it.
    pub(super) fn constant(&self) -> Option<Value> {
        match self {
            Self::Tensor(_) => None,
            Self::Constant(value) => Some(value.clone()),
            Self::List(list) => list.iter().map(Self::constant).collect::<Option<_>>().map(Value::Array),
        }
    }
}

/// A tensor: an output of a call of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) layer: usize,
    pub(super) call: usize,
    pub(super) output: usize,
}

impl Layer {
    /// Whether it is a function of `keras.ops`, which has no weights, and is not among a model's layers. Early files
    /// do not have the module, but the settings of every layer say more than its name.
    pub(super) fn is_operation(&self) -> bool {
        self.module.contains(".ops.")
            || self.module.is_empty() && self.settings.len() == 1 && self.settings.contains_key("name")
    }
}

impl Network {
    /// Reads the configuration of a model.
    ///
    /// # Errors
    /// When it is no sequential or functional model, or its layers do not fit together.
    pub(super) fn read(model: &Value) -> Result<Self, Problem> {
        Self::nested(model, 0)
    }

    fn nested(model: &Value, depth: usize) -> Result<Self, Problem> {
        if depth > MAX_DEPTH {
            return Err("has models inside of one another without an end".into());
        }
        let class = text(model, "class_name").unwrap_or_default();
        let config = model.get("config").unwrap_or(&Value::Null);
        let listed = config.get("layers").or(Some(config)).and_then(Value::as_array);
        let Some(listed) = listed.filter(|_| is_model(class) || config.get("layers").is_some()) else {
            let what = format!("is a model of the class '{class}', whose layers are in its Python code");
            return Err(Problem::new(what)
                .expected("a sequential or functional model")
                .hint(super::hints::EXPORT));
        };
        let layers = listed.iter().map(|layer| Layer::read(layer, depth)).collect::<Result<Vec<_>, _>>()?;
        let name = text(config, "name").unwrap_or_default().to_owned();
        match config.get("input_layers").zip(config.get("output_layers")) {
            Some((inputs, outputs)) => Self::functional(name, layers, listed, [inputs, outputs]),
            None => Self::sequential(name, layers, config),
        }
    }

    /// Layers one after the other. The first one may have the shape of the input, in place of an input layer.
    fn sequential(name: String, mut layers: Vec<Layer>, config: &Value) -> Result<Self, Problem> {
        let first = layers.first().ok_or("has no layers")?;
        if first.class != "InputLayer" {
            let settings = Settings(&first.settings);
            let shape = settings.get("batch_input_shape").or_else(|| settings.get("batch_shape"));
            let shape = shape.or_else(|| config.get("build_input_shape"));
            let shape = shape.or_else(|| first.input_shape()).cloned().unwrap_or(Value::Null);
            // The name that Keras 2 gives it.
            let named = format!("{}_input", first.name);
            layers.insert(0, Layer::input(named, shape));
        }
        for (at, layer) in layers.iter_mut().enumerate().skip(1) {
            let before = Reference { layer: at - 1, call: 0, output: 0 };
            layer.calls = vec![Call { arguments: vec![Argument::Tensor(before)], named: vec![] }];
        }
        let end = Reference { layer: layers.len() - 1, call: 0, output: 0 };
        let start = Reference { layer: 0, call: 0, output: 0 };
        Ok(Self { name, layers, inputs: vec![start], outputs: vec![end] })
    }

    fn functional(
        name: String,
        mut layers: Vec<Layer>,
        listed: &[Value],
        [inputs, outputs]: [&Value; 2],
    ) -> Result<Self, Problem> {
        let calls =
            listed.iter().map(|layer| calls(layer.get("inbound_nodes"))).collect::<Result<Vec<_>, _>>()?;
        let [inputs, outputs] = [references(inputs)?, references(outputs)?];
        let places = Places::of(&layers, &calls, &outputs);
        let mut placed = Vec::with_capacity(layers.len());
        for (layer, calls) in layers.iter().zip(&calls) {
            let place = |call| places.call(call).map_err(|problem| problem.named("layer", &layer.name));
            placed.push(calls.iter().map(place).collect::<Result<Vec<_>, _>>()?);
        }
        let find =
            |named: &[Named]| named.iter().map(|named| places.find(named)).collect::<Result<Vec<_>, _>>();
        let (inputs, outputs) = (find(&inputs)?, find(&outputs)?);
        for (layer, calls) in layers.iter_mut().zip(placed) {
            layer.calls = calls;
        }
        Ok(Self { name, layers, inputs, outputs })
    }
}

impl Layer {
    fn read(layer: &Value, depth: usize) -> Result<Self, Problem> {
        let class = text(layer, "class_name").ok_or("has a layer without a class")?.to_owned();
        let config = layer.get("config").unwrap_or(&Value::Null);
        let name = text(config, "name").or(text(layer, "name")).unwrap_or(&class).to_owned();
        let inner = match is_model(&class) || config.get("layers").is_some() {
            true => Some(Network::nested(layer, depth + 1)?),
            false => None,
        };
        let module = text(layer, "module").unwrap_or_default().to_owned();
        let mut settings = config.as_object().cloned().unwrap_or_default();
        // Of a model inside, the layers were read above.
        settings.remove("layers");
        if let Some(shape) = layer.get("build_config").and_then(|build| build.get("input_shape")) {
            settings.insert("build_input_shape".to_owned(), shape.clone());
        }
        Ok(Self { name, class, module, settings, inner, calls: vec![] })
    }

    fn input(name: String, shape: Value) -> Self {
        let settings = Map::from_iter([("batch_shape".to_owned(), shape)]);
        let (class, module) = ("InputLayer".to_owned(), String::new());
        Self { name, class, module, settings, inner: None, calls: vec![] }
    }

    /// The shape of the input of a layer, or of the model that it is.
    fn input_shape(&self) -> Option<&Value> {
        let inner = self.inner.as_ref().and_then(|inner| inner.layers.get(inner.inputs.first()?.layer));
        match inner {
            Some(input) => input.shape(),
            None => Settings(&self.settings).get("build_input_shape"),
        }
    }

    /// The shape that an input layer declares, with the batch.
    pub(super) fn shape(&self) -> Option<&Value> {
        let settings = Settings(&self.settings);
        settings.get("batch_shape").or_else(|| settings.get("batch_input_shape"))
    }
}

/// Where the calls of layers are, by name.
struct Places<'a> {
    layers: HashMap<&'a str, (usize, usize)>,
    /// What the file counts too much, for layers that are models: some versions count the call that made the model.
    excess: HashMap<String, usize>,
}

impl<'a> Places<'a> {
    fn of(layers: &'a [Layer], calls: &[Vec<Raw>], outputs: &[Named]) -> Self {
        let places = layers.iter().zip(calls).enumerate();
        // An input layer is not called, and has one output all the same.
        let places = places.map(|(at, (layer, calls))| (layer.name.as_str(), (at, calls.len().max(1))));
        let places: HashMap<&str, (usize, usize)> = places.collect();
        let mut excess = HashMap::new();
        let read = calls.iter().flatten().flat_map(Raw::references).chain(outputs);
        for Named(name, call, _) in read {
            let counted = places
                .get(name.as_str())
                .filter(|(at, count)| layers[*at].inner.is_some() && *call >= *count);
            if let Some((_, count)) = counted {
                let over = excess.entry(name.clone()).or_insert(0);
                *over = (*over).max(call + 1 - count);
            }
        }
        Self { layers: places, excess }
    }

    fn find(&self, Named(name, call, output): &Named) -> Result<Reference, Problem> {
        let Some((layer, count)) = self.layers.get(name.as_str()).copied() else {
            return Err(Problem::new(format!("is called on '{name}', which is no layer")));
        };
        let call = call.checked_sub(self.excess.get(name).copied().unwrap_or(0));
        let call = call.filter(|call| *call < count);
        let call =
            call.ok_or_else(|| Problem::new(format!("is called on a call of '{name}' that is not there")))?;
        Ok(Reference { layer, call, output: *output })
    }

    fn call(&self, raw: &Raw) -> Result<Call, Problem> {
        let arguments =
            raw.arguments.iter().map(|argument| self.argument(argument)).collect::<Result<_, _>>()?;
        let named = raw.named.iter().map(|(name, argument)| Ok((name.clone(), self.argument(argument)?)));
        Ok(Call { arguments, named: named.collect::<Result<_, Problem>>()? })
    }

    fn argument(&self, raw: &RawArgument) -> Result<Argument, Problem> {
        Ok(match raw {
            RawArgument::Tensor(named) => Argument::Tensor(self.find(named)?),
            RawArgument::Constant(value) => Argument::Constant(value.clone()),
            RawArgument::List(list) => {
                Argument::List(list.iter().map(|argument| self.argument(argument)).collect::<Result<_, _>>()?)
            }
        })
    }
}

fn is_model(class: &str) -> bool {
    matches!(class, "Sequential" | "Functional" | "Model")
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

impl Call {
    /// Whether it was said to run as in training, which it then does in use, too.
    pub(super) fn is_training(&self) -> bool {
        let is_true = |argument: &Argument| matches!(argument, Argument::Constant(Value::Bool(true)));
        self.named.iter().any(|(name, argument)| name == "training" && is_true(argument))
    }

    /// The calls whose results it reads.
    pub(super) fn references(&self) -> BTreeSet<(usize, usize)> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Argument> = self.arguments.iter().collect();
        open.extend(self.named.iter().map(|(_, argument)| argument));
        while let Some(argument) = open.pop() {
            match argument {
                Argument::Tensor(reference) => _ = found.insert((reference.layer, reference.call)),
                Argument::List(list) => open.extend(list),
                Argument::Constant(_) => {}
            }
        }
        found
    }
}
