//! What runs with `--dry-run` have in common: the inputs by number and size, the network, the time of a pass, and how all of it is printed.
//!
//! Receives what a run has prepared; gives facts, as text or JSON. Nothing is written.

use std::time::Instant;

use anyhow::Result;
use burncam::{Explainer, Method, Target};
use serde_json::{Map, Value, json};

use crate::contain::contained;
use crate::explain::task::Task;
use crate::text;

/// Facts about a run that did not start, each with its words, and its name and value in JSON.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    lines: Vec<(&'static str, String)>,
    values: Map<String, Value>,
}

/// The files of a run's inputs.
struct Inputs {
    images: usize,
    /// Standard input has no size.
    bytes: u64,
    /// Inputs that are missing, or known to be unusable.
    unreadable: usize,
}

impl Inputs {
    fn of(tasks: &[Task]) -> Self {
        let mut inputs = Self { images: tasks.len(), bytes: 0, unreadable: 0 };
        for Task { input, .. } in tasks {
            match std::fs::metadata(&input.path) {
                _ if input.problem.is_some() => inputs.unreadable += 1,
                Ok(file) => inputs.bytes += file.len(),
                Err(_) if input.is_stdin() => {}
                Err(_) => inputs.unreadable += 1,
            }
        }
        inputs
    }
}

impl Facts {
    /// Facts about what is read, and by what network.
    pub(crate) fn about(tasks: &[Task], explainer: &Explainer) -> Self {
        let mut facts = Self::default();
        let Inputs { images, bytes, unreadable } = Inputs::of(tasks);
        let missing = if unreadable > 0 { format!("; {unreadable} cannot be read") } else { String::new() };
        let labelled = tasks.iter().filter(|task| !task.labels.is_empty()).count();
        let labels = if labelled > 0 { format!("; {labelled} with labels") } else { String::new() };
        let words = format!("{}, {}{missing}{labels}", text::counted(images, "image"), text::size(bytes));
        facts.add(
            "reads",
            words,
            &[
                ("images", json!(images)),
                ("bytes", json!(bytes)),
                ("unreadable", json!(unreadable)),
                ("labelled", json!(labelled)),
            ],
        );
        let model = explainer.model();
        let words = format!("{} ({}), {}", model.name(), model.file_name(), model.output().task.name());
        facts.add(
            "model",
            words,
            &[("model", json!(model.name())), ("model_file", json!(model.file_name()))],
        );
        let request = explainer.request();
        let names: Vec<&str> = explainer.layers().iter().map(|layer| layer.name.as_str()).collect();
        if !names.is_empty() {
            facts.add("layer", names.join(", "), &[("layers", json!(names))]);
        }
        let methods: Vec<&str> = request.methods.iter().map(|method| method.info().name).collect();
        facts.add("method", methods.join(", "), &[("methods", json!(methods))]);
        let targets: Vec<String> = request.targets.iter().map(named).collect();
        facts.add("target", targets.join(", "), &[("targets", json!(targets))]);
        facts
    }

    /// Adds a fact.
    pub(crate) fn add(&mut self, name: &'static str, words: String, values: &[(&str, Value)]) {
        self.lines.push((name, words));
        self.values.extend(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }

    /// Adds how long one pass forward takes, measured once, and what the methods need of them.
    pub(crate) fn add_pass(&mut self, explainer: &Explainer, methods: &[Method], tasks: &[Task]) {
        let Some(seconds) = pass(explainer, tasks) else {
            self.add(
                "time",
                "not known: no image can be read".to_owned(),
                &[("seconds_per_pass", Value::Null)],
            );
            return;
        };
        let costs = methods.iter().map(|method| format!("{}: {}", method.info().name, method.info().cost));
        let words = format!(
            "about {} for a pass forward, measured once; {}",
            precise(seconds),
            costs.collect::<Vec<_>>().join("; ")
        );
        self.add("time", words, &[("seconds_per_pass", json!(rounded(seconds)))]);
    }

    /// Prints all facts.
    pub(crate) fn print(&self, as_json: bool) -> Result<()> {
        const INDENT: usize = 10;
        const WIDTH: usize = 80;
        if as_json {
            return text::json_line(&Value::Object(self.values.clone()).to_string());
        }
        text::line("dry run: nothing is written")?;
        for (name, words) in &self.lines {
            for (at, line) in text::wrapped(words, WIDTH - INDENT).iter().enumerate() {
                let name = if at == 0 { name } else { "" };
                text::line(&format!("{name:<INDENT$}{line}"))?;
            }
        }
        Ok(())
    }
}

/// A target as it is written on the command line.
fn named(target: &Target) -> String {
    match target {
        Target::Top(1) => "top".to_owned(),
        Target::Top(count) => format!("top{count}"),
        Target::Index(index) => index.to_string(),
        Target::Name(name) => name.clone(),
        Target::Label => "label".to_owned(),
        Target::Both => "both".to_owned(),
        Target::Box(number) => format!("box:{number}"),
        Target::All => "all".to_owned(),
        Target::AtLeast(least) => format!("p>={least}"),
        other => format!("{other:?}"),
    }
}

/// Seconds of one pass forward for the first image that can be read.
fn pass(explainer: &Explainer, tasks: &[Task]) -> Option<f64> {
    let subject = tasks.iter().find_map(|task| contained(|| task.load(explainer)).ok())?;
    let pass = || contained(|| Ok(explainer.predict(&subject)?)).ok();
    // The first one packs weights, which later ones do not.
    pass()?;
    let begun = Instant::now();
    pass()?;
    Some(begun.elapsed().as_secs_f64())
}

/// `0.031 s`, `0.31 s`, or as [`text::duration`] has it.
pub(crate) fn precise(seconds: f64) -> String {
    match seconds {
        0.95.. => text::duration(seconds),
        0.095.. => format!("{seconds:.2} s"),
        _ => format!("{seconds:.3} s"),
    }
}

/// For JSON: a measurement has no more than three digits.
pub(crate) fn rounded(seconds: f64) -> f64 {
    format!("{seconds:.2e}").parse().unwrap_or(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_time_is_not_rounded_to_nothing() {
        assert_eq!([0.000_012_345, 0.123_45, 1234.5].map(rounded), [0.000_012_3, 0.123, 1230.0]);
    }

    #[test]
    fn targets_are_called_as_they_are_written() {
        for text in ["top", "top3", "281", "tabby cat", "label", "both", "box:2", "all", "p>=0.5"] {
            assert_eq!(named(&text.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_short_time_has_two_digits() {
        assert_eq!([0.0312, 0.312, 3.12].map(precise), ["0.031 s", "0.31 s", "3.1 s"]);
    }
}
