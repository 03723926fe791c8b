//! Why a map is blank, in sentences.

use super::{Explainer, Over, Subject};
use crate::cam::Finding;
use crate::error::{OptionName, Phrase, Result};

impl Explainer {
    /// Why a class that was asked for is not explained.
    pub(super) fn is_compared_with_itself(&self) -> String {
        let class = self.rival_name().unwrap_or_default();
        format!("{class}: left out, because the others are compared with it")
    }

    /// The class that explained ones are compared with.
    pub(super) fn rival_name(&self) -> Option<String> {
        self.score.rival().map(|rival| self.model.class_name(rival))
    }

    /// Why a class of a segmentation without pixels has no map.
    pub(super) fn sums_nothing(&self) -> String {
        let what = match self.request.over {
            Over::Wins => Phrase::filled(
                "the class wins at no pixel of the picture, so there is nothing to sum ({} sums all)",
                [OptionName::Over.set("everywhere")],
            ),
            _ => Phrase::from("the mask has no pixel that the network sees"),
        };
        what.say(self.request.wording)
    }

    /// A finding as a sentence; for a map that is not finite, with the first such layer.
    pub(super) fn describe(&self, finding: Finding, uses_layer: bool, subject: &Subject) -> Result<String> {
        let wording = self.request.wording;
        if finding == Finding::AllNegative && self.request.options.counterfactual {
            let drop = [OptionName::Counterfactual.drop()];
            return Ok(Phrase::filled("nothing here speaks against the class (drop {})", drop).say(wording));
        }
        if finding != Finding::NotFinite {
            return Ok(finding.message(uses_layer).say(wording));
        }
        // Another pass, but only where something is wrong already.
        let layer = self.network.first_not_finite(subject.values.clone())?;
        let where_from = match layer {
            Some(position) => {
                format!("NaN or infinity first seen at layer '{}'", self.model.graph().nodes[position].name)
            }
            None => "its gradient overflows".to_owned(),
        };
        Ok(format!("{}: {where_from}", finding.message(uses_layer)))
    }
}
