//! Settings of methods, and the libraries whose conventions can be followed.

use std::fmt;
use std::sync::Arc;

use crate::engine::{Composite, Rectifiers, Rollout};
use crate::error::{Error, Result, by_name};

/// Options that only some methods use.
///
/// ```
/// use burncam::{Method, Request};
///
/// let mut request = Request::default();
/// request.methods = vec![Method::Rise];
/// request.options.samples = Some(200); // masks; the method's own number is 1000
/// request.options.seed = 7;
/// request.options.batch_size = 16;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Explains evidence against the class: every score changes its sign.
    pub counterfactual: bool,
    /// Keeps evidence against the class, as negative values: no ReLU, and no method discards its sign.
    pub signed: bool,
    /// Seed of random numbers. Equal seeds give equal maps on every machine.
    pub seed: u64,
    /// Random draws of a method that samples, or points on the path of integrated gradients. `None`: the method's own.
    pub samples: Option<usize>,
    /// Standard deviation of noise, as a share of the input's range. `None`: the method's own.
    pub noise: Option<f32>,
    /// Side of the occlusion square in pixels of the network's input. `None`: a seventh of the shorter side.
    pub patch: Option<usize>,
    /// Step between positions of the square. `None`: half of [`Options::patch`].
    pub stride: Option<usize>,
    /// Channels whose score is asked for by methods that ask for each: those whose activations vary most. `None`: all.
    pub channels: Option<usize>,
    /// Rules of relevance propagation. `None`: `epsilon-plus-flat`.
    pub composite: Option<Composite>,
    /// What rollout makes of heads and blocks. `None`: the mean of all heads, in all blocks.
    pub rollout: Option<Rollout>,
    /// Pictures or activations in one pass: determines the memory of perturbing methods.
    pub batch_size: usize,
    /// The library whose conventions to follow; `None` for burncam's own.
    pub library: Option<Library>,
    /// Receives the progress of methods that perturb.
    pub progress: Option<Progress>,
}

impl Options {
    /// The samples that were asked for, or a method's usual number.
    pub(super) fn samples_or(&self, usual: usize) -> usize {
        self.samples.unwrap_or(usual)
    }

    /// The operations to which a rule for rectifiers applies.
    pub(super) fn rectifiers(&self) -> Rectifiers {
        match self.library {
            // captum and pytorch-grad-cam look for `torch.nn.ReLU`, and ReLU6 is no subclass of it.
            Some(Library::Captum | Library::PytorchGradCam | Library::Xplique) => Rectifiers::Relu,
            _ => Rectifiers::ReluAndRelu6,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            counterfactual: false,
            signed: false,
            seed: 0,
            samples: None,
            noise: None,
            patch: None,
            stride: None,
            channels: None,
            composite: None,
            rollout: None,
            batch_size: 4,
            library: None,
            progress: None,
        }
    }
}

/// A library whose conventions can be followed: see `docs/compat.md`.
///
/// ```
/// use burncam::{Library, Method};
///
/// # fn main() -> burncam::Result<()> {
/// let library: Library = "captum".parse()?;
/// assert!(library.has(Method::GradCam) && !library.has(Method::Rise));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// eli5 0.16.
    Eli5,
    /// pytorch-grad-cam 1.5.7.
    PytorchGradCam,
    /// torchcam 0.5.0.
    Torchcam,
    /// captum 0.9.0.
    Captum,
    /// tf-keras-vis 0.8.7.
    TfKerasVis,
    /// xplique 2.0.2.
    Xplique,
}

impl Library {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Eli5, Self::PytorchGradCam, Self::Torchcam, Self::Captum, Self::TfKerasVis, Self::Xplique];

    /// Name as on the package index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eli5 => "eli5",
            Self::PytorchGradCam => "pytorch-grad-cam",
            Self::Torchcam => "torchcam",
            Self::Captum => "captum",
            Self::TfKerasVis => "tf-keras-vis",
            Self::Xplique => "xplique",
        }
    }

    /// Whether it cannot combine the maps of several layers.
    pub(crate) fn explains_one_layer(self) -> bool {
        // Only these two have a rule for joining layers.
        !matches!(self, Self::PytorchGradCam | Self::Torchcam)
    }
}

impl std::str::FromStr for Library {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("library", text, Self::ALL.iter().map(|library| (library.name(), *library)))
    }
}

/// A listener that receives the number of finished and of all passes.
///
/// ```
/// use burncam::{Method, Progress, Request};
///
/// let mut request = Request::default();
/// request.methods = vec![Method::Rise];
/// request.options.progress = Some(Progress::new(|done, total| println!("{done} of {total} passes")));
/// ```
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(usize, usize) + Send + Sync>);

impl Progress {
    /// Wraps a function of the number of finished and of all passes.
    pub fn new(listener: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    pub(crate) fn report(&self, done: usize, total: usize) {
        (self.0)(done, total);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}
