//! The request to an explainer: all that determines the contents of its files, complete before weights are read.

use std::path::PathBuf;

use super::{ArtifactKind, Over, Reading, Style, Target};
use crate::cam::{Finish, Joining, Library, Method, Options, Outputs, Reads, Smoothing, Traits};
use crate::card::{OutputKind, Task};
use crate::engine::{Precision, Runtime, Score};
use crate::error::{Error, Hint, OptionName, Phrase, Problem, Result, Subject, Wording};
use crate::model::{FinalActivation, LayerRequest, OutputSpec};

/// What to explain, and how; how pictures are read and drawn, and which files are written.
///
/// [`Explainer::new`](super::Explainer::new) checks it, nothing changes it, and equal requests write equal files. Fields may come, so it is a changed default:
///
/// ```
/// use burncam::{ArtifactKind, LayerRequest, Method, Request, Scale, Target};
///
/// # fn main() -> burncam::Result<()> {
/// let mut request = Request::default();
/// request.methods = vec![Method::GradCam, "layercam".parse()?];
/// request.targets = vec!["tabby cat".parse()?, Target::Top(1)];
/// request.layers = vec!["layer4".parse()?];
/// request.artifacts.push(ArtifactKind::Npy);
/// request.style.colormap = "turbo".parse()?;
/// request.scale = Scale::Fixed(12.5); // the same colour on every picture
/// // The same in an expression:
/// let quick = Request::with(|request| request.layers = vec![LayerRequest::Auto]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// The device and engine. Default: the CPU, with native kernels where they exist.
    pub runtime: Runtime,
    /// Default: Grad-CAM alone.
    pub methods: Vec<Method>,
    /// Default: the logit; without logits, or with a library's conventions, the network's output.
    pub score: Option<Score>,
    /// The class, an index or a name, whose logit is subtracted from that of every target. Default: none.
    pub against: Option<Target>,
    /// Default: `auto`. The maps of several layers are combined.
    pub layers: Vec<LayerRequest>,
    /// Default: the most probable class.
    pub targets: Vec<Target>,
    /// Whether photos may have several true classes. Default: no.
    pub several_labels: bool,
    /// The pixels over which a segmentation's class is summed. Default: where it wins.
    pub over: Over,
    /// The picture, or `.npy` tensor, whose embedding others are compared with; for a network that gives embeddings.
    pub like: Option<PathBuf>,
    /// Number of predictions in the record. Default: 5.
    pub top_k: usize,
    /// How layers are combined. Default: each divided by its maximum, of a detector
    /// at the size of its input; then of a detector their maximum, of others their mean.
    pub finish: Finish,
    /// Averages over changed inputs. Default: none.
    pub smoothing: Smoothing,
    /// Options that only some methods use.
    pub options: Options,
    /// The divisor of maps. Default: each map's own maximum.
    pub scale: Scale,
    /// How photos and tensors are read.
    pub reading: Reading,
    /// How pictures are drawn.
    pub style: Style,
    /// The pictures and arrays written for each class. Default: the overlay.
    pub artifacts: Vec<ArtifactKind>,
    /// Whether records are written. Default: yes.
    pub record: bool,
    /// Whether records that are not written have the SHA-256 of the model file, too (50 ms per 100 MB). Default: yes.
    pub hash_model: bool,
    /// Whether a sheet of all methods and classes is written. Default: no.
    pub grid: bool,
    /// Whether existing files are replaced. Default: no; an existing file is an error.
    pub overwrite: bool,
    /// Whether the files of a photo are on disk before it is reported, so that a loss of power does not lose them. Default: yes.
    pub sync: bool,
    /// How options are called in the texts of records: findings and warnings. Default: by the library's fields.
    pub wording: Wording,
}

/// The divisor of a finished map.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Scale {
    /// Its own maximum, which becomes one.
    #[default]
    Own,
    /// Nothing: values are in units of score times activation. Pictures are drawn as for `Own`.
    Raw,
    /// This number for all maps, so that pictures can be compared. Larger values are kept, and drawn as one.
    Fixed(f32),
}

