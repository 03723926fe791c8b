//! From a network and a picture to a heatmap, one method a file.
//!
//! Receives a [`Scene`], hands on a [`ClassMap`] with what is to be said about it. Every method's file opens with its
//! paper and equation. Knows nothing of Burn: sums are taken in double precision, in one order, so a device's threads
//! cannot change them.

mod finding;
mod finish;
mod masks;
mod methods;
mod noise;
mod options;
mod pixels;
mod principal;
mod scene;
mod smoothing;
mod terms;

pub use finding::Finding;
use finding::Signed;
pub use finish::{Aggregate, Finish};
pub use methods::{Method, MethodInfo};
pub use options::{Library, Options, Progress};
pub use scene::{Question, Scene};
pub use smoothing::Smoothing;

use crate::engine::{Evidence, Features, Network};
use crate::error::{Error, Result};
use crate::heatmap::{Heatmap, Stats};
use methods::Run;

/// A method's result for one class, on a scale of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMap {
    /// The finished map, as large as the method made it: ReLU taken and layers made one, not yet divided by anything.
    /// All zero when [`ClassMap::finding`] says why.
    pub map: Heatmap,
    /// Of each layer's map before ReLU; empty when one is not finite.
    pub raw: Vec<Stats>,
    /// Why there is nothing to see, when there is nothing to see.
    pub finding: Option<Finding>,
}

/// Maps of every layer before anything is rectified, none where one is not finite.
type RawMaps = Option<Vec<Signed>>;

impl Method {
    /// The finished map of a class.
    ///
    /// `saturated` says that the class score is a probability that rounds to one, so that its gradient is noise.
    ///
    /// # Errors
    /// When the method does not fit the network, or the settings do not fit the method.
    pub fn class_map(
        self,
        question: &Question,
        finish: &Finish,
        smoothing: Smoothing,
        saturated: bool,
    ) -> Result<ClassMap> {
        self.check(question.options, smoothing)?;
        self.check_network(question.network(), question.options)?;
        let [_, height, width] = question.network().input();
        let variants = smoothing.variants(question.values(), width, question.options);
        let runs = match variants.is_empty() {
            true => vec![self.raw_maps(question, smoothing.eigen)?],
            false => self.runs(question, variants, smoothing.eigen)?,
        };
        let Some(runs) = runs.into_iter().collect::<Option<Vec<Vec<Signed>>>>() else {
            return Ok(ClassMap::blank([height, width], vec![], Finding::NotFinite));
        };
        let maps = |run: &[Signed]| run.iter().map(|signed| signed.map.clone()).collect::<Vec<_>>();
        let mean: Vec<Signed> = (0..runs[0].len()).filter_map(|layer| mean_run(&runs, layer)).collect();
        let map = match question.library() {
            // Theirs are averaged after they are finished.
            Some(_) => {
                let finished =
                    runs.iter().map(|run| finish.apply(self, &maps(run), [height, width], question.options));
                smoothing::mean(&finished.collect::<Result<Vec<_>>>()?)
            }
            None => Some(finish.apply(self, &maps(&mean), [height, width], question.options)?),
        };
        let map = map.ok_or_else(|| Error::internal("a method gave no map"))?;
        let raw: Vec<Stats> = mean.iter().map(|signed| signed.map.stats()).collect();
        let evidence = if self.looks_at_gradients() { question.evidence()?.first() } else { None };
        let saturated = saturated && self.is_made_of_the_slope();
        match finding::of(evidence, &mean, &map, self.info().uses_class, saturated) {
            Some(finding) => Ok(ClassMap::blank([map.height(), map.width()], raw, finding)),
            None => Ok(ClassMap { map, raw, finding: None }),
        }
    }

    /// Refuses settings that the method would ignore.
    ///
    /// # Errors
    /// In the words of the command line.
    pub fn check(self, options: &Options, smoothing: Smoothing) -> Result<()> {
        let info = self.info();
        if options.samples == Some(0) {
            return Err(Error::request("0 samples were asked for, expected at least one (raise --samples)"));
        }
        if let Some(noise) = options.noise.filter(|noise| !noise.is_finite() || *noise < 0.0) {
            return Err(Error::request(format!("noise is {noise}, expected 0 or more (change --noise)")));
        }
        if options.counterfactual && !info.has_sign {
            return Err(Error::request(format!(
                "--counterfactual needs a method that tells for from against, and {} does not (use gradcam)",
                info.name
            )));
        }
        if smoothing.eigen && !info.has_terms {
            return Err(Error::request(format!(
                "--smooth eigen needs a method that sums over channels, and {} does not (use gradcam)",
                info.name
            )));
        }
        Ok(())
    }

    /// Refuses a network that the method cannot explain, or too few layers.
    ///
    /// # Errors
    /// In the words of the command line.
    pub fn check_network(self, network: &Network, options: &Options) -> Result<()> {
        let name = self.info().name;
        let several = network.taps() > 1;
        match self {
            Self::Cam if network.taps() > 0 => {
                for tap in 0..network.taps() {
                    methods::linear_weights(network, tap, 0)?;
                }
            }
            Self::GuidedBackprop | Self::Deconvolution | Self::GuidedGradCam
                if network.rectifiers(options.rectifiers()) == 0 =>
            {
                return Err(Error::request(format!(
                    "{name} changes what ReLUs pass back, and the network has none (use smoothgrad)"
                )));
            }
            Self::Occlusion => methods::check_square(network.input(), options)?,
            Self::RefineCam if !several => {
                return Err(Error::request(format!(
                    "{name} multiplies the maps of several layers, got one (name more with --layer A,B)"
                )));
            }
            _ => {}
        }
        let alone = options
            .library
            .filter(|library| several && self.info().uses_layer && library.explains_one_layer());
        alone.map_or(Ok(()), |library| {
            Err(Error::request(format!(
                "{} explains one layer at a time, got {} (name one layer, or drop --compat)",
                library.name(),
                network.taps()
            )))
        })
    }

