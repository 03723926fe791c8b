//! The result of one image: its records, its files, and the line that reports it.

use std::path::PathBuf;

use burncam::Method;
use burncam::record::{LabelRecord, LayerRecord, PredictionRecord, Record};
use burncam_metrics::localisation::Bounds;
use burncam_picture::render::SheetRow;

use crate::report::small::Small;

/// One input, explained by every method.
#[derive(Default)]
pub(crate) struct Explained {
    /// One per method.
    pub(crate) records: Vec<Record>,
    /// The directory of its files; `None` with `--out -`.
    pub(crate) directory: Option<PathBuf>,
    /// Files written.
    pub(crate) files: Vec<PathBuf>,
    /// Whether an earlier run had written everything.
    pub(crate) kept: bool,
    /// The boxes of its objects, as far as they are known.
    pub(crate) objects: Vec<(LabelRecord, Bounds)>,
    /// Small pictures for the report, one entry per record, where it embeds them and they were made with the files.
    pub(crate) small: Vec<Small>,
    /// The row on the sheet of all images, where there is one.
    pub(crate) row: Option<SheetRow>,
    /// Bytes for standard output, with `--out -`.
    pub(crate) picture: Option<Vec<u8>>,
    /// Of an image that meets no condition: what was predicted. Then there are no records.
    pub(crate) prediction: Option<PredictionRecord>,
}

impl Explained {
    /// An image that was predicted only.
    pub(crate) fn predicted(prediction: PredictionRecord) -> Self {
        Self { prediction: Some(prediction), ..Self::default() }
    }

    /// The input, as the caller named it.
    pub(crate) fn path(&self) -> &str {
        self.records.first().map_or("", |record| &record.input.path)
    }

    /// `coffee.png: espresso 95.1 % at layer _relu1 (7x7) -> out/coffee.gradcam.png, out/coffee.gradcam.json`.
    pub(crate) fn sentence(&self) -> String {
        let Some(first) = self.records.first() else { return String::new() };
        let classes: Vec<String> = first
            .targets
            .iter()
            .enumerate()
            .map(|(at, target)| {
                let rank = target.rank.filter(|rank| *rank > 1);
                let rank = rank.map_or_else(String::new, |rank| format!(" (rank {rank})"));
                let name = target.title();
                format!("{name} {}{rank}{}", target.shown(), self.blanks(at))
            })
            .collect();
        let place = self.place();
        let methods =
            if self.records.len() > 1 { format!(", {} methods", self.records.len()) } else { String::new() };
        format!("{}: {}{place}{methods}{}", first.input.path, classes.join(", "), self.files_in_words())
    }

    /// The layers of the first method that has any.
    fn place(&self) -> String {
        let Some(record) = self.records.iter().find(|record| !record.layers.is_empty()) else {
            return String::new();
        };
        let layer = |layer: &LayerRecord| format!("{} ({}x{})", layer.name, layer.height, layer.width);
        let method = record.settings.method.parse::<Method>();
        match &record.layers[..] {
            // All blocks, whose names say nothing; the record has them.
            [first, ..] if method.is_ok_and(|method| method.info().uses_attention) => {
                format!(
                    " in the attention of {} blocks ({}x{})",
                    record.layers.len(),
                    first.height,
                    first.width
                )
            }
            [one] => format!(" at layer {}", layer(one)),
            several => {
                let names: Vec<String> = several.iter().map(layer).collect();
                format!(" at layers {}", names.join(", "))
            }
        }
    }

    /// The methods with a blank map for a target.
    fn blanks(&self, target: usize) -> String {
        let blank = |record: &&Record| record.targets[target].finding.is_some();
        let names: Vec<&str> =
            self.records.iter().filter(blank).map(|record| record.settings.method.as_str()).collect();
        match names[..] {
            [] => String::new(),
            _ if self.records.len() == 1 => ", blank map".to_owned(),
            _ => format!(", blank map of {}", names.join(" and ")),
        }
    }

    /// ` -> a.png, a.json`, or their number when they would not fit on a line.
    fn files_in_words(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|path| path.display().to_string()).collect();
        match (&names[..], self.files.last().and_then(|path| path.parent())) {
            ([], _) => String::new(),
            ([_, _, _, ..], Some(directory)) if !directory.as_os_str().is_empty() => {
                format!(" -> {} files in {}", names.len(), directory.display())
            }
            _ => format!(" -> {}", names.join(", ")),
        }
    }
}
