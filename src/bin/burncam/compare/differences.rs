//! Which settings of two runs differ, found from one record of each.

use std::collections::BTreeMap;

use burncam::record::{Record, SettingDifference};
use serde_json::{Value, json};

/// Settings that affect no map, or that a reader knows from elsewhere.
const LEFT_OUT: &[&str] = &[
    "settings.request.save",
    "settings.request.grid",
    "settings.request.png_level",
    "settings.request.format",
    "settings.request.quality",
];

/// The differences between the records' models, layers and settings.
pub(super) fn differences(first: &Record, second: &Record) -> Vec<SettingDifference> {
    let (first, second) = (settings(first), settings(second));
    let names = first.keys().chain(second.keys()).collect::<std::collections::BTreeSet<_>>();
    let of =
        |settings: &BTreeMap<String, Value>, name: &str| settings.get(name).cloned().unwrap_or(Value::Null);
    let pair = |name: &String| SettingDifference {
        name: name.clone(),
        first: of(&first, name),
        second: of(&second, name),
    };
    let all = names.into_iter().map(pair).filter(|found| found.first != found.second);
    all.filter(|found| !LEFT_OUT.contains(&found.name.as_str()) && !found.name.starts_with("settings.style"))
        .collect()
}

/// Names and values, with the names of what they are in before them.
fn settings(record: &Record) -> BTreeMap<String, Value> {
    let layers: Vec<&str> = record.layers.iter().map(|layer| layer.name.as_str()).collect();
    let all = json!({
        "model": { "name": record.model.name, "sha256": record.model.sha256, "card_sha256": record.model.card_sha256 },
        "layers": layers,
        "network_input": {
            "height": record.network_input.height,
            "width": record.network_input.width,
            "preprocess": record.network_input.preprocess,
        },
        "settings": record.settings,
    });
    let mut found = BTreeMap::new();
    flatten("", &all, &mut found);
    found
}

fn flatten(name: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(&name, value, found);
            }
        }
        value => drop(found.insert(name.to_owned(), value.clone())),
    }
}
