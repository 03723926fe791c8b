//! `burncam methods`: the table of all methods, or everything about some of them. Receives methods; prints.

use anyhow::Result;
use burncam::{Library, Method, Reads};
use serde_json::json;

use crate::args::MethodsArgs;
use crate::outcome::Outcome;
use crate::text;

/// Widths of the table's columns, which fit a terminal of 80 characters.
const COLUMNS: [(&str, usize); 3] = [("", 19), ("what it shows", 33), ("cost", 24)];

/// Prints the methods that are named, or a table of all.
pub(crate) fn run(args: &MethodsArgs) -> Result<Outcome> {
    let named = if args.methods.is_empty() { Method::ALL } else { &args.methods[..] };
    if args.format.json {
        named.iter().try_for_each(|method| text::json_line(&line(*method).to_string()))?;
    } else if args.methods.is_empty() {
        table()?;
    } else {
        for (at, method) in named.iter().enumerate() {
            if at > 0 {
                text::line("")?;
            }
            facts(*method)
                .into_iter()
                .try_for_each(|(name, value)| text::line(&format!("{name:<11}{value}")))?;
        }
    }
    Ok(Outcome::Done)
}

fn table() -> Result<()> {
    let groups = ["at a layer", "of attention", "on pixels"];
    for (at, group) in groups.into_iter().enumerate() {
        let methods = Method::ALL.iter().map(|method| method.info());
        let methods = methods.filter(|info| place(info.uses_layer, info.uses_attention) == group);
        let rows: Vec<_> = methods.map(|info| [info.name, info.summary, info.cost]).collect();
        if at > 0 {
            text::line("")?;
        }
        let columns = COLUMNS.map(|(name, width)| (if name.is_empty() { group } else { name }, width));
        text::lines(&text::wrapped_table(columns, &rows))?;
    }
    text::line("")?;
    text::line("`burncam methods NAME` has formula, paper, options and libraries of one")
}

fn place(uses_layer: bool, uses_attention: bool) -> &'static str {
    match (uses_layer, uses_attention) {
        (true, _) => "at a layer",
        (false, true) => "of attention",
        (false, false) => "on pixels",
    }
}

fn reads(method: Method) -> Vec<&'static str> {
    Reads::ALL.iter().filter(|option| method.reads(**option)).map(|option| option.name()).collect()
}

fn libraries(method: Method) -> Vec<&'static str> {
    Library::ALL.iter().filter(|library| library.has(method)).map(|library| library.name()).collect()
}

fn line(method: Method) -> serde_json::Value {
    let info = method.info();
    json!({
        "name": info.name, "title": info.title, "also": info.also, "summary": info.summary, "formula": info.formula,
        "paper": info.paper, "cost": info.cost, "uses_class": info.uses_class, "uses_layer": info.uses_layer,
        "uses_attention": info.uses_attention, "has_sign": info.has_sign,
        "has_terms": info.has_terms, "reads": reads(method), "libraries": libraries(method),
    })
}

/// Everything about a method, by name; what it has nothing of is left out.
fn facts(method: Method) -> Vec<(&'static str, String)> {
    let info = method.info();
    let class = if info.uses_class { "" } else { "; the same for every class" };
    let flags: Vec<String> =
        reads(method).into_iter().map(|name| format!("--{}", name.replace('_', "-"))).collect();
    let facts = [
        (info.name, info.title.to_owned()),
        ("  shows", info.summary.to_owned()),
        ("  works", format!("{}{class}", place(info.uses_layer, info.uses_attention))),
        ("  formula", info.formula.to_owned()),
        ("  cost", info.cost.to_owned()),
        ("  paper", info.paper.to_owned()),
        ("  options", flags.join(" ")),
        ("  compat", libraries(method).join(" ")),
        ("  also", info.also.join(" ")),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