    /// Whether the map of a layer is made of the score's gradient there.
    fn looks_at_gradients(self) -> bool {
        matches!(self.definition().run, Run::Evidence(_) | Run::Product(_))
            || matches!(self, Self::GradCamPlusPlus | Self::XGradCam | Self::ShapleyCam | Self::GuidedGradCam)
    }

    /// Whether the map is noise where the score is so certain that it has no slope. Methods that ask for scores, or go far
    /// from the picture, still see it change.
    fn is_made_of_the_slope(self) -> bool {
        self.looks_at_gradients()
            || matches!(self, Self::Gradient | Self::InputXGradient | Self::FullGrad)
            || matches!(self, Self::GuidedBackprop | Self::Deconvolution)
    }

    fn runs(
        self,
        question: &Question,
        variants: Vec<smoothing::Variant>,
        eigen: bool,
    ) -> Result<Vec<RawMaps>> {
        let one = |variant: smoothing::Variant| {
            let scene = Scene::new(question.network(), &variant.values)?;
            let maps = self.raw_maps(&question.about(&scene), eigen)?;
            Ok(match variant.mirrored {
                true => maps.and_then(|maps| maps.iter().map(mirrored).collect()),
                false => maps,
            })
        };
        variants.into_iter().map(one).collect()
    }

    /// The signed map of evidence from elsewhere, `[height, width]` of the layer, row-major, before ReLU and normalisation.
    ///
    /// # Errors
    /// When activations and gradients do not have the same shape, or the method asks the network for more than them.
    pub fn raw_map(self, evidence: &Evidence) -> Result<Vec<f32>> {
        let (a, g) = (&evidence.activations, &evidence.gradients);
        let count = a.channels * a.height * a.width;
        let same = (a.channels, a.height, a.width) == (g.channels, g.height, g.width);
        if !same || a.values.len() != count || g.values.len() != count || count == 0 {
            return Err(Error::internal("activations and gradients differ in shape"));
        }
        match &self.definition().run {
            Run::Evidence(run) => Ok(run(evidence).into_map(a, false)),
            _ => Err(Error::request(format!(
                "{} asks the network for more than activations and gradients (use an Explainer)",
                self.info().name
            ))),
        }
    }

    /// The signed map of every layer, or the one map of a method that needs none, before ReLU and normalisation.
    ///
    /// # Errors
    /// When the method does not fit the network.
    fn raw_maps(self, question: &Question, eigen: bool) -> Result<RawMaps> {
        let taps = 0..question.network().taps();
        let layer = |activations: &Features, terms: terms::Terms| {
            let rounding =
                terms.rounding(activations).max(self.rounding_of_scores(question, Some(activations)));
            let map = Heatmap::new(activations.height, activations.width, terms.into_map(activations, eigen));
            map.map(|map| Signed::new(map, rounding))
        };
        match &self.definition().run {
            Run::Evidence(run) => {
                let of = |evidence: &Evidence| layer(&evidence.activations, run(evidence));
                Ok(question.evidence()?.iter().map(of).collect())
            }
            Run::Layer(run) | Run::Product(run) => taps
                .map(|tap| Ok(layer(question.activations(tap)?, run(question, tap)?)))
                .collect::<Result<Option<Vec<_>>>>(),
            Run::Shared(run) => Ok(run(question)?
                .into_iter()
                .map(|(evidence, terms)| layer(&evidence.activations, terms))
                .collect()),
            Run::Pixels(run) => {
                let [_, height, width] = question.network().input();
                let map = Heatmap::new(height, width, run(question)?);
                Ok(map.map(|map| vec![Signed::new(map, self.rounding_of_scores(question, None))]))
            }
        }
    }

    /// How far rounding may have moved the map of a method that subtracts scores from each other: as far as the scores.
    fn rounding_of_scores(self, question: &Question, activations: Option<&Features>) -> f64 {
        let greatest = question.logits().iter().map(|logit| f64::from(logit.abs())).fold(0.0, f64::max);
        let scores = terms::ROUNDING * greatest;
        match (self, activations) {
            (Self::ReciproCam | Self::Occlusion, _) => scores,
            // Its weights are such differences, in units of the score.
            (Self::AblationCam, Some(activations)) => {
                let whole = question.score_of(question.logits()).abs();
                let ones = terms::Terms::Weights(vec![1.0; activations.channels]);
                if whole == 0.0 { 0.0 } else { ones.greatest_sum(activations) * scores / whole }
            }
            _ => 0.0,
        }
    }
}

/// The mean of a layer's maps over several runs.
fn mean_run(runs: &[Vec<Signed>], layer: usize) -> Option<Signed> {
    let maps: Vec<Heatmap> = runs.iter().map(|run| run[layer].map.clone()).collect();
    let rounding = runs.iter().map(|run| run[layer].rounding).fold(0.0, f64::max);
    smoothing::mean(&maps).map(|map| Signed::new(map, rounding))
}

/// Left and right swapped.
fn mirrored(signed: &Signed) -> Option<Signed> {
    smoothing::mirrored_map(&signed.map).map(|map| Signed { map, ..*signed })
}

impl ClassMap {
    fn blank([height, width]: [usize; 2], raw: Vec<Stats>, finding: Finding) -> Self {
        Self { map: Heatmap::zeros(height, width), raw, finding: Some(finding) }
    }
}
