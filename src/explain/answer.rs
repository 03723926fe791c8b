//! What a network's output says about a picture, for its task: the targets with what is shown of them, and how the output
//! becomes the score of each.
//!
//! This is the only file that knows tasks. Methods, metrics and records see a target as one number with a name.

use std::path::Path;
use std::sync::Arc;

use super::detection::{self, Detection};
use super::mask_file::MaskFile;
use super::request::useless;
use super::{ArtifactKind, Over, Request, Subject, TrueClass, probability};
use crate::card::{OutputKind, Task};
use crate::engine::{Greatest, Network, Reduction};
use crate::error::{Error, OptionName, Phrase, Problem, Result};
use crate::heatmap::Heatmap;
use crate::model::{Anchors, Model, OutputForm};
use crate::record::{DetectionRecord, Prediction};

/// What the caller gave besides the picture.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) over: Over,
    pub(super) mask: Option<MaskFile>,
    /// The embedding that others are compared with, and its file.
    pub(super) like: Option<Like>,
    /// The class that those of a segmentation or a detector are compared with.
    pub(super) rival: Option<usize>,
}

/// An embedding to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Like {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) values: Arc<Vec<f32>>,
}

/// The targets of one picture.
#[derive(Debug)]
pub(super) struct Answer {
    /// One number per target, in the order of their indices.
    pub(super) reduction: Reduction,
    /// All targets, those that are shown first at the front.
    pub(super) ranked: Vec<Prediction>,
    /// For each class of a segmentation the pixels that its score is summed over.
    pub(super) masks: Option<Masks>,
    /// A detector's boxes, the surest first: targets after the classes.
    pub(super) boxes: Vec<(Prediction, DetectionRecord)>,
}

impl Answer {
    /// The class that a target is, or that a box is of.
    pub(super) fn class_of(&self, target: usize) -> usize {
        let of_box = target.checked_sub(self.ranked.len()).and_then(|at| self.boxes.get(at));
        of_box.map_or(target, |(found, _)| found.target)
    }

    /// Where the true class stands among all; of several the most probable.
    pub(super) fn true_class(&self, labels: &[usize]) -> Option<TrueClass> {
        let at = self.ranked.iter().position(|class| labels.contains(&class.target))?;
        Some(TrueClass { rank: at + 1, proba: self.ranked[at].proba })
    }

    /// Index of a box by its number from 1.
    ///
    /// # Errors
    /// When fewer were found.
    pub(super) fn box_at(&self, number: usize) -> Result<usize> {
        let at = number.checked_sub(1).filter(|at| *at < self.boxes.len());
        at.ok_or_else(|| {
            let problem = Problem::new(format!("box {number} is to be explained"));
            let found = format!("{} boxes in the image", self.boxes.len());
            problem.found(found).hint("name a class, or a lower number").into()
        })
    }
}

/// Pixels of a segmentation.
#[derive(Debug)]
pub(super) struct Masks {
    size: [usize; 2],
    /// The class that wins at each pixel; the number of classes where none does.
    winners: Vec<usize>,
    /// Number of pixels at which each class wins.
    won: Vec<usize>,
    /// The mask for all classes, where it is not the class's own.
    common: Option<Vec<bool>>,
}

impl Masks {
    fn new(size: [usize; 2], winners: Vec<usize>, classes: usize, common: Option<Vec<bool>>) -> Self {
        let mut won = vec![0; classes];
        for winner in winners.iter().filter(|winner| **winner < classes) {
            won[*winner] += 1;
        }
        Self { size, winners, won, common }
    }

    /// Where a class wins, `[height, width]` of the output, 1 or 0.
    pub(super) fn of_class(&self, class: usize) -> Option<Heatmap> {
        let [height, width] = self.size;
        let won = self.winners.iter().map(|winner| if *winner == class { 1.0 } else { 0.0 });
        Heatmap::new(height, width, won.collect())
    }

