//! The methods, one per file, and the table that lists them. Each file starts with its paper and equation.
//!
//! A new method is a file with a [`Definition`], and a line in the table below (with a `mod` declaration).

mod ablation_cam;
mod attention_rollout;
mod class_activation;
mod d_rise;
mod deconvolution;
mod eigen_cam;
mod eigen_grad_cam;
mod elementwise;
mod fem;
mod finer_cam;
mod full_grad;
mod generic_attention;
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
mod layer_lrp;
mod le_grad;
mod lrp;
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
mod vit_recipro_cam;
mod xgrad_cam;
mod xrai;

use super::definition::{Definition, MethodInfo, Reads, Traits};
use super::finish::{Aggregate, Finish};
use super::options::Library;
use crate::error::{Error, Result, by_name, is_name};

/// The enum, the list and the definitions, from one line per method: variant, file, documentation.
macro_rules! methods {
    ($($variant:ident $file:ident $line:literal,)*) => {
        /// A way of turning evidence into a map.
        ///
        /// ```
        /// use burncam::Method;
        ///
        /// # fn main() -> burncam::Result<()> {
        /// let method: Method = "Grad-CAM++".parse()?;
        /// assert_eq!(method.info().name, "gradcampp");
        /// let on_pixels = Method::ALL.iter().filter(|method| !method.info().uses_layer && !method.info().uses_attention);
        /// assert!(on_pixels.count() > 5);
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Method {
            $(#[doc = $line] $variant,)*
        }

        impl Method {
            /// All methods, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub(super) fn definition(self) -> &'static Definition {
                match self {
                    $(Self::$variant => &$file::DEFINITION,)*
                }
            }
        }
    };
}

methods! {
    GradCam grad_cam "Gradient-weighted class activation mapping.",
    GradCamPlusPlus grad_cam_plus_plus "Weights that favour each of several objects.",
    LayerCam layer_cam "Positive gradient times activation.",
    HiResCam hires_cam "Gradient times activation.",
    XGradCam xgrad_cam "Gradients averaged with the activations as weights.",
    ElementWise elementwise "Gradient times activation, rectified term by term.",
    SmoothGradCamPlusPlus smooth_grad_cam_plus_plus "Grad-CAM++ over noisy inputs.",
    Cam class_activation "The weights of the last linear layer.",
    FinerCam finer_cam "What distinguishes a class from those most like it.",
    ShapleyCam shapley_cam "The gradient less half the curvature.",
    RefineCam refine_cam "The product of several layers.",
    ScoreCam score_cam "The score seen through each channel.",
    SsCam ss_cam "Score-CAM over noisy masks.",
    IsCam is_cam "Score-CAM over fainter masks.",
    AblationCam ablation_cam "The score without each channel.",
    ReciproCam recipro_cam "The score of each position alone.",
    VitReciproCam vit_recipro_cam "The score of each position and those around it, at tokens.",
    EigenCam eigen_cam "The first principal component.",
    EigenGradCam eigen_grad_cam "The same of gradient times activation.",
    SegEigenCam seg_eigen_cam "The same of activations weighted by gradient size.",
    KpcaCam kpca_cam "The first kernel principal component.",
    Fem fem "Channels weighted by rare, strong activations.",
    Random random_cam "Random weights: the baseline.",
    LayerLrp layer_lrp "Relevance of a layer's positions.",
    LeGrad le_grad "What more attention to each token would do to the score.",
    AttentionRollout attention_rollout "Attention through all blocks.",
    GenericAttention generic_attention "Attention times gradient through all blocks.",
    Gradient gradient "The vanilla gradient of the input.",
    InputXGradient input_x_gradient "Input times gradient.",
    SmoothGrad smooth_grad "The gradient over noisy inputs.",
    IntegratedGradients integrated_gradients "The gradient on the way to the picture.",
    GuidedBackprop guided_backprop "The gradient, rectified both ways.",
    Deconvolution deconvolution "The gradient, rectified on the way back.",
    GuidedGradCam guided_grad_cam "Guided backpropagation where Grad-CAM is hot.",
    FullGrad full_grad "Input and biases times their gradients.",
    Lrp lrp "Relevance handed back from layer to layer.",
    Xrai xrai "Integrated gradients over regions.",
    Occlusion occlusion "The score with a square covered.",
    Rise rise "Random masks.",
    DRise d_rise "Random masks, and what they leave of a detector's box.",
}

