//! The conductor: from a subject to its explanation, one line per room.
//!
//! Receives a [`Model`], [`Request`] and [`Subject`]s; returns [`Explanation`]s, from which
//! [`Explanation::canvas`] makes pictures and [`Explainer::record`] the record. Writing files is left to
//! [`crate::output`].

mod against;
mod answer;
mod artifacts;
mod canvas;
mod detection;
mod explanation;
mod figure;
mod findings;
mod fixed;
mod layers;
mod maps;
mod mask_file;
mod networks;
mod over;
mod predictor;
mod probability;
mod reading;
mod records;
mod request;
mod request_record;
mod scoring;
mod subject;
mod target;

use std::path::Path;

pub(crate) use artifacts::Drawing;
pub use artifacts::{ArtifactKind, Style};
pub use canvas::Canvas;
pub use explanation::{ClassExplanation, Explanation};
pub(crate) use explanation::{Scored, TrueClass};
pub(crate) use figure::{CROP_EDGE, at_layers};
pub(crate) use fixed::FixedTargets;
pub use over::Over;
pub use predictor::Predictor;
use predictor::answered;
pub use reading::Reading;
pub(crate) use records::Illustration;
pub use request::{Request, Scale};
pub use request_record::BURN_VERSION;
pub use subject::Subject;
pub use target::Target;

use crate::cam::{ClassMap, Finish, Method, Scene};
use crate::card::Task;
use crate::engine::{Network, Score};
use crate::error::{Error, Result};
use crate::input::{read_file, sha256_hex};
use crate::model::Model;
use crate::record::Prediction;
use answer::{Answer, Given};
use layers::Layers;
use networks::Networks;

/// A model with its weights loaded, ready to explain one image after another.
///
/// ```
/// use burncam::{Explainer, Model, Request};
///
/// # fn main() -> burncam::Result<()> {
/// # #[cfg(feature = "embedded-model")] {
/// let explainer = Explainer::new(Model::embedded()?, Request::default())?;
/// let explanations = explainer.explain(&explainer.read("fixtures/images/coffee.png")?)?;
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Explainer {
    model: Model,
    network: Network,
    /// A second network for methods that want every batch norm by itself, where others are asked for, too.
    unfolded: Option<Network>,
    /// A network for methods that multiply the maps of several layers, where others explain one.
    refined: Option<Network>,
    layers: Layers,
    request: Request,
    /// As requested, with what is usual for the network's task where nothing was.
    finish: Finish,
    /// The scale of each method's maps.
    scales: Vec<Scale>,
    /// Whether the scales come from several pictures.
    is_shared: bool,
    /// SHA-256 of the picture on which tensors are drawn.
    drawn_on_sha256: Option<String>,
    /// The requested or default score, adapted to the network's outputs.
    score: Score,
    /// What the task needs besides the picture.
    given: Given,
}

impl Explainer {
    /// Chooses the layers, checks the targets and loads the weights.
    ///
    /// # Errors
    /// When a layer or a class is not the model's, the score is not one of its outputs, the request contradicts itself, or the
    /// weights cannot be read.
    pub fn new(model: Model, request: Request) -> Result<Self> {
        // Before the model is asked anything: a contradiction in the request is the cheapest to find.
        request.check()?;
        let rival = against::class(&request, &model)?;
        let score = request.score_for(model.output(), rival)?;
        request.targets.iter().try_for_each(|target| target.check(&model))?;
        answer::check(&model, &request)?;
        let layers = Layers::of(&model, &request)?;
        let Networks { network, unfolded, refined } = networks::load(&model, &request, &layers)?;
        for method in &request.methods {
            let own = refined.as_ref().filter(|_| layers::multiplies(*method));
            method.check_network(own.unwrap_or(&network), &request.options)?;
        }
        let drawn_on = request.reading.drawn_on.as_deref().map(read_file).transpose()?;
        // The hash and not the path: `--resume` must notice another picture of the same name.
        let drawn_on_sha256 = drawn_on.map(|bytes| sha256_hex(&bytes));
        let scales = vec![request.scale; request.methods.len()];
        let given = Given::gathered(&model, &network, &request, rival)?;
        let are_scales = layers.are_scales || model.output().task == Task::Detection;
        let (finish, is_shared) = (request.finish.or_usual(are_scales), false);
        Ok(Self {
            model,
            network,
            unfolded,
            refined,
            layers,
            request,
            finish,
            scales,
            is_shared,
            drawn_on_sha256,
            score,
            given,
        })
    }

    /// The same explainer with a scale for each method that several pictures share: `magnitudes` has, for each method of the
    /// request, the greatest [`Explanation::magnitude`] over all of them. Where that is zero every map is blank, and there is nothing
    /// to divide.
    #[must_use]
    pub fn sharing(self, magnitudes: &[f32]) -> Self {
        let scale = |magnitude: &f32| if *magnitude > 0.0 { Scale::Fixed(*magnitude) } else { Scale::Own };
        Self { scales: magnitudes.iter().map(scale).collect(), is_shared: true, ..self }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// SHA-256 of the model file, lower-case hexadecimal. Where records have it, it is computed during the first passes; otherwise
    /// when it is first asked for.
    ///
    /// # Errors
    /// When the file could not be read to its end.
    pub fn model_sha256(&self) -> Result<&str> {
        self.network.sha256()
    }

    /// Reads a photo or a `.npy` tensor as [`Request::reading`] says.
    ///
    /// # Errors
    /// As [`Subject::open`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Subject> {
        Subject::open(path.as_ref(), &self.request.reading, &self.model)
    }

