//! Signed maps of one scene before rectification: of every method, for every class.
//!
//! Receives a [`Question`] and the methods' definitions. A class's gradients at the layers are computed once for all
//! methods that use them and then dropped, so that memory does not grow with the number of classes.

use super::definition::{Definition, Layers, Run};
use super::finding::{Look, Signed};
use super::question::Question;
use super::terms::Terms;
use crate::engine::{Evidence, Features, HeadPass};
use crate::error::Result;
use crate::heatmap::Heatmap;

/// Maps of every layer, or the single map of a method without layers; `None` when one is not finite.
pub(super) type RawMaps = Option<Vec<Signed>>;

/// The request for one scene.
#[derive(Debug, Clone)]
pub(super) struct Pass<'a> {
    pub(super) question: Question<'a>,
    pub(super) methods: &'a [&'static Definition],
    /// Projects terms on their first principal component instead of summing them.
    pub(super) eigen: bool,
}

impl<'a> Pass<'a> {
    /// For each method the maps of each class. `looks` receives what each class's evidence shows, if a method uses
    /// it.
    ///
    /// # Errors
    /// When a method does not fit the network.
    pub(super) fn raw_maps(
        &self,
        head: &mut Option<HeadPass<'a>>,
        looks: &mut [Option<Look>],
    ) -> Result<Vec<Vec<RawMaps>>> {
        // Classes are the outer loop: the gradients of one class are tensors of every layer, and only one set of
        // them is held.
        let mut maps = vec![Vec::new(); self.methods.len()];
        for (class, look) in self.question.classes.iter().zip(looks) {
            let evidence = self.evidence(*class, head)?;
            *look = Look::of(&evidence);
            for (method, maps) in self.methods.iter().zip(&mut maps) {
                maps.extend(self.of_class(method, *class, &evidence, head)?);
            }
        }
        let of_all = |(method, maps): (&&Definition, Vec<RawMaps>)| self.of_classes(method, maps);
        self.methods.iter().zip(maps).map(of_all).collect()
    }

    /// What each class's evidence shows, if a method uses it.
    ///
    /// # Errors
    /// When no layer is tapped.
    pub(super) fn looks(&self, head: &mut Option<HeadPass<'a>>) -> Result<Vec<Option<Look>>> {
        let look = |class: &usize| Ok(Look::of(&self.evidence(*class, head)?));
        self.question.classes.iter().map(look).collect()
    }

    /// A class's evidence at every layer; empty when no method uses it.
    fn evidence(&self, class: usize, head: &mut Option<HeadPass<'a>>) -> Result<Vec<Evidence>> {
        match self.methods.iter().any(|method| method.looks_at_gradients()) {
            true => self.question.evidence(class, head),
            false => Ok(vec![]),
        }
    }

    /// The maps of one class, for a method that is called once per class.
    fn of_class(
        &self,
        method: &Definition,
        class: usize,
        evidence: &[Evidence],
        head: &mut Option<HeadPass<'a>>,
    ) -> Result<Option<RawMaps>> {
        let (question, library) = (&self.question, self.question.library());
        let signed = |evidence: &Evidence, terms| self.signed(method, class, &evidence.activations, terms);
        Ok(Some(match &method.run {
            Run::Evidence(run) => evidence.iter().map(|one| signed(one, run(one, library))).collect(),
            Run::PixelsOfLayer(run, _) => {
                evidence.iter().take(1).map(|one| signed(one, run(one, library))).collect()
            }
            Run::Contrast(contrast, run) => {
                let evidence = question.contrast(&contrast(question, class)?, head)?;
                evidence.iter().map(|one| signed(one, run(one, library))).collect()
            }
            Run::Gradients(run) => {
                let terms = run(question, class, evidence)?;
                evidence.iter().zip(terms).map(|(one, terms)| signed(one, terms)).collect()
            }
            Run::Activations(_) | Run::Layer(_) | Run::Layers(_) | Run::Attention(_) | Run::Pixels(_) => {
                return Ok(None);
            }
        }))
    }

