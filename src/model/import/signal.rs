//! Networks on signals: how their input is prepared, whichever format they come in.

use super::preprocess::PreprocessRequest;
use super::request::ImportRequest;
use super::state_dict::file_name;
use crate::card::{ColorOrder, InputSpec, Preprocess, Resize};
use crate::error::{Phrase, Problem, Result};

/// Signals come as they are.
const SIGNALS: Preprocess = Preprocess {
    resize: Resize::None {},
    crop: None,
    color: ColorOrder::Gray,
    scale: 1.0,
    mean: vec![],
    std: vec![],
};

/// The preparation of signals, and what is said of it.
///
/// # Errors
/// When the caller says how pictures are prepared.
pub(super) fn as_they_are(
    request: &ImportRequest,
    input: &InputSpec,
    assumptions: &mut Vec<Phrase>,
) -> Result<Preprocess> {
    let InputSpec { channels, width, .. } = input;
    let asked = PreprocessRequest { crop: None, ..request.adjust.clone() };
    if request.preprocess.is_some() || !asked.is_empty() {
        let problem = Problem::new(
            "takes signals, which are used as they are, but the preparation of pictures was asked for",
        );
        return Err(problem
            .hint("leave it out, and save signals as the network takes them")
            .of_model(file_name(&request.source)));
    }
    let channels = if *channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") };
    let said = format!(
        "the input is a signal of {channels} and {width} samples: it comes as .npy, and is used as it is"
    );
    assumptions.push(said.into());
    Ok(SIGNALS)
}