    /// Number of the output's pixels that a class's score is summed over.
    pub(super) fn pixels(&self, class: usize) -> usize {
        match &self.common {
            Some(mask) => mask.iter().filter(|inside| **inside).count(),
            None => self.won[class],
        }
    }

    fn share(&self, class: usize) -> f64 {
        self.won[class] as f64 / self.winners.len().max(1) as f64
    }

    /// `[classes, height, width]`, 1 or 0.
    fn weights(&self) -> Vec<f32> {
        let (classes, pixels) = (self.won.len(), self.winners.len());
        if let Some(mask) = &self.common {
            return mask
                .iter()
                .map(|inside| f32::from(u8::from(*inside)))
                .collect::<Vec<_>>()
                .repeat(classes);
        }
        let mut weights = vec![0.0; classes * pixels];
        for (pixel, winner) in self.winners.iter().enumerate().filter(|(_, winner)| **winner < classes) {
            weights[winner * pixels + pixel] = 1.0;
        }
        weights
    }
}

/// Reads the output of one picture, all of whose numbers are finite.
///
/// # Errors
/// When the caller gave something that does not fit the picture, or nothing to compare an embedding with.
pub(super) fn read(model: &Model, output: &[f32], subject: &Subject, given: &Given) -> Result<Answer> {
    match model.output().form {
        OutputForm::Pixels { height, width } => segmentation(model, output, subject, given, [height, width]),
        OutputForm::Vector { .. } => embedding(output, given),
        OutputForm::Anchors(form) => Ok(detection(model, output, subject, (&form, given.rival))),
        _ => {
            let ranked =
                probability::ranked(output, model.output().activation, |index| model.class_name(index));
            Ok(Answer { reduction: Reduction::Values, ranked, masks: None, boxes: vec![] })
        }
    }
}

fn segmentation(
    model: &Model,
    output: &[f32],
    subject: &Subject,
    given: &Given,
    size: [usize; 2],
) -> Result<Answer> {
    let classes = model.num_classes();
    let pixels = size[0] * size[1];
    // A single class has no rival: its logit is above zero, or its probability above one half.
    let least = match model.output().gives {
        OutputKind::Probabilities => 0.5,
        _ => 0.0,
    };
    let value = |class: usize, pixel: usize| output[class * pixels + pixel];
    let winner = |pixel: usize| match classes {
        1 if value(0, pixel) <= least => 1,
        // Of equal values the lower class wins, as with ranks.
        _ => (0..classes).fold(0, |best, at| if value(at, pixel) > value(best, pixel) { at } else { best }),
    };
    let common = given.over.mask(given.mask.as_ref(), subject, size)?;
    let masks = Masks::new(size, (0..pixels).map(winner).collect(), classes, common);
    let shares: Vec<f64> = (0..classes).map(|class| masks.share(class)).collect();
    let mut order: Vec<usize> = (0..classes).collect();
    // Equal shares, often of zero, keep the order of the classes.
    order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
    let class = |class: usize| Prediction {
        share: Some(shares[class]),
        ..Prediction::new(class, model.class_name(class))
    };
    let ranked = order.into_iter().map(class).collect();
    let weights = Arc::new(masks.weights());
    Ok(Answer {
        reduction: Reduction::Sums { weights, targets: classes, rival: given.rival },
        ranked,
        masks: Some(masks),
        boxes: vec![],
    })
}

fn embedding(output: &[f32], given: &Given) -> Result<Answer> {
    let like = given.like.as_ref().ok_or_else(nothing_to_compare)?;
    if output.iter().all(|value| *value == 0.0) {
        return Err(Error::request("the network gives an embedding of zeros, which has no direction"));
    }
    let reduction = Reduction::Cosine { like: Arc::clone(&like.values) };
    let cosine = reduction.numbers(output).first().copied().map(f64::from);
    let target = Prediction { number: cosine, ..Prediction::new(0, format!("like {}", like.name)) };
    Ok(Answer { reduction, ranked: vec![target], masks: None, boxes: vec![] })
}