impl Default for Request {
    fn default() -> Self {
        Self {
            runtime: Runtime::default(),
            methods: vec![Method::GradCam],
            score: None,
            against: None,
            layers: vec![LayerRequest::Auto],
            targets: vec![Target::Top(1)],
            several_labels: false,
            over: Over::default(),
            like: None,
            top_k: 5,
            finish: Finish::default(),
            smoothing: Smoothing::default(),
            options: Options::default(),
            scale: Scale::Own,
            reading: Reading::default(),
            style: Style::default(),
            artifacts: vec![ArtifactKind::Overlay],
            record: true,
            hash_model: true,
            grid: false,
            overwrite: false,
            sync: true,
            wording: Wording::LIBRARY,
        }
    }
}

impl Request {
    /// The default with a change.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut request = Self::default();
        change(&mut request);
        request
    }

    /// Whether any method needs a layer.
    pub(super) fn needs_layer(&self) -> bool {
        self.methods.iter().any(|method| method.info().uses_layer)
    }

    /// Whether a photo may have several explained classes, so that file names contain the class.
    #[must_use]
    pub fn has_several_classes(&self) -> bool {
        match self.targets[..] {
            [Target::Top(2..) | Target::Both | Target::All | Target::AtLeast(_)] => true,
            [Target::Label] => self.several_labels,
            _ => self.targets.len() > 1,
        }
    }

    /// The score adapted to the network's outputs; `rival` is the class of [`Request::against`].
    pub(super) fn score_for(&self, output: &OutputSpec, rival: Option<usize>) -> Result<Score> {
        let compares = self.methods.iter().find(|method| method.traits().outputs == Outputs::Logits);
        if let (Some(method), false) = (compares, output.has_logits()) {
            let name = method.info().name;
            let what = format!("{name} compares the logits of classes, and the model gives none");
            return Err(Problem::new(what).hint("use gradcam").into());
        }
        let of_classes = self.which(|traits| matches!(traits.outputs, Outputs::Linear | Outputs::Logits));
        if let (Some(name), FinalActivation::Reduced) = (of_classes, output.activation) {
            let task = output.task.name();
            let what = format!("{name} is made of logits, one per class, and the task '{task}' has none");
            return Err(Problem::new(what).hint("use gradcam").into());
        }
        // What was asked for goes before what the library would take.
        let of_library = || self.options.library.map(|_| score_of_libraries(output));
        Score::for_output(rival.map(Score::Against).or(self.score).or_else(of_library), output)
    }

    /// Refuses requests that are impossible or would be ignored.
    pub(super) fn check(&self) -> Result<()> {
        if self.methods.is_empty() || self.layers.is_empty() || self.targets.is_empty() {
            return Err(Error::request(
                Problem::default().expected("at least one method, one layer and one class"),
            ));
        }
        self.methods.iter().try_for_each(|method| method.check(&self.options, self.smoothing))?;
        self.check_unread()?;
        if !self.needs_layer() && self.layers != [LayerRequest::Auto] {
            let info = self.methods[0].info();
            let works =
                if info.uses_attention { "reads the attention of all blocks" } else { "works on pixels" };
            return Err(useless(OptionName::Layer, &format!("{}, which {works}", info.name)).into());
        }
        let one_layer = self.which(|traits| traits.joining == Joining::OneLayer);
        if let (Some(name), 2..) = (one_layer, self.layers.len()) {
            return Err(Problem::new(format!("{name} takes one layer"))
                .found("several")
                .hint("name one")
                .into());
        }
        // The logit and a plain number are scores of the last linear layer, which such methods need.
        let other = self.score.filter(|score| !matches!(score, Score::Logit | Score::Number | Score::Cosine));
        let of_logits = self.which(|traits| !matches!(traits.outputs, Outputs::Any | Outputs::Boxes));
        if let (Some(name), Some(score), None) = (of_logits, other, self.options.library) {
            let found = Phrase::filled("{}", [OptionName::Score.set(score.name())]);
            let problem = Problem::new(format!("{name} is made of logits"));
            return Err(problem.found(found).hint("drop it").into());
        }
        if let Some(library) = self.options.library {
            self.check_library(library)?;
        }
        self.check_exactness()
    }

    /// The name of the first method with a trait.
    fn which(&self, has: fn(&Traits) -> bool) -> Option<&'static str> {
        let found = self.methods.iter().find(|method| has(method.traits()));
        found.map(|method| method.info().name)
    }

    /// Refuses a precision and signs that a method would lose.
    fn check_exactness(&self) -> Result<()> {
        let precision = self.runtime.precision;
        if let (Some(name), true) = (self.which(|traits| traits.unfolded), precision != Precision::F32) {
            let found = Phrase::filled("{}", [OptionName::Precision.set(precision)]);
            let problem = Problem::new(format!("{name} looks at the network as it is, in f32"));
            return Err(problem.found(found).hint("drop one of them").into());
        }
        let product = self.which(|traits| traits.joining == Joining::Product);
        if let (Some(name), true) = (product, self.options.signed) {
            let problem = Problem::new(format!("{name} multiplies maps, which loses their signs"));
            return Err(problem.hint(Hint::drop(OptionName::Signed)).into());
        }
        Ok(())
    }

    /// Refuses options that no method uses.
    fn check_unread(&self) -> Result<()> {
        let any = |option: Reads| self.methods.iter().any(|method| method.reads(option));
        let (noisy, options) = (self.smoothing.noise, &self.options);
        // The likeness of boxes is a score of its own.
        let boxes = self.which(|traits| traits.outputs == Outputs::Boxes).is_some();
        let unread = [
            (OptionName::Score, self.score.is_some() && boxes),
            (OptionName::Against, self.against.is_some() && boxes),
            (OptionName::Samples, options.samples.is_some() && !noisy && !any(Reads::Samples)),
            (OptionName::Noise, options.noise.is_some() && !noisy && !any(Reads::Noise)),
            (OptionName::Patch, options.patch.is_some() && !any(Reads::Patch)),
            (OptionName::Stride, options.stride.is_some() && !any(Reads::Stride)),
            (OptionName::Channels, options.channels.is_some() && !any(Reads::Channels)),
            (OptionName::Composite, options.composite.is_some() && !any(Reads::Composite)),
            (OptionName::Rollout, options.rollout.is_some() && !any(Reads::Rollout)),
        ];
        let Some((option, _)) = unread.iter().find(|(_, is_unread)| *is_unread) else { return Ok(()) };
        let names: Vec<&str> = self.methods.iter().map(|method| method.info().name).collect();
        Err(useless(*option, &names.join(", ")).into())
    }

    /// A library's conventions exclude other settings.
    fn check_library(&self, library: Library) -> Result<()> {
        let name = library.name();
        if self.options.signed || self.scale != Scale::Own {
            let what = Phrase::filled("{} says how maps are scaled", [OptionName::Compat.set(name)]);
            let others = vec![OptionName::Signed, OptionName::Scale, OptionName::NoNormalize];
            return Err(Problem::new(what).hint(Hint::Drop(others)).into());
        }
        let unknown = self.methods.iter().find(|method| !library.has(**method));
        match unknown {
            Some(method) => {
                let names: Vec<&str> = library.methods().map(|method| method.info().name).collect();
                let hint = Phrase::filled("drop {}, or choose one of ", [OptionName::Compat.drop()]);
                let problem = Problem::new(format!("is not in {name}")).named("method", method.info().name);
                Err(problem.hint(hint.text(names.join(", "))).into())
            }
            None => Ok(()),
        }
    }
}

/// An option that nothing reads.
pub(super) fn useless(option: OptionName, to: &str) -> Problem {
    Problem::new(format!("is of no use to {to}")).about(Subject::Option(option)).hint("drop it")
}

/// Libraries explain the network's output, which for a classifier in PyTorch is the logit.
fn score_of_libraries(output: &OutputSpec) -> Score {
    match output.gives {
        _ if output.task == Task::Embedding => Score::Cosine,
        _ if output.activation == FinalActivation::Reduced => Score::Logit,
        // Of a detector the class's logit, as ultralytics takes it.
        _ if output.task == Task::Detection && output.has_logits() => Score::Logit,
        OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities => Score::Prob,
        OutputKind::LogSoftmax | OutputKind::LogSigmoid => Score::LogProb,
        OutputKind::Numbers => Score::Number,
        _ => Score::Logit,
    }
}
