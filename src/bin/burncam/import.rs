//! `burncam import`: makes a self-contained model file from weights and their network.

use std::path::Path;

use anyhow::{Context as _, Result};
use burncam::check::check_output;
use burncam::internal::output;
use burncam::{LayerRequest, Model};
use burncam_graph::card::{OutputKind, Preprocess};
use burncam_graph::error::{OptionName, Phrase};
use burncam_graph::memory::{self, Part};
use burncam_model::import::{ImportRequest, Imported, KnownInput, import};
use burncam_model::{OutputForm, read_card};
use burncam_picture::input::{Array, read_array};
use serde_json::Value;

use crate::args::ImportArgs;
use crate::flags::WORDS;
use crate::outcome::Outcome;
use crate::{decode, failure, text};

/// Imports one file.
pub(crate) fn run(args: &ImportArgs, quiet: bool) -> Result<Outcome> {
    if !args.force {
        // Before the import, which may take a minute.
        output::refuse_existing([&args.out])?;
    }
    let mut imported = import(&request(args)?)?;
    for warning in &imported.warnings {
        log::warn!("{warning}");
    }
    let tensors = imported.tensors.len();
    let model = save(args, &mut imported)?;
    if !quiet {
        let assumed = |assumption: &Phrase| text::line(&format!("assumed: {}", assumption.say(WORDS)));
        imported.assumptions.iter().try_for_each(assumed)?;
        text::line(&summary(&model, &args.out, tensors)?)?;
    }
    Ok(Outcome::Done)
}

fn request(args: &ImportArgs) -> Result<ImportRequest> {
    let classes = args.classes.as_deref().map(read_classes).transpose()?.unwrap_or_default();
    let preprocess = args.pictures.preprocess.as_deref().map(read_preprocess).transpose()?;
    Ok(ImportRequest {
        source: args.source.clone(),
        arch: args.arch.clone(),
        head: args.head,
        rename: args.rename.clone(),
        card: args.spec.as_deref().map(read_card).transpose()?,
        num_classes: args.num_classes,
        classes,
        name: args.name.clone(),
        half: args.half,
        key: args.key.clone(),
        input: preprocess.as_ref().and_then(Preprocess::output_size),
        preprocess,
        adjust: args.pictures.request(),
        inputs: args.input.iter().map(|(name, path)| known(name, path)).collect::<Result<_>>()?,
        output_name: args.output_name.clone(),
        task: args.task,
        output: args.output,
        allow_unused: args.allow_unused,
        license: args.license.clone(),
        note: args.note.clone(),
    })
}

/// The line about the finished file.
fn summary(model: &Model, path: &Path, tensors: usize) -> Result<String> {
    let layer = match model.choose_layers(&LayerRequest::Auto).as_deref() {
        Ok([layer]) => format!("explained at layer {}", layer.name),
        Ok(layers) => {
            let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
            format!("explained at layers {}", names.join(", "))
        }
        Err(_) => "without a layer that has a map (methods on pixels explain it)".into(),
    };
    let (path, name, outputs) = (path.display(), model.name(), outputs(model));
    let size = text::size(model.file_size()?);
    Ok(format!("{path}: {name} with {outputs}, {tensors} tensors, {size}, {layer}"))
}

/// The value of an input that is the same for every picture.
fn known(name: &str, path: &Path) -> Result<KnownInput> {
    let Array { shape, values } = read_array(path)?;
    Ok(KnownInput { name: name.to_owned(), shape, values })
}

/// Writes the model and checks its outputs against the card with a few noise pictures.
fn save(args: &ImportArgs, imported: &mut Imported) -> Result<Model> {
    let tensors = std::mem::take(&mut imported.tensors);
    let model = Model::create(&args.out, &imported.card, tensors, args.force)?;
    let found = match check_output(&model) {
        Ok(found) => found,
        Err(error) => {
            // The file is complete and sound, so it stays.
            log::warn!("the network could not be tried: {}", failure::said(&error));
            return Ok(model);
        }
    };
    for contradiction in &found.contradictions {
        log::warn!("{}", contradiction.say(WORDS));
    }
    let Some(evident) = found.evident else { return Ok(model) };
    imported.assumptions.retain(|assumption| model.output().assumed.as_ref() != Some(assumption));
    let what =
        "the outputs are probabilities, because for noise pictures they are within 0 to 1 and add up to 1; ";
    let otherwise = Phrase::from(what).set(OptionName::Output, OutputKind::Logits.name());
    imported.assumptions.push(otherwise.text(" says otherwise"));
    // Only a network that runs can show it, so the card is written a second time.
    imported.card.output = Some(evident);
    Ok(model.with_card(&args.out, &imported.card)?)
}

