//! From a photo to its files: all of them, or none.
//!
//! Receives an [`Explainer`] and a photo; writes pictures, records and the sheet under names derived from the
//! photo's. One photo is four calls in a row: [`Explainer::read`], [`Explainer::explain`], [`Explainer::files`],
//! [`Files::commit`].

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

/// Explains one photo, or one `.npy` tensor, and writes into `directory` what the explainer's request asks for: what
/// `burncam explain PHOTO -o DIRECTORY` writes.
///
/// ```
/// use burncam::{ArtifactKind, Explainer, Method, Model, Request, explain_file};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let out = tempfile::tempdir()?;
/// # let out = out.path();
/// # #[cfg(feature = "embedded-model")] {
/// let mut request = Request::default();
/// request.methods = vec![Method::EigenCam];
/// request.artifacts = vec![ArtifactKind::Npy, ArtifactKind::Mask];
/// let explainer = Explainer::new(Model::embedded()?, request)?;
/// let written = explain_file(&explainer, "fixtures/images/rocket.jpg", out)?;
/// let names = ["rocket.eigencam.npy", "rocket.eigencam.mask.png", "rocket.eigencam.json"];
/// assert_eq!(written.files, names.map(|name| out.join(name)));
/// // A file in the way is an error, unless the request says that it is replaced.
/// assert!(explain_file(&explainer, "fixtures/images/rocket.jpg", out).is_err());
/// # }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the photo cannot be read or explained, and when a file is in the way or cannot be written. Nothing is left behind then.
pub fn explain_file(
    explainer: &Explainer,
    photo: impl AsRef<Path>,
    directory: impl AsRef<Path>,
) -> Result<Written> {
    let names = Names::of(photo.as_ref(), directory.as_ref());
    if !explainer.request().overwrite {
        refuse_existing(&names.known(explainer.request()))?;
    }
    let subject = explainer.read(photo)?;
    let explanations = explainer.explain(&subject)?;
    explainer.files(&subject, &explanations, &names)?.commit()
}

/// The first of the two passes for a scale shared by several photos: explains each only for the maximum of its maps,
/// and gives the explainer that divides each method's maps by the maximum over all photos.
///
/// `explain` reads and explains an input; an input with `None` does not affect the scale.
#[must_use]
pub fn share_scale<T: Sync>(
    explainer: Explainer,
    inputs: &[T],
    explain: impl Fn(&Explainer, &T) -> Option<Vec<Explanation>> + Sync,
) -> Explainer {
    let zeros = || vec![0.0; explainer.request().methods.len()];
    let greatest = |one: Vec<f32>, other: Vec<f32>| -> Vec<f32> {
        one.into_iter().zip(other).map(|(one, other)| one.max(other)).collect()
    };
    let magnitudes = |input: &T| -> Option<Vec<f32>> {
        Some(explain(&explainer, input)?.iter().map(Explanation::magnitude).collect())
    };
    let magnitudes =
        inputs.par_iter().map(|input| magnitudes(input).unwrap_or_else(zeros)).reduce(zeros, greatest);
    explainer.sharing(&magnitudes)
}