    /// Explains every target of a subject by every method, from one pass through the trunk: one explanation per
    /// method.
    ///
    /// # Errors
    /// When the logits are not finite, or a method does not fit the network.
    pub fn explain(&self, subject: &Subject) -> Result<Vec<Explanation>> {
        let found = self.explain_all(&[subject])?.pop();
        found.ok_or_else(|| Error::internal("a subject has no explanations"))?
    }

    /// As [`Explainer::explain`] for several subjects, which share a pass through the trunk with the same results as
    /// alone.
    ///
    /// # Errors
    /// When a subject is not of the network's size. Errors of a single subject are in its result.
    pub fn explain_all(&self, subjects: &[&Subject]) -> Result<Vec<Result<Vec<Explanation>>>> {
        let scored = self.explain_for_scores(subjects)?.into_iter();
        Ok(scored.map(|one| Ok(one?.explanations)).collect())
    }

    fn explain_scene(&self, scene: Scene, subject: &Subject) -> Result<Scored> {
        let outputs = scene.output().len();
        let answer = answered(&self.model, &self.network, scene.output(), (subject, &self.given))?;
        let mut wanted = self.wanted(&answer, &subject.labels)?;
        let left_out = match self.score.rival() {
            Some(rival) => against::without(rival, &mut wanted, (&self.model, &answer))?,
            None => false,
        };
        let found = self.class_maps(scene.reduced(&answer.reduction)?, &self.request.methods, &wanted)?;
        let explanation = |(method, found): (&Method, Vec<(f64, ClassMap)>)| {
            let mut explanation = self.empty(*method);
            if left_out {
                explanation.warnings.push(self.is_compared_with_itself());
            }
            for (class, found) in wanted.iter().zip(found) {
                let target = self.explain_class(*method, &answer, *class, found, subject)?;
                if let Some(finding) = &target.finding {
                    explanation.warnings.push(format!("{}: {finding}", target.class.class_name));
                }
                explanation.targets.push(target);
            }
            explanation.detections = answer.boxes.iter().map(|(_, found)| found.clone()).collect();
            explanation.predictions = answer.ranked.iter().take(self.request.top_k).cloned().collect();
            let is_ranked = self.model.output().is_ranked();
            explanation.true_class = answer.true_class(&subject.labels).filter(|_| is_ranked);
            Ok(explanation)
        };
        let explanations = self.request.methods.iter().zip(found).map(explanation).collect::<Result<_>>()?;
        Ok(Scored { explanations, reduction: answer.reduction, outputs })
    }

    /// An explanation by a method before any class is explained.
    pub(crate) fn empty(&self, method: Method) -> Explanation {
        let library = self.request.options.library;
        let at = self.request.methods.iter().position(|own| *own == method);
        let scale = at.and_then(|at| self.scales.get(at)).copied().unwrap_or_default();
        let layers = self.layers_of(method).iter().map(|layer| self.layer_title(layer)).collect();
        let (targets, predictions, detections, warnings) = (vec![], vec![], vec![], vec![]);
        let true_class = None;
        Explanation { method, layers, targets, predictions, true_class, detections, warnings, scale, library }
    }

    fn explain_class(
        &self,
        method: Method,
        answer: &Answer,
        index: usize,
        (score, found): (f64, ClassMap),
        subject: &Subject,
    ) -> Result<ClassExplanation> {
        let (class, rank, box_number) = self.target_at(answer, index)?;
        let uses_layer = method.info().uses_layer;
        let pixels = answer.masks.as_ref().map(|masks| masks.pixels(index));
        let finding = match found.finding {
            Some(_) if pixels == Some(0) => Some(self.sums_nothing()),
            finding => finding.map(|finding| self.describe(finding, uses_layer, subject)).transpose()?,
        };
        let mask = answer.masks.as_ref().and_then(|masks| masks.of_class(index));
        let ClassMap { map, raw, .. } = found;
        Ok(ClassExplanation { class, score, rank, map, raw, finding, box_number, mask, pixels })
    }

    /// A target by its index among the numbers that the output is reduced to: the class, its rank, and the number of a box.
    fn target_at(&self, answer: &Answer, index: usize) -> Result<(Prediction, Option<usize>, Option<usize>)> {
        if let Some(at) = index.checked_sub(self.model.num_classes()) {
            let (found, _) = answer.boxes.get(at).ok_or_else(|| Error::internal("a box is gone"))?;
            return Ok((found.clone(), None, Some(at + 1)));
        }
        let at = answer.ranked.iter().position(|candidate| candidate.target == index);
        let at = at.ok_or_else(|| Error::internal("a class has no rank"))?;
        Ok((answer.ranked[at].clone(), self.model.output().is_ranked().then_some(at + 1), None))
    }

    /// The classes to explain, without duplicates, in the order requested.
    fn wanted(&self, answer: &Answer, labels: &[usize]) -> Result<Vec<usize>> {
        let mut wanted = Vec::new();
        for target in &self.request.targets {
            let found = match target {
                Target::Box(number) => vec![self.model.num_classes() + answer.box_at(*number)?],
                target => target.resolve(&self.model, &answer.ranked, labels)?,
            };
            for class in found {
                // `top2` and `label` may name one class; it is explained once.
                if !wanted.contains(&class) {
                    wanted.push(class);
                }
            }
        }
        Ok(wanted)
    }
}
