//! Why a map is blank, and what is to be said of layers, in sentences.

use super::{Explainer, Over, Subject};
use crate::cam::Finding;
use crate::error::{OptionName, Phrase, Result};
use crate::model::{Choice, Coarse};
use crate::record::Prediction;

impl Explainer {
    /// What holds for every image, besides the model's own warnings: of the layers, for methods that use them.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.layers().iter().flat_map(|layer| self.of_branches(layer)).chain(self.of_coarse_grids()).collect()
    }

    /// Why a class that was asked for is not explained.
    pub(super) fn is_compared_with_itself(&self) -> String {
        let class = self.rival_name().unwrap_or_default();
        format!("{class}: left out, because the others are compared with it")
    }

    /// What people call that class.
    pub(crate) fn rival_title(&self) -> Option<String> {
        let name = |rival| Prediction::new(rival, self.model.class_name(rival)).title(None);
        self.score.rival().map(name)
    }

    /// What is to be said where all grids have few cells.
    fn of_coarse_grids(&self) -> Option<String> {
        let coarse: Option<Vec<&Coarse>> = self.layers().iter().map(|layer| layer.coarse.as_ref()).collect();
        let finest = coarse?.into_iter().max_by_key(|grid| grid.height * grid.width)?;
        let Coarse { height, width, finer } = finest;
        let what = format!("the map has {height}x{width} cells, too few to say where");
        let Some((name, [height, width])) = finer else { return Some(what) };
        let hint = Phrase::from(what).text(" (").set(OptionName::Layer, name);
        Some(hint.text(format!(" has {height}x{width})")).say(self.request.wording))
    }

    /// That the scores read more than one branch, and the map shows one.
    fn of_branches(&self, layer: &Choice) -> Option<String> {
        let [first, ..] = &layer.branches[..] else { return None };
        let (name, others) = (&layer.name, layer.branches.join("', '"));
        let what = format!(
            "the scores read several branches, and the map is of '{name}' alone; others end at '{others}'"
        );
        let hint = Phrase::from(what).text(" (").set(OptionName::Layer, format!("{name},{first}"));
        Some(hint.text(" joins them)").say(self.request.wording))
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
