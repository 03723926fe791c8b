//! The methods, one a file. Each opens with its paper and equation.

mod ablation_cam;
mod class_activation;
mod deconvolution;
mod eigen_cam;
mod eigen_grad_cam;
mod elementwise;
mod fem;
mod finer_cam;
mod full_grad;
mod grad_cam;
mod grad_cam_plus_plus;
mod gradient;
mod guided_backprop;
mod guided_grad_cam;
mod hires_cam;
mod input_x_gradient;
mod integrated_gradients;
mod is_cam;
mod kpca_cam;
mod layer_cam;
mod occlusion;
mod random_cam;
mod recipro_cam;
mod refine_cam;
mod rise;
mod score_cam;
mod seg_eigen_cam;
mod shapley_cam;
mod smooth_grad;
mod smooth_grad_cam_plus_plus;
mod ss_cam;
mod xgrad_cam;

pub(super) use class_activation::linear_weights;
pub(super) use occlusion::check_square;

use super::scene::Question;
use super::terms::Terms;
use crate::engine::Evidence;
use crate::error::{Error, Result};

/// A way of turning evidence into a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Gradient-weighted class activation mapping.
    GradCam,
    /// Weights that favour each of several objects.
    GradCamPlusPlus,
    /// Positive gradient times activation.
    LayerCam,
    /// Gradient times activation.
    HiResCam,
    /// Gradients averaged with the activations as weights.
    XGradCam,
    /// Gradient times activation, rectified term by term.
    ElementWise,
    /// Grad-CAM++ over noisy inputs.
    SmoothGradCamPlusPlus,
    /// The weights of the last linear layer.
    Cam,
    /// What tells a class from those most like it.
    FinerCam,
    /// The gradient less half the curvature.
    ShapleyCam,
    /// The product of several layers.
    RefineCam,
    /// The score seen through each channel.
    ScoreCam,
    /// Score-CAM over noisy masks.
    SsCam,
    /// Score-CAM over fainter masks.
    IsCam,
    /// The score without each channel.
    AblationCam,
    /// The score of each position alone.
    ReciproCam,
    /// The first principal component.
    EigenCam,
    /// The same of gradient times activation.
    EigenGradCam,
    /// The same of activations weighted by gradient size.
    SegEigenCam,
    /// The first kernel principal component.
    KpcaCam,
    /// Channels weighted by rare, strong activations.
    Fem,
    /// Random weights: the baseline.
    Random,
    /// The vanilla gradient of the input.
    Gradient,
    /// Input times gradient.
    InputXGradient,
    /// The gradient over noisy inputs.
    SmoothGrad,
    /// The gradient on the way to the picture.
    IntegratedGradients,
    /// The gradient, rectified both ways.
    GuidedBackprop,
    /// The gradient, rectified on the way back.
    Deconvolution,
    /// Guided backpropagation where Grad-CAM is hot.
    GuidedGradCam,
    /// Input and biases times their gradients.
    FullGrad,
    /// The score with a square covered.
    Occlusion,
    /// Random masks.
    Rise,
}

/// What `burncam methods` prints and the record repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodInfo {
    /// As written on the command line and in file names.
    pub name: &'static str,
    /// As written in papers, and as eli5 has it in its records.
    pub title: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// One line of mathematics.
    pub formula: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// What it costs, in passes through the network.
    pub cost: &'static str,
    /// False for a method whose map is the same for every class.
    pub uses_class: bool,
    /// False for a method that works on the input's pixels and needs no layer.
    pub uses_layer: bool,
    /// True where what speaks against a class can be told from what speaks for it.
    pub has_sign: bool,
    /// True where the map is a sum over the layer's channels.
    pub has_terms: bool,
}

/// Every layer's evidence and what a method makes of it.
pub(super) type Layers = Vec<(Evidence, Terms)>;

/// A method's entry in the table.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) info: MethodInfo,
    pub(super) run: Run,
}

/// What a method needs, and how it is called.
#[derive(Debug)]
pub(super) enum Run {
    /// Activations and gradients of one layer.
    Evidence(fn(&Evidence) -> Terms),
    /// Questions about one layer, by its position among the tapped ones.
    Layer(fn(&Question, usize) -> Result<Terms>),
    /// Evidence of its own for all layers at once.
    Shared(fn(&Question) -> Result<Layers>),
    /// As `Layer`, and the maps of the layers are always multiplied.
    Product(fn(&Question, usize) -> Result<Terms>),
    /// A map over the input's pixels, `[height, width]`.
    Pixels(fn(&Question) -> Result<Vec<f32>>),
}

