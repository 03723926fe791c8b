//! How a picture's maps are asked for: every method on the network that it needs, all classes at once.

use super::{Explainer, Request};
use crate::cam::{ClassMap, Joining, Library, MapRequest, Method, Scene};
use crate::error::{Error, Result};

impl Explainer {
    /// The request's network with pictures in front of it, each `[1, channels, height, width]`.
    pub(super) fn scenes<'a>(&'a self, pictures: &[&'a [f32]]) -> Result<Vec<Scene<'a>>> {
        // Recording costs memory for every tensor of the head, so only where a method goes back.
        let recorded = self.request.methods.iter().any(|method| method.goes_back());
        Scene::several(&self.network, pictures, recorded)
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
        let Some(unfolded) = &self.unfolded else { return ask(&mut scene, methods) };
        let is_second = |method: &Method| method.traits().unfolded;
        let (second, first): (Vec<Method>, Vec<Method>) = methods.iter().copied().partition(is_second);
        let mut again = Scene::new(unfolded, scene.values())?.reduced(scene.reduction())?;
        let mut of_second = ask(&mut again, &second)?.into_iter();
        let mut of_first = ask(&mut scene, &first)?.into_iter();
        let next = |method| if is_second(method) { of_second.next() } else { of_first.next() };
        let found: Option<_> = methods.iter().map(next).collect();
        found.ok_or_else(|| Error::internal("a method gave no maps"))
    }
}

impl Request {
    /// Whether a method, or the library that is followed, has no way to join several layers.
    pub(super) fn takes_one_layer(&self) -> bool {
        self.methods.iter().any(|method| method.traits().joining == Joining::OneLayer)
            || self.options.library.is_some_and(Library::explains_one_layer)
    }
}