    /// The maps of all classes; `known` are those of a method that is called once per class.
    fn of_classes(&self, method: &Definition, known: Vec<RawMaps>) -> Result<Vec<RawMaps>> {
        let question = &self.question;
        match &method.run {
            Run::Evidence(_) | Run::Contrast(..) | Run::Gradients(_) => Ok(known),
            Run::Activations(run) => {
                // The terms do not depend on the class; the effect of rounding asks for one, and any will do.
                let Some(class) = question.classes.first() else { return Ok(vec![]) };
                let layer = |tap| -> Result<Option<Signed>> {
                    let terms = run(question, tap)?;
                    Ok(self.signed(method, *class, question.activations(tap)?, terms))
                };
                let maps = (0..question.network().taps()).map(layer).collect::<Result<RawMaps>>()?;
                Ok(vec![maps; question.classes.len()])
            }
            Run::Layer(run) => self.layer_by_layer(method, *run),
            Run::Layers(run) => {
                let classes = run(question)?.into_iter().zip(question.classes);
                classes.map(|(layers, class)| self.of_layers(method, *class, layers)).collect()
            }
            Run::Attention(run) => Ok(self.of_maps(method, run(question)?)),
            Run::Pixels(run) => Ok(self.on_pixels(method, run(question)?)),
            Run::PixelsOfLayer(_, run) => {
                // The method takes one layer, so the last map is the only one.
                let coarse = |maps: RawMaps| maps?.pop().map(|signed| signed.map);
                let coarse: Vec<_> = known.into_iter().map(coarse).collect();
                Ok(self.on_pixels(method, run(question, &coarse)?))
            }
        }
    }

    /// The maps of a method that is called once per layer.
    fn layer_by_layer(
        &self,
        method: &Definition,
        run: fn(&Question, usize) -> Result<Vec<Terms>>,
    ) -> Result<Vec<RawMaps>> {
        let mut maps = vec![Some(vec![]); self.question.classes.len()];
        for tap in 0..self.question.network().taps() {
            let activations = self.question.activations(tap)?;
            let classes = maps.iter_mut().zip(self.question.classes);
            for ((maps, class), terms) in classes.zip(run(&self.question, tap)?) {
                match self.signed(method, *class, activations, terms) {
                    Some(signed) => maps.iter_mut().for_each(|maps| maps.push(signed.clone())),
                    // One layer that is not finite makes the joined map not finite.
                    None => *maps = None,
                }
            }
        }
        Ok(maps)
    }

    /// The maps of a class from the terms of every layer.
    fn of_layers(&self, method: &Definition, class: usize, layers: Layers) -> Result<RawMaps> {
        let layer = |(tap, (own, terms)): (usize, (Option<Features>, Terms))| {
            let activations = self.question.activations(tap)?;
            Ok(self.signed(method, class, own.as_ref().unwrap_or(activations), terms))
        };
        layers.into_iter().enumerate().map(layer).collect()
    }

    fn on_pixels(&self, method: &Definition, maps: Vec<Vec<f32>>) -> Vec<RawMaps> {
        let [_, height, width] = self.question.network().input();
        let maps = maps.into_iter().map(|values| Heatmap::new(height, width, values));
        self.of_maps(method, maps.collect())
    }

    /// The maps of a method that gives them itself.
    fn of_maps(&self, method: &Definition, maps: Vec<Option<Heatmap>>) -> Vec<RawMaps> {
        let of_class = |(map, class): (Option<Heatmap>, &usize)| {
            let rounding = (method.traits.rounding)(&self.question, *class, None);
            map.map(|map| vec![Signed::new(map, rounding)])
        };
        maps.into_iter().zip(self.question.classes).map(of_class).collect()
    }

    fn signed(
        &self,
        method: &Definition,
        class: usize,
        activations: &Features,
        terms: Terms,
    ) -> Option<Signed> {
        let of_scores = (method.traits.rounding)(&self.question, class, Some(activations));
        // Both kinds of rounding count: that of the sum over channels, and that of the scores that gave the
        // weights.
        let rounding = terms.rounding(activations).max(of_scores);
        let values = terms.into_map(activations, self.eigen);
        Heatmap::new(activations.height, activations.width, values).map(|map| Signed::new(map, rounding))
    }
}