impl Method {
    /// All methods, the default first.
    pub const ALL: &'static [Self] = &[
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::LayerCam,
        Self::HiResCam,
        Self::XGradCam,
        Self::ElementWise,
        Self::SmoothGradCamPlusPlus,
        Self::Cam,
        Self::FinerCam,
        Self::ShapleyCam,
        Self::RefineCam,
        Self::ScoreCam,
        Self::SsCam,
        Self::IsCam,
        Self::AblationCam,
        Self::ReciproCam,
        Self::EigenCam,
        Self::EigenGradCam,
        Self::SegEigenCam,
        Self::KpcaCam,
        Self::Fem,
        Self::Random,
        Self::Gradient,
        Self::InputXGradient,
        Self::SmoothGrad,
        Self::IntegratedGradients,
        Self::GuidedBackprop,
        Self::Deconvolution,
        Self::GuidedGradCam,
        Self::FullGrad,
        Self::Occlusion,
        Self::Rise,
    ];

    /// Name, formula, paper and cost.
    #[must_use]
    pub fn info(self) -> &'static MethodInfo {
        &self.definition().info
    }

    /// True where single pixels stand out so far that drawing up to the greatest would show nothing else.
    #[must_use]
    pub fn is_fine(self) -> bool {
        let is_coarse = matches!(self, Self::FullGrad | Self::Occlusion | Self::Rise);
        matches!(self.definition().run, Run::Pixels(_)) && !is_coarse
    }

    /// True where [`Options::samples`](super::Options::samples) changes the map.
    #[must_use]
    pub fn reads_samples(self) -> bool {
        self.reads_noise() || matches!(self, Self::IsCam | Self::IntegratedGradients | Self::Rise)
    }

    /// True where [`Options::noise`](super::Options::noise) changes the map.
    #[must_use]
    pub fn reads_noise(self) -> bool {
        matches!(self, Self::SmoothGradCamPlusPlus | Self::SsCam | Self::SmoothGrad)
    }

    pub(super) fn definition(self) -> &'static Definition {
        match self {
            Self::GradCam => &grad_cam::DEFINITION,
            Self::GradCamPlusPlus => &grad_cam_plus_plus::DEFINITION,
            Self::LayerCam => &layer_cam::DEFINITION,
            Self::HiResCam => &hires_cam::DEFINITION,
            Self::XGradCam => &xgrad_cam::DEFINITION,
            Self::ElementWise => &elementwise::DEFINITION,
            Self::SmoothGradCamPlusPlus => &smooth_grad_cam_plus_plus::DEFINITION,
            Self::Cam => &class_activation::DEFINITION,
            Self::FinerCam => &finer_cam::DEFINITION,
            Self::ShapleyCam => &shapley_cam::DEFINITION,
            Self::RefineCam => &refine_cam::DEFINITION,
            Self::ScoreCam => &score_cam::DEFINITION,
            Self::SsCam => &ss_cam::DEFINITION,
            Self::IsCam => &is_cam::DEFINITION,
            Self::AblationCam => &ablation_cam::DEFINITION,
            Self::ReciproCam => &recipro_cam::DEFINITION,
            Self::EigenCam => &eigen_cam::DEFINITION,
            Self::EigenGradCam => &eigen_grad_cam::DEFINITION,
            Self::SegEigenCam => &seg_eigen_cam::DEFINITION,
            Self::KpcaCam => &kpca_cam::DEFINITION,
            Self::Fem => &fem::DEFINITION,
            Self::Random => &random_cam::DEFINITION,
            Self::Gradient => &gradient::DEFINITION,
            Self::InputXGradient => &input_x_gradient::DEFINITION,
            Self::SmoothGrad => &smooth_grad::DEFINITION,
            Self::IntegratedGradients => &integrated_gradients::DEFINITION,
            Self::GuidedBackprop => &guided_backprop::DEFINITION,
            Self::Deconvolution => &deconvolution::DEFINITION,
            Self::GuidedGradCam => &guided_grad_cam::DEFINITION,
            Self::FullGrad => &full_grad::DEFINITION,
            Self::Occlusion => &occlusion::DEFINITION,
            Self::Rise => &rise::DEFINITION,
        }
    }
}

impl std::str::FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.iter();
        all.find(|method| method.info().name == text)
            .copied()
            .ok_or_else(|| Error::unknown("method", text, Self::ALL.iter().map(|method| method.info().name)))
    }
}
