//! From a picture and methods to finished maps of classes.
//!
//! Receives a [`Scene`] and a [`MapRequest`], returns a [`ClassMap`] per method and class. Changed copies of the
//! picture pass through the network once for all methods and classes.

use super::definition::{Definition, Run};
use super::finding::{self, Finding, Look, Signed};
use super::finish::Finish;
use super::methods::Method;
use super::options::Options;
use super::question::Question;
use super::raw::{Pass, RawMaps};
use super::scene::Scene;
use super::smoothing::{Mean, Smoothing, mirrored_map};
use crate::engine::{Evidence, HeadPass, Network, Score};
use crate::error::{Error, Result};
use crate::heatmap::{Heatmap, Stats};

/// A request for maps of a picture.
#[derive(Debug, Clone, Copy)]
pub struct MapRequest<'a> {
    /// The methods.
    pub methods: &'a [Method],
    /// Indices of the classes.
    pub classes: &'a [usize],
    /// The explained function of the logits.
    pub score: Score,
    /// How maps are finished.
    pub finish: Finish,
    /// The changed inputs to average over.
    pub smoothing: Smoothing,
    /// Options of the methods.
    pub options: &'a Options,
}

/// A method's result for one class, unscaled.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMap {
    /// The finished map at the method's resolution: after ReLU and the combination of layers, not yet divided. All
    /// zero when [`ClassMap::finding`] has a reason.
    pub map: Heatmap,
    /// Statistics of each layer's map before ReLU; empty when one is not finite.
    pub raw: Vec<Stats>,
    /// Why the map is blank, if it is.
    pub finding: Option<Finding>,
}

impl<'a> Scene<'a> {
    /// As [`Scene::new`] for several pictures, which share a pass through the trunk.
    ///
    /// `methods` are those that will be asked for. The pass that gives the logits also serves the gradients that they need, at the layers
    /// or at the pixels; otherwise these cost another pass. The maps are the same; logits of a pass that goes back to the pixels may
    /// have other last digits.
    ///
    /// # Errors
    /// When one has another count of numbers.
    pub fn several(network: &'a Network, pictures: &[&'a [f32]], methods: &[Method]) -> Result<Vec<Self>> {
        let methods: Vec<_> = methods.iter().map(|method| method.definition()).collect();
        Self::all_reaching(network, pictures, Definition::reach(&methods, network))
    }

    /// The finished maps: for each method, in the order requested, one per class.
    ///
    /// # Errors
    /// When a method does not fit the network, the settings do not fit a method, or the network has no such class.
    pub fn class_maps(&mut self, request: &MapRequest) -> Result<Vec<Vec<ClassMap>>> {
        request.check(self)?;
        let methods: Vec<_> = request.methods.iter().map(|method| method.definition()).collect();
        let mut head = self.head.take();
        let pass = request.pass(self, &methods);
        let mut totals = vec![vec![Total::default(); request.classes.len()]; methods.len()];
        let looks = match request.smoothing.averages() {
            true => request.add_variants(&pass, &mut head, &mut totals)?,
            false => {
                let mut looks = vec![None; request.classes.len()];
                request.add(&pass, pass.raw_maps(&mut head, &mut looks)?, &mut totals)?;
                looks
            }
        };
        let finish = |(method, totals): (&&'static Definition, Vec<Total>)| -> Result<Vec<ClassMap>> {
            let classes = totals.into_iter().zip(request.classes).zip(&looks);
            classes
                .map(|((total, class), look)| {
                    // Looks exist where any method of the request reads gradients; a finding about gradients is not
                    // given to one that does not.
                    let look = look.filter(|_| method.looks_at_gradients());
                    let is_certain = request.score.is_saturated(pass.question.logits(), *class);
                    let saturated = is_certain && method.is_made_of_the_slope();
                    total.finished(method, request, pass.question.network().input(), look, saturated)
                })
                .collect()
        };
        methods.iter().zip(totals).map(finish).collect()
    }
}

impl<'a> MapRequest<'a> {
    fn check(&self, scene: &Scene) -> Result<()> {
        let classes = scene.logits().len();
        if let Some(class) = self.classes.iter().find(|class| **class >= classes) {
            return Err(Error::request(format!(
                "class {class} is out of range: there are {classes} classes"
            )));
        }
        self.methods.iter().try_for_each(|method| {
            method.check(self.options, self.smoothing)?;
            method.check_network(scene.network(), self.options)
        })
    }

    fn pass<'b>(&self, scene: &'b Scene<'b>, methods: &'b [&'static Definition]) -> Pass<'b>
    where
        'a: 'b,
    {
        let Self { classes, score, options, .. } = *self;
        let question = Question { scene, classes, score, options, asked_about: scene.values() };
        Pass { question, methods, eigen: self.smoothing.eigen }
    }

    /// Adds the maps of every changed copy of the picture to `totals`, and returns what the picture's own evidence
    /// shows.
    fn add_variants<'b>(
        &self,
        pass: &Pass<'b>,
        head: &mut Option<HeadPass<'b>>,
        totals: &mut [Vec<Total>],
    ) -> Result<Vec<Option<Look>>> {
        let (question, network) = (&pass.question, pass.question.network());
        let reach = Definition::reach(pass.methods, network);
        let [_, _, width] = network.input();
        let mut own_looks = None;
        for variant in self.smoothing.variants(question.values(), width, self.options) {
            let mut looks = vec![None; self.classes.len()];
            // One of the copies may be the picture itself, whose pass exists already.
            // Compared by bits, because the scene of another input would give other last digits.
            let maps = if is_same(&variant.values, question.values()) {
                let maps = pass.raw_maps(head, &mut looks)?;
                own_looks = Some(looks);
                maps
            } else {
                let (scene, mut head) =
                    Scene::of_copy(network, &variant.values, question.reduction(), reach)?;
                // `asked_about` stays the picture: random weights must be the same for all of its copies.
                let question = Question { scene: &scene, ..*question };
                Pass { question, ..pass.clone() }.raw_maps(&mut head, &mut looks)?
            };
            let turned = |maps: RawMaps| if variant.mirrored { mirrored(maps?) } else { maps };
            let maps = maps.into_iter().map(|classes| classes.into_iter().map(turned).collect());
            self.add(pass, maps.collect(), totals)?;
        }
        // With noise no copy is the picture itself; then its own gradients are still to be looked at, because the
        // finding is about the picture.
        own_looks.map_or_else(|| pass.looks(head), Ok)
    }

