//! From Keras's layers to the graph's operations, one function per kind of layer.
//!
//! Receives a [`Site`], gives the tensor that the call returns. A setting that the graph cannot express is refused, never dropped.

mod activation;
mod arithmetic;
mod attention;
mod conv;
mod elementwise;
mod functions;
mod indices;
mod norm;
mod picture;
mod pool;
mod product;
mod sequence;
mod shape;
mod window;

use serde_json::Value;

use super::network::Layer;
use super::site::{Lower, Site, Tensor};
use crate::card::Op;
use crate::error::Problem;

/// The function that lowers a layer, if it is supported.
pub(super) fn find(layer: &Layer) -> Option<Lower> {
    let class = layer.class.as_str();
    let mut functions = arithmetic::FUNCTIONS.iter().chain(&functions::FUNCTIONS);
    if layer.is_operation() {
        return functions.find(|(classes, ..)| classes.contains(&class)).map(|(.., lower)| *lower);
    }
    if is_of_tensorflow(class) {
        let name = layer.settings.get("function").and_then(Value::as_str)?;
        return functions.find(|(_, names, _)| names.contains(&name)).map(|(.., lower)| *lower);
    }
    of_class(layer).or_else(|| picture::find(class)).or_else(|| sequence::find(class)).or_else(|| match class
    {
        class if activation::is_layer(class) => Some(activation::layer),
        class if is_training_only(class) => Some(nothing),
        _ => None,
    })
}

/// Whether a class is that of a function of TensorFlow in place of a layer.
pub(super) fn is_of_tensorflow(class: &str) -> bool {
    matches!(class, "TFOpLambda" | "SlicingOpLambda")
}

fn of_class(layer: &Layer) -> Option<Lower> {
    Some(match layer.class.as_str() {
        "Conv2D" | "Convolution2D" => conv::conv,
        "Conv2DTranspose" | "Convolution2DTranspose" => conv::transposed,
        "DepthwiseConv2D" => conv::depthwise,
        "SeparableConv2D" | "SeparableConvolution2D" => conv::separable,
        "Dense" => conv::dense,
        "EinsumDense" => product::einsum,
        "Dot" => product::dot,
        "MultiHeadAttention" => attention::multi_head,
        "Attention" => attention::dot_product,
        "BatchNormalization" | "BatchNormalizationV1" | "SyncBatchNormalization" => norm::batch,
        "LayerNormalization" => norm::layer,
        "GroupNormalization" => norm::group,
        "RMSNormalization" => norm::root_mean_square,
        "UnitNormalization" => norm::unit,
        "Normalization" => norm::constant,
        "Rescaling" => norm::rescaling,
        // ConvNeXt's in Keras. A user's own class may have the name, but hardly the settings.
        "LayerScale" if layer.settings.contains_key("projection_dim") => norm::layer_scale,
        "MaxPooling2D" | "AveragePooling2D" => pool::window,
        "AdaptiveAveragePooling2D" => pool::adaptive,
        "GlobalAveragePooling2D" | "GlobalMaxPooling2D" => pool::global,
        "Flatten" => shape::flatten,
        "Reshape" => shape::reshape,
        "Permute" => shape::permute,
        "Concatenate" => arithmetic::concatenate,
        "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" => arithmetic::merge,
        // Inception-ResNet's since Keras 3; before it was a Lambda.
        "CustomScaleLayer" | "Custom>CustomScaleLayer" if layer.settings.contains_key("scale") => {
            arithmetic::scaled_sum
        }
        "Lambda" if arithmetic::is_known_lambda(&layer.settings) => arithmetic::scaled_sum,
        "Activation" => activation::by_setting,
        "StochasticDepth" if layer.settings.contains_key("drop_path_rate") => nothing,
        _ => return None,
    })
}

/// Layers that do something in training alone.
fn is_training_only(class: &str) -> bool {
    const CLASSES: [&str; 30] = [
        "ActivityRegularization",
        "AlphaDropout",
        "AugMix",
        "AutoContrast",
        "CutMix",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "MixUp",
        "RandAugment",
        "RandomBrightness",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomContrast",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomFlip",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomHeight",
        "RandomHue",
        "RandomInvert",
        "RandomPerspective",
        "RandomPosterization",
        "RandomRotation",
        "RandomSaturation",
        "RandomSharpness",
        "RandomShear",
        "RandomTranslation",
    ];
    CLASSES.contains(&class)
        || matches!(class, "RandomWidth" | "RandomZoom" | "SpatialDropout1D" | "SpatialDropout2D")
}

/// A layer without effect in evaluation. Dropouts keep their names in the graph, as those of other frameworks do.
fn nothing(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    match site.class.ends_with("Dropout") {
        true => site.unary(Op::Dropout {}, &x),
        false => Ok(x),
    }
}
