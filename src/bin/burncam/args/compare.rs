//! Arguments of `burncam compare`; `compare`, next to this folder, runs it.

use std::path::PathBuf;

use burncam_graph::error::Problem;
use clap::Args;

use super::FormatArgs;
use super::values::expected;

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Output directory of a run of `burncam explain`, with its records, or the list that its --jsonl wrote.
    #[arg(value_name = "RUN")]
    pub(crate) first: PathBuf,

    /// Another run over the same pictures: another model, or other settings.
    #[arg(value_name = "RUN")]
    pub(crate) second: PathBuf,

    /// Directory for comparison.json and comparison.html, a page with both overlays side by side [default: print only].
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Fail, with exit code 1, when the second run is worse by more: accuracy=0.01 (of the pictures with labels), agreement=0.05
    /// (of the most probable class), similarity=0.2 (1 minus the mean Spearman correlation of maps), pictures=0 (share of the
    /// first run's pictures that are gone). Several are separated by commas.
    #[arg(long, value_name = "WHAT=DROP", value_delimiter = ',', value_parser = parse_limit)]
    pub(crate) max_drop: Vec<(Drop, f64)>,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    /// Replace existing files.
    #[arg(short, long, requires = "out")]
    pub(crate) force: bool,
}

/// What may not get worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drop {
    Accuracy,
    Agreement,
    Similarity,
    Pictures,
}

impl Drop {
    const ALL: [Self; 4] = [Self::Accuracy, Self::Agreement, Self::Similarity, Self::Pictures];

    /// Its name in `--max-drop` and in `comparison.json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Agreement => "agreement",
            Self::Similarity => "similarity",
            Self::Pictures => "pictures",
        }
    }
}

fn parse_limit(text: &str) -> Result<(Drop, f64), Problem> {
    let parsed = text.split_once('=').and_then(|(name, number)| {
        let what = Drop::ALL.into_iter().find(|drop| drop.name() == name)?;
        let most = number.parse().ok().filter(|most| (0.0..=2.0).contains(most))?;
        Some((what, most))
    });
    parsed.ok_or_else(|| {
        expected(
            "accuracy, agreement, similarity or pictures, and a drop from 0 to 2, such as accuracy=0.01",
            text,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_name_and_a_number() {
        assert_eq!(parse_limit("accuracy=0.01").unwrap(), (Drop::Accuracy, 0.01));
        assert_eq!(parse_limit("pictures=0").unwrap(), (Drop::Pictures, 0.0));
        assert!(
            ["accuracy", "accuracy=", "accuracy=-1", "accuracy=nan", "speed=1"]
                .iter()
                .all(|text| parse_limit(text).is_err())
        );
    }
}