/// `1000 classes`, `1 class`, `3 numbers`.
fn outputs(model: &Model) -> String {
    if let OutputForm::Vector { values } = model.output().form {
        return format!("embeddings of {values} numbers");
    }
    match (model.output().is_regression(), model.num_classes()) {
        (true, count) => text::counted(count, "number"),
        (false, 1) => "1 class".to_owned(),
        (false, count) => format!("{count} classes"),
    }
}

/// One class per line, where empty lines at the end are ignored, or JSON.
fn read_classes(path: &Path) -> Result<Vec<String>> {
    let text = read_text(path)?;
    match serde_json::from_str(&text) {
        Ok(json @ (Value::Array(_) | Value::Object(_))) => named(json).with_context(|| {
            let file = path.display();
            format!("classes '{file}': expected a list of names, or an object of indices from 0 and names")
        }),
        _ => Ok(text.trim_end().lines().map(|line| line.trim().to_owned()).collect()),
    }
}

/// The names in order, of a list, of indices and names as in Keras's `imagenet_class_index.json`, or of names and indices.
fn named(json: Value) -> Option<Vec<String>> {
    let name = |value: &Value| {
        // The last of several, as after WordNet's number of a class.
        let last = value.as_array().map_or(Some(value), |list| list.last());
        last.and_then(Value::as_str).map(|name| name.trim().to_owned())
    };
    let Value::Object(entries) = json else { return json.as_array()?.iter().map(name).collect() };
    let mut names = vec![None; entries.len()];
    for (key, value) in entries {
        let (index, name) = match value.as_u64() {
            Some(index) => (usize::try_from(index).ok()?, key),
            None => (key.parse().ok()?, name(&value)?),
        };
        if names.get_mut(index)?.replace(name).is_some() {
            return None;
        }
    }
    names.into_iter().collect()
}

fn read_preprocess(path: &Path) -> Result<Preprocess> {
    serde_json::from_str(&read_text(path)?).with_context(|| format!("preprocess file '{}'", path.display()))
}

/// A file written by hand, possibly not in UTF-8.
fn read_text(path: &Path) -> Result<String> {
    let bytes = memory::read_text(path, Part::SmallText)?;
    let text = decode::text(bytes).and_then(|bytes| Ok(String::from_utf8(bytes)?));
    text.with_context(|| format!("cannot read '{}' as text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_lines_or_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classes");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_classes(&path).map_err(|error| error.to_string())
        };
        for text in [
            "tench\n7\n\u{e4}gg\n\n",
            r#"["tench", "7", "\u00e4gg"]"#,
            r#"{"2": "\u00e4gg", "0": "tench", "1": "7"}"#,
            r#"{"0": ["n01440764", "tench"], "1": ["n1", "7"], "2": ["n2", "\u00e4gg"]}"#,
            r#"{"7": 1, "tench": 0, "\u00e4gg": 2}"#,
        ] {
            assert_eq!(read(text).unwrap(), ["tench", "7", "\u{e4}gg"], "{text}");
        }
        assert_eq!(read("[UNK]\nb").unwrap(), ["[UNK]", "b"]);
        assert_eq!(read("7").unwrap(), ["7"]);
        for text in [r#"{"0": "a", "2": "b"}"#, r#"{"a": 1, "b": 1}"#, r#"[["a"], 3]"#, r#"{"names": ["a"]}"#]
        {
            assert!(read(text).unwrap_err().contains("expected a list of names"), "{text}");
        }
    }
}
