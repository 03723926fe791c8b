//! From Keras's layers to the graph's operations, one function per kind of layer.
//!
//! Receives a [`Site`], gives the tensor that the call returns. A setting that the graph cannot express is refused, never dropped.

mod activation;
mod arithmetic;
mod conv;
mod elementwise;
mod norm;
mod picture;
mod pool;
mod shape;
mod window;

use super::network::Layer;
use super::site::{Lower, Site, Tensor};
use crate::card::Op;
use crate::error::Problem;

/// The function that lowers a layer, if it is supported.
pub(super) fn find(layer: &Layer) -> Option<Lower> {
    if layer.is_operation() {
        return arithmetic::operation(&layer.class);
    }
    Some(match layer.class.as_str() {
        "Conv2D" | "Convolution2D" => conv::conv,
        "DepthwiseConv2D" => conv::depthwise,
        "SeparableConv2D" | "SeparableConvolution2D" => conv::separable,
        "Dense" => conv::dense,
        "BatchNormalization" | "BatchNormalizationV1" | "SyncBatchNormalization" => norm::batch,
        "LayerNormalization" => norm::layer,
        "GroupNormalization" => norm::group,
        "Normalization" => norm::constant,
        "Rescaling" => norm::rescaling,
        "LayerScale" if layer.settings.contains_key("projection_dim") => norm::layer_scale,
        "MaxPooling2D" | "AveragePooling2D" => pool::window,
        "GlobalAveragePooling2D" | "GlobalMaxPooling2D" => pool::global,
        "ZeroPadding2D" => picture::pad,
        "Cropping2D" => picture::crop,
        "CenterCrop" => picture::centre,
        "UpSampling2D" => picture::repeat,
        "Resizing" => picture::resize,
        "Flatten" => shape::flatten,
        "Reshape" => shape::reshape,
        "Permute" => shape::permute,
        "Concatenate" => arithmetic::concatenate,
        "Add" | "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" => arithmetic::merge,
        "CustomScaleLayer" if layer.settings.contains_key("scale") => arithmetic::scaled_sum,
        "Lambda" if arithmetic::is_known_lambda(&layer.settings) => arithmetic::scaled_sum,
        "TFOpLambda" => return arithmetic::function(&layer.settings),
        "Activation" => activation::by_setting,
        "StochasticDepth" if layer.settings.contains_key("drop_path_rate") => nothing,
        class if activation::is_layer(class) => activation::layer,
        class if is_training_only(class) => nothing,
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
    CLASSES.contains(&class) || matches!(class, "RandomWidth" | "RandomZoom" | "SpatialDropout2D")
}

/// A layer without effect in evaluation. Dropouts keep their names in the graph, as those of other frameworks do.
fn nothing(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    match site.class.ends_with("Dropout") {
        true => site.unary(Op::Dropout {}, &x),
        false => Ok(x),
    }
}