impl Method {
    /// Name, formula, paper and cost.
    #[must_use]
    pub fn info(self) -> &'static MethodInfo {
        &self.definition().info
    }

    /// Whether single pixels have much larger values than the rest, so that a scale up to the maximum would hide
    /// everything else.
    #[must_use]
    pub fn is_fine(self) -> bool {
        self.traits().fine
    }

    /// Whether an option that only some methods use affects the map.
    #[must_use]
    pub fn reads(self, option: Reads) -> bool {
        self.traits().reads.contains(&option)
    }

    /// How the maps of several layers are combined: as requested, unless the method or the library determines it.
    #[must_use]
    pub fn aggregate(self, finish: &Finish, library: Option<Library>) -> Aggregate {
        finish.aggregate_of(self.traits().joining, library)
    }

    /// What it is called: its name, its title, and its names elsewhere.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let info = self.info();
        [info.name, info.title].into_iter().chain(info.also.iter().copied())
    }

    pub(crate) fn traits(self) -> &'static Traits {
        &self.definition().traits
    }
}

impl Library {
    /// The methods of the library.
    pub fn methods(self) -> impl Iterator<Item = Method> {
        Method::ALL.iter().copied().filter(move |method| self.has(*method))
    }

    /// Whether it has a method, possibly under another name.
    #[must_use]
    pub fn has(self, method: Method) -> bool {
        method.traits().libraries.contains(&self)
    }
}

impl std::str::FromStr for Method {
    type Err = Error;

    /// Accepts a name, a title or a name in other libraries in common spellings: `gradcam`, `grad-cam`, `GradCAM`, `grad_cam`, `Grad-CAM++`.
    fn from_str(text: &str) -> Result<Self> {
        let called = Self::ALL.iter().find(|method| method.names().any(|name| is_name(name, text)));
        let names = Self::ALL.iter().map(|method| (method.info().name, *method));
        called.map_or_else(|| by_name("method", text, names), |method| Ok(*method))
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::Run;
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for text in ["gradcam", "grad-cam", "GradCAM", "grad_cam", "Grad-CAM"] {
            assert_eq!(text.parse::<Method>().unwrap(), Method::GradCam, "{text}");
        }
        for (text, method) in [
            ("Grad-CAM++", Method::GradCamPlusPlus),
            ("Guided backpropagation", Method::GuidedBackprop),
            ("gradcam_elementwise", Method::ElementWise),
            ("RISE", Method::Rise),
            ("D-RISE", Method::DRise),
            ("score_cam", Method::ScoreCam),
            ("GradcamPlusPlus", Method::GradCamPlusPlus),
            ("SmoothGradCAMpp", Method::SmoothGradCamPlusPlus),
            ("Saliency", Method::Gradient),
            ("IG", Method::IntegratedGradients),
        ] {
            assert_eq!(text.parse::<Method>().unwrap(), method, "{text}");
        }
        for text in ["", "-", "gradcan", "grad cam 2"] {
            assert!(text.parse::<Method>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_methods_are_written_alike() {
        for (at, method) in Method::ALL.iter().enumerate() {
            for name in method.names() {
                let first =
                    Method::ALL.iter().position(|other| other.names().any(|other| is_name(other, name)));
                assert_eq!(first, Some(at), "{name}");
            }
        }
    }

    #[test]
    fn what_a_definition_says_is_what_it_runs() {
        for method in Method::ALL {
            let Definition { info, run, traits } = method.definition();
            let (on_pixels, of_attention) = (matches!(run, Run::Pixels(_)), matches!(run, Run::Attention(_)));
            assert_eq!(info.uses_layer, !on_pixels && !of_attention, "{}", info.name);
            assert_eq!(info.uses_attention, of_attention, "{}", info.name);
            // What reads attention may ask the class or not.
            assert!(of_attention || info.uses_class == !matches!(run, Run::Activations(_)), "{}", info.name);
            let texts = [info.name, info.title, info.summary, info.formula, info.paper, info.cost];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}: {texts:?}", info.title);
            assert!(!traits.slope || !info.uses_layer, "{}", info.name);
            assert!(!traits.unfolded || on_pixels, "{}", info.name);
        }
    }
}
