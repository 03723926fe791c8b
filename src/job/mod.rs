//! From a photo to its files: all of them, or none.
//!
//! Receives an [`Explainer`] and a photo; writes pictures, records and the sheet under names derived from the
//! photo's. One photo is four calls in a row: [`Explainer::read`], [`Explainer::explain`], [`Explainer::files`],
//! [`Files::commit`].

mod contact;
mod files;
mod names;
mod sheet;

use std::path::Path;

use rayon::prelude::*;

pub use files::{Files, Written};
pub use names::Names;

use crate::error::Result;
use crate::explain::{Explainer, Explanation};
use crate::output::refuse_existing;

impl Explainer {
    /// Explains one photo, or one `.npy` tensor, and writes into `directory` what the request asks for: what
    /// `burncam explain PHOTO -o DIRECTORY` writes.
    ///
    /// ```
    /// use burncam::{ArtifactKind, Explainer, Method, Model, Request};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let out = tempfile::tempdir()?;
    /// # let out = out.path();
    /// # #[cfg(feature = "embedded-model")] {
    /// let mut request = Request::default();
    /// request.methods = vec![Method::EigenCam];
    /// request.artifacts = vec![ArtifactKind::Npy, ArtifactKind::Mask];
    /// let explainer = Explainer::new(Model::embedded()?, request)?;
    /// let written = explainer.explain_file("fixtures/images/rocket.jpg", out)?;
    /// let names = ["rocket.eigencam.npy", "rocket.eigencam.mask.png", "rocket.eigencam.json"];
    /// assert_eq!(written.files, names.map(|name| out.join(name)));
    /// // A file in the way is an error, unless the request says that it is replaced.
    /// assert!(explainer.explain_file("fixtures/images/rocket.jpg", out).is_err());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the photo cannot be read or explained, and when a file is in the way or cannot be written. Nothing is left behind
    /// then.
    pub fn explain_file(&self, photo: impl AsRef<Path>, directory: impl AsRef<Path>) -> Result<Written> {
        let names = Names::of(photo.as_ref(), directory.as_ref());
        if !self.request().overwrite {
            // Before the photo is read: a run over a directory that is done already fails at once.
            refuse_existing(&names.known(self.request()))?;
        }
        let subject = self.read(photo)?;
        let explanations = self.explain(&subject)?;
        self.files(&subject, &explanations, &names).commit()
    }

    /// The first of the two passes for a scale shared by several photos: explains each only for the maximum of its maps,
    /// and gives the explainer that divides each method's maps by the maximum over all photos.
    ///
    /// `explain` reads and explains an input; an input with `None` does not affect the scale.
    #[must_use]
    pub fn share_scale<T: Sync>(
        self,
        inputs: &[T],
        explain: impl Fn(&Self, &T) -> Option<Vec<Explanation>> + Sync,
    ) -> Self {
        let zeros = || vec![0.0; self.request().methods.len()];
        let greatest = |one: Vec<f32>, other: Vec<f32>| -> Vec<f32> {
            one.into_iter().zip(other).map(|(one, other)| one.max(other)).collect()
        };
        let magnitudes = |input: &T| -> Option<Vec<f32>> {
            Some(explain(&self, input)?.iter().map(Explanation::magnitude).collect())
        };
        let magnitudes =
            // The maximum does not depend on the order, so the pass may run in any.
            inputs.par_iter().map(|input| magnitudes(input).unwrap_or_else(zeros)).reduce(zeros, greatest);
        self.sharing(&magnitudes)
    }
}