fn detection(
    model: &Model,
    output: &[f32],
    subject: &Subject,
    (form, rival): (&Anchors, Option<usize>),
) -> Answer {
    let activation = model.output().activation;
    let input = &model.graph().input;
    let shares = detection::shares(output, form, activation);
    let found = detection::found(output, form, (activation, shares.as_deref()), [input.height, input.width]);
    let picked = Arc::new(found.iter().map(|one| one.at).collect());
    let Anchors { classes, anchors, .. } = *form;
    let greatest =
        Greatest { first: form.first(), classes, anchors, by_share: shares.is_some(), picked, rival: None };
    let numbers = Reduction::Greatest(greatest.clone()).numbers(output);
    let name = |class: usize| model.class_name(class);
    let ranked = match &shares {
        None => probability::ranked(&numbers[..classes], activation, name),
        Some(shares) => probability::ranked_by_share(&numbers[..classes], shares, form, name),
    };
    let record = |(at, one): (usize, &Detection)| {
        let logit = model.output().has_logits().then_some(f64::from(one.score));
        let prediction =
            Prediction { proba: Some(one.proba), logit, ..Prediction::new(one.class, name(one.class)) };
        (prediction, one.record(at + 1, model, subject))
    };
    let boxes = found.iter().enumerate().map(record).collect();
    // Only now: ranks and probabilities are those of the classes themselves.
    let reduction = Reduction::Greatest(Greatest { rival, ..greatest });
    Answer { reduction, ranked, masks: None, boxes }
}

fn nothing_to_compare() -> Error {
    let problem = Problem::new("the model gives embeddings, which mean nothing by themselves");
    let hint = Phrase::from("name a picture to compare with: ").set(OptionName::Like, "REFERENCE");
    Error::request(problem.hint(hint))
}

impl Given {
    /// Reads the files that a request names for the task.
    ///
    /// # Errors
    /// When one cannot be read, or the reference has an embedding without a direction.
    pub(super) fn gathered(
        model: &Model,
        network: &Network,
        request: &Request,
        rival: Option<usize>,
    ) -> Result<Self> {
        let mask = match &request.over {
            Over::Mask(path) => Some(MaskFile::open(path)?),
            _ => None,
        };
        let like = request.like.as_ref().map(|path| Like::open(path, model, network, request)).transpose()?;
        Ok(Self { over: request.over.clone(), mask, like, rival })
    }
}

impl Like {
    fn open(path: &Path, model: &Model, network: &Network, request: &Request) -> Result<Self> {
        let subject = Subject::open(path, &request.reading, model)?;
        let values = network.logits(subject.values)?;
        if values.iter().all(|value| *value == 0.0) || values.iter().any(|value| !value.is_finite()) {
            let problem = Problem::new("has an embedding without a direction")
                .found("zeros or numbers that are not finite");
            return Err(problem.of_image(subject.file.path));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, sha256: subject.file.sha256, values: Arc::new(values) })
    }
}

/// Refuses what the network's task cannot use.
///
/// # Errors
/// For a mask without a segmentation, and for a reference without an embedding, or an embedding without one.
pub(super) fn check(model: &Model, request: &Request) -> Result<()> {
    let task = model.output().task;
    let useless = |option| Err(useless(option, &format!("a network whose task is '{}'", task.name())).into());
    let is_segmentation = task == Task::Segmentation;
    let is_of_other = |kind: &&ArtifactKind| match kind {
        ArtifactKind::ClassMask => !is_segmentation,
        ArtifactKind::Detections => task != Task::Detection,
        _ => false,
    };
    match task {
        Task::Embedding if request.like.is_none() => Err(nothing_to_compare()),
        _ if request.like.is_some() && task != Task::Embedding => useless(OptionName::Like),
        _ if request.over != Over::Wins && !is_segmentation => useless(OptionName::Over),
        _ => request.artifacts.iter().find(is_of_other).map_or(Ok(()), |kind| {
            let problem = Problem::new(format!("is not of the task '{}'", task.name()));
            Err(problem.named("output", kind.name()).hint("drop it").into())
        }),
    }
}
