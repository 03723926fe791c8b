//! The sheet of `--grid`.

use anyhow::Result;
use burncam::explain::{Explainer, Explanation, Style, Subject};

/// One picture of all methods and classes of an input.
pub(crate) fn png(
    explainer: &Explainer,
    subject: &Subject,
    explanations: &[Explanation],
    style: &Style,
) -> Result<Vec<u8>> {
    let _ = (explainer, subject, explanations, style);
    anyhow::bail!("not yet")
}
