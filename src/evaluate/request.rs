//! The request to an evaluator: methods and maps as for explanations, metrics, and the score that they look at.

use burncam_metrics::{Area, Baseline, Convention, CurveSettings, Removal, RoadSettings, Steps};

use super::info::Rule;
use super::measure::Measures;
use super::metric::Metric;
use crate::cam::Library;
use crate::check::refuse_unsigned;
use crate::engine::Score;
use crate::error::{Error, OptionName, Problem, Result, Subject, by_name};
use crate::explain::Request;
use crate::model::{Model, OutputForm, OutputSpec};
use crate::record::{CurveSettingsRecord, RoadSettingsRecord};

/// What to evaluate, and how.
///
/// [`Request::options`](crate::Options) with a library follows its conventions of maps and of metrics.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EvaluationRequest {
    /// Methods, layers, targets, the score that maps explain, the seed. What concerns drawing and files is not used.
    pub explain: Request,
    /// Default: those of [`Metric::usual`] that the convention defines, and with [`EvaluationRequest::objects`] those that compare maps with them.
    pub metrics: Option<Vec<Metric>>,
    /// Whether the caller knows where objects are. Default: no.
    pub objects: bool,
    /// The score that metrics look at. Default: the probability; without one, the network's usual score.
    pub score: Option<Score>,
    /// Steps of deletion and insertion, each of the same number of pixels. Default: 32; of a library its own.
    pub steps: Option<usize>,
    /// What pixels become or are before they are inserted. Default: RISE's, 0 of the network's input for deletion and a blurred picture
    /// for insertion; of a library its own.
    pub baseline: Option<Filling>,
    /// Which pixels ROAD removes, and its noise. Default: the paper's with the seed of [`EvaluationRequest::explain`]; of a library its own.
    pub road: Option<RoadSettings>,
    /// How many mosaics of pictures are made for the metrics of mosaics. Default: as many as there are pictures of which the network is sure, at
    /// most 100.
    pub mosaics: Option<usize>,
    /// Whether the maps of every two methods and baselines are compared. Default: no.
    pub agreement: bool,
}

/// What takes the place of pixels in deletion and insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// 0 of the network's input: the mean that preprocessing subtracts.
    Zero,
    /// Black.
    Black,
    /// The mean of each channel of the picture.
    Mean,
    /// The picture blurred as in RISE's code.
    Blurred,
    /// Noise with the mean and deviation of each channel of the picture.
    Noise,
}

impl Filling {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("zero", Self::Zero),
        ("black", Self::Black),
        ("mean", Self::Mean),
        ("blurred", Self::Blurred),
        ("noise", Self::Noise),
    ];

    fn baseline(self, seed: u64) -> Baseline {
        match self {
            Self::Zero => Baseline::Zero,
            Self::Black => Baseline::Black,
            Self::Mean => Baseline::Mean,
            Self::Blurred => Baseline::Blurred,
            Self::Noise => Baseline::Noise { seed },
        }
    }
}

impl std::str::FromStr for Filling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("baseline", text, Self::NAMES.iter().copied())
    }
}

/// Steps of deletion and insertion. RISE's own, one row of pixels at a time, are 224 for most networks and take seven times as long.
const STEPS: usize = 32;

impl EvaluationRequest {
    /// The usual metrics for these maps.
    #[must_use]
    pub fn new(explain: Request) -> Self {
        Self {
            explain,
            metrics: None,
            objects: false,
            score: None,
            steps: None,
            baseline: None,
            road: None,
            mosaics: None,
            agreement: false,
        }
    }

    /// Refuses what metrics of several pictures cannot do, before any picture is read.
    ///
    /// # Errors
    /// When maps lose the signs that a metric needs, and when mosaics need classes that the model does not have.
    pub(super) fn check_together(&self, measures: &Measures, model: &Model) -> Result<()> {
        if measures.reads_rule(|rule| matches!(rule, Rule::Leak | Rule::Weights)) {
            refuse_unsigned(&self.explain)?;
        }
        let Some(metric) = measures.metrics.iter().find(|metric| metric.is_of_mosaics()) else {
            return Ok(());
        };
        let output = model.output();
        let has_classes =
            output.form == OutputForm::List && Score::for_output(Some(Score::Prob), output).is_ok();
        if !has_classes || model.graph().input.is_signal() {
            let problem = Problem::new("is of mosaics of pictures of which the network is sure");
            let problem = problem.expected("a network that gives pictures classes with probabilities");
            return Err(Error::request(problem.named("metric", metric).hint("leave it out")));
        }
        Ok(())
    }

