//! How a picture's maps are asked for: every method on the network and with the layers that it needs, all classes at once.

use super::layers::multiplies;
use super::{Explainer, Request};
use crate::cam::{ClassMap, Joining, Library, MapRequest, Method, Scene};
use crate::error::{Error, Result};
use crate::model::Choice;

impl Explainer {
    /// The request's network with pictures in front of it, each `[1, channels, height, width]`.
    pub(super) fn scenes<'a>(&'a self, pictures: &[&'a [f32]]) -> Result<Vec<Scene<'a>>> {
        Scene::several(&self.network, pictures, &self.methods_at(0, &self.request.methods))
    }

    /// Per method the scores and maps of all classes, each method on the network that it asks for. The methods are some of the request's.
    pub(super) fn class_maps(
        &self,
        mut scene: Scene,
        methods: &[Method],
        classes: &[usize],
    ) -> Result<Vec<Vec<(f64, ClassMap)>>> {
        let Request { smoothing, options, .. } = &self.request;
        let ask = |scene: &mut Scene, methods: &[Method]| -> Result<Vec<Vec<(f64, ClassMap)>>> {
            let (score, finish, smoothing) = (self.score, self.finish, *smoothing);
            let maps =
                scene.class_maps(&MapRequest { methods, classes, score, finish, smoothing, options })?;
            // Of the logits and not of the map: the score is that of the picture itself, also with smoothing.
            let logits = scene.logits();
            let rivals = |class| scene.reduction().rivals(class, logits.len());
            let scores = || classes.iter().map(|class| score.value(logits, *class, rivals(*class)));
            Ok(maps.into_iter().map(|maps| scores().zip(maps).collect()).collect())
        };
        // The usual case: one network serves all methods.
        if self.unfolded.is_none() && self.refined.is_none() {
            return ask(&mut scene, methods);
        }
        let mut found = Vec::new();
        for (place, network) in [None, self.unfolded.as_ref(), self.refined.as_ref()].into_iter().enumerate()
        {
            let own = self.methods_at(place, methods);
            let maps = match network {
                _ if own.is_empty() => vec![],
                None => ask(&mut scene, &own)?,
                Some(network) => {
                    let again = Scene::several(network, &[scene.values()], &own)?.pop();
                    let again = again.ok_or_else(|| Error::internal("a picture has no scene"))?;
                    ask(&mut again.reduced(scene.reduction())?, &own)?
                }
            };
            found.push(maps.into_iter());
        }
        let maps: Option<_> = methods.iter().map(|method| found[self.network_of(*method)].next()).collect();
        maps.ok_or_else(|| Error::internal("a method gave no maps"))
    }

    /// Those of the methods whose network is at a place.
    fn methods_at(&self, place: usize, methods: &[Method]) -> Vec<Method> {
        methods.iter().copied().filter(|method| self.network_of(*method) == place).collect()
    }

    /// The place of a method's network: the usual one, the one with every operation, or the one with the layers of products.
    fn network_of(&self, method: Method) -> usize {
        match () {
            () if self.unfolded.is_some() && method.traits().unfolded => 1,
            () if self.refined.is_some() && multiplies(method) => 2,
            () => 0,
        }
    }
}

impl Explainer {
    /// The explained layers and the reasons for them; empty when all methods work on pixels. Methods that multiply the maps of several layers
    /// may have others: see [`Explainer::layers_of`].
    #[must_use]
    pub fn layers(&self) -> &[Choice] {
        &self.layers.usual
    }

    /// The layers that a method explains; empty when it uses none.
    #[must_use]
    pub fn layers_of(&self, method: Method) -> &[Choice] {
        match &self.layers.refined {
            _ if !method.info().uses_layer => &[],
            Some(refined) if multiplies(method) => refined,
            _ => &self.layers.usual,
        }
    }

    /// What people read of a layer: its name and its grid.
    pub(crate) fn layer_title(&self, layer: &Choice) -> String {
        self.model
            .grid(layer.index)
            .map_or_else(|| layer.name.clone(), |grid| format!("{} ({grid})", layer.name))
    }

    /// The layers of all methods, each once.
    #[must_use]
    pub fn every_layer(&self) -> Vec<&Choice> {
        let mut all: Vec<&Choice> = self.layers.usual.iter().collect();
        for layer in self.layers.refined.iter().flatten() {
            if !all.iter().any(|known| known.index == layer.index) {
                all.push(layer);
            }
        }
        all
    }
}

impl Request {
    /// Whether a method, or the library that is followed, has no way to join several layers.
    pub(super) fn takes_one_layer(&self) -> bool {
        self.methods.iter().any(|method| method.traits().joining == Joining::OneLayer)
            || self.options.library.is_some_and(Library::explains_one_layer)
    }
}