    /// Adds maps, for each method one per class, to `totals`.
    fn add(&self, pass: &Pass, maps: Vec<Vec<RawMaps>>, totals: &mut [Vec<Total>]) -> Result<()> {
        for ((method, maps), totals) in pass.methods.iter().zip(maps).zip(totals) {
            for (maps, total) in maps.into_iter().zip(totals) {
                total.add(method, self, pass.question.network().input(), maps)?;
            }
        }
        Ok(())
    }
}

/// Accumulated maps of one method and class over all copies of the picture.
#[derive(Debug, Clone, Default)]
struct Total {
    /// For each layer the mean of its maps before ReLU, and the largest effect of rounding.
    layers: Vec<(Mean, f64)>,
    /// Libraries average finished maps.
    finished: Option<Mean>,
    /// Whether any map was not finite.
    not_finite: bool,
}

impl Total {
    fn add(
        &mut self,
        method: &Definition,
        request: &MapRequest,
        [_, height, width]: [usize; 3],
        maps: RawMaps,
    ) -> Result<()> {
        let Some(maps) = maps.filter(|_| !self.not_finite) else {
            // Stays set: a mean with one copy missing would pass for the mean of all.
            self.not_finite = true;
            return Ok(());
        };
        if request.options.library.is_some() {
            // Libraries finish each copy and average then; ReLU and scaling do not commute with the mean.
            let finished = request.finish.apply(method, &plain(&maps), [height, width], request.options)?;
            match &mut self.finished {
                Some(mean) => mean.add(&finished),
                None => self.finished = Some(Mean::of(&finished)),
            }
        }
        if self.layers.is_empty() {
            self.layers = maps.iter().map(|signed| (Mean::of(&signed.map), signed.rounding)).collect();
            return Ok(());
        }
        for ((mean, rounding), signed) in self.layers.iter_mut().zip(&maps) {
            mean.add(&signed.map);
            // Not the mean: of the copies the least exact one limits what is significant.
            *rounding = rounding.max(signed.rounding);
        }
        Ok(())
    }

    fn finished(
        self,
        method: &Definition,
        request: &MapRequest,
        [_, height, width]: [usize; 3],
        look: Option<Look>,
        saturated: bool,
    ) -> Result<ClassMap> {
        if self.not_finite {
            return Ok(ClassMap::blank([height, width], vec![], Finding::NotFinite));
        }
        let mean = |(mean, rounding): &(Mean, f64)| mean.map().map(|map| Signed::new(map, *rounding));
        let mean: Vec<Signed> = self.layers.iter().filter_map(mean).collect();
        let map = match &self.finished {
            Some(finished) => finished.map(),
            None => Some(request.finish.apply(method, &plain(&mean), [height, width], request.options)?),
        };
        let map = map.ok_or_else(|| Error::internal("a method gave no map"))?;
        let raw: Vec<Stats> = mean.iter().map(|signed| signed.map.stats()).collect();
        match finding::of(look, &mean, &map, method.info.uses_class, saturated) {
            Some(finding) => Ok(ClassMap::blank([map.height(), map.width()], raw, finding)),
            None => Ok(ClassMap { map, raw, finding: None }),
        }
    }
}

impl Method {
    /// The signed map for given evidence, `[height, width]` of the layer, row-major, before ReLU and normalisation.
    ///
    /// # Errors
    /// When activations and gradients differ in shape, or the method needs further passes.
    pub fn raw_map(self, evidence: &Evidence) -> Result<Vec<f32>> {
        let (a, g) = (&evidence.activations, &evidence.gradients);
        let count = a.channels * a.height * a.width;
        let same = (a.channels, a.height, a.width) == (g.channels, g.height, g.width);
        // The arrays are public, and methods index them without checks.
        if !same || a.values.len() != count || g.values.len() != count || count == 0 {
            return Err(Error::internal("activations and gradients differ in shape"));
        }
        match &self.definition().run {
            Run::Evidence(run) => Ok(run(evidence, None).into_map(a, false)),
            _ => Err(Error::request(format!(
                "{} asks the network for more than activations and gradients (use an Explainer)",
                self.info().name
            ))),
        }
    }
}

impl ClassMap {
    fn blank([height, width]: [usize; 2], raw: Vec<Stats>, finding: Finding) -> Self {
        Self { map: Heatmap::zeros(height, width), raw, finding: Some(finding) }
    }
}

/// Left and right swapped.
fn mirrored(maps: Vec<Signed>) -> RawMaps {
    let turned = |signed: Signed| mirrored_map(&signed.map).map(|map| Signed { map, ..signed });
    maps.into_iter().map(turned).collect()
}

fn plain(maps: &[Signed]) -> Vec<Heatmap> {
    maps.iter().map(|signed| signed.map.clone()).collect()
}

/// The same bits.
fn is_same(a: &[f32], b: &[f32]) -> bool {
    a.iter().map(|value| value.to_bits()).eq(b.iter().map(|value| value.to_bits()))
}