    /// Metrics and their settings.
    ///
    /// # Errors
    /// When the library has no such metrics, or settings would be ignored.
    pub(super) fn measures(&self) -> Result<Measures> {
        let library = self.explain.options.library;
        let convention = convention(library)?;
        let metrics = match &self.metrics {
            Some(metrics) => each_once(metrics),
            None => {
                let usual: Vec<Metric> = Metric::usual().collect();
                let is_usual =
                    |metric: &Metric| usual.contains(metric) || self.objects && metric.is_of_place();
                Metric::all().filter(is_usual).filter(|metric| metric.is_defined(convention)).collect()
            }
        };
        if metrics.is_empty() {
            return Err(Error::request(Problem::expected_but("at least one metric", "none")));
        }
        if let (Some(metric), Some(library)) =
            (metrics.iter().find(|metric| !metric.is_defined(convention)), library)
        {
            let problem = Problem::new(format!("is not in {}", library.name())).named("metric", metric);
            return Err(Error::request(problem.hint("leave it out")));
        }
        let curves =
            metrics.iter().any(|metric| metric.is_curve()).then(|| self.curves(convention)).flatten();
        let seed = self.explain.options.seed;
        let road = metrics.iter().any(|metric| metric.is_road()).then(|| {
            let usual = || RoadSettings { seed, ..RoadSettings::of(convention) };
            self.road.clone().unwrap_or_else(usual)
        });
        Ok(Measures { metrics, convention, seed, curves, road })
    }

    fn curves(&self, convention: Convention) -> Option<CurveSettings> {
        let mut settings = CurveSettings::of(convention)?;
        if convention == Convention::Paper {
            settings.steps = Steps::RoundedUp(self.steps.unwrap_or(STEPS));
            // The last step may have fewer pixels than the others.
            settings.area = Area::TrueShares;
        }
        if let Some(filling) = self.baseline {
            let baseline = filling.baseline(self.explain.options.seed);
            (settings.deletion, settings.insertion) = (baseline, baseline);
        }
        Some(settings)
    }

    /// The score that metrics look at, adapted to the network's output.
    ///
    /// # Errors
    /// For a score that was asked for and that this output does not have.
    pub(super) fn score_for(&self, model: &Model) -> Result<Score> {
        let output: &OutputSpec = model.output();
        match self.score {
            Some(score) => Score::for_output(Some(score), output),
            None => Score::for_output(Some(Score::Prob), output).or_else(|_| Score::for_output(None, output)),
        }
    }
}

fn each_once(metrics: &[Metric]) -> Vec<Metric> {
    // In the order of the table, which is that of the terminal.
    Metric::all().filter(|metric| metrics.contains(metric)).collect()
}

/// The convention of a library's metrics.
fn convention(library: Option<Library>) -> Result<Convention> {
    match library {
        None => Ok(Convention::Paper),
        Some(Library::PytorchGradCam) => Ok(Convention::PytorchGradCam),
        Some(Library::Torchcam) => Ok(Convention::Torchcam),
        Some(Library::Xplique) => Ok(Convention::Xplique),
        Some(other) => {
            let problem = Problem::new("has no metrics that burncam follows").found(other.name());
            let problem = problem.about(Subject::Option(OptionName::Compat));
            Err(problem.hint("use pytorch-grad-cam, torchcam or xplique").into())
        }
    }
}

/// Settings of curves in words.
pub(super) fn curves_record(settings: &CurveSettings) -> CurveSettingsRecord {
    let steps = match settings.steps {
        Steps::OfOneRow => "as many pixels as a row has".to_owned(),
        Steps::RoundedUp(count) => format!("1/{count} of the pixels, rounded up"),
        Steps::RoundedDown(count) => format!("1/{count} of the pixels, rounded down"),
    };
    let baseline = |baseline: Baseline| match baseline {
        Baseline::Zero => "zero".to_owned(),
        Baseline::Black => "black".to_owned(),
        Baseline::Mean => "mean".to_owned(),
        Baseline::Blurred => "blurred".to_owned(),
        Baseline::Noise { seed } => format!("noise, seed {seed}"),
    };
    let area = match settings.area {
        Area::TrueShares => "trapezoids over shares of pixels",
        Area::EqualSteps => "trapezoids of equal width",
    };
    let (deletion, insertion) = (baseline(settings.deletion), baseline(settings.insertion));
    CurveSettingsRecord { steps, deletion, insertion, area: area.to_owned() }
}

/// Settings of ROAD in words.
pub(super) fn road_record(settings: &RoadSettings) -> RoadSettingsRecord {
    let (removed, steps): (&str, Vec<f64>) = match &settings.removal {
        Removal::Shares(shares) => ("shares of the pixels", shares.clone()),
        Removal::KeptPercentiles(kept) => {
            ("all but these percentiles", kept.iter().map(|kept| f64::from(*kept)).collect())
        }
    };
    let RoadSettings { noise, seed, .. } = *settings;
    RoadSettingsRecord { removed: removed.to_owned(), steps, noise, seed }
}
