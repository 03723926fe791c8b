//! Preprocessing of an imported network: presets of the frameworks, and the caller's changes.
//!
//! Receives a [`PreprocessRequest`] and the network's input; gives a complete [`Preprocess`] and a description of
//! what was assumed. Neither ONNX files nor weights state their preprocessing, so every assumption is reported.

use std::str::FromStr;

use crate::card::{ColorOrder, Crop, Filter, InputSpec, Preprocess, Resize};
use crate::error::{Error, OptionName, Phrase, Result, by_name};

/// The usual preprocessing of a framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// torchvision's and timm's: shorter side to 8/7 of the input, centre crop, `x / 255`, ImageNet's mean and
    /// standard deviation.
    Imagenet,
    /// Keras's `tf` mode: stretched, `x / 127.5 - 1`.
    Tf,
    /// Keras's `caffe` mode: stretched, BGR, ImageNet's mean subtracted from 0..=255.
    Caffe,
    /// ultralytics' classifiers: shorter side to the input, centre crop, `x / 255`, no mean and deviation. Their detectors have
    /// the whole picture in the input, between bars.
    Ultralytics,
    /// timm's usual: as `Imagenet`, resampled bicubically.
    Timm,
    /// CLIP's image encoders: shorter side to the input, bicubic, centre crop, `x / 255`, CLIP's mean and standard deviation.
    Clip,
    /// Keras's `torch` mode: stretched, `x / 255`, ImageNet's mean and standard deviation.
    KerasTorch,
    /// Stretched, values 0..=255: for networks that normalise their input themselves.
    Raw,
}

/// Every preset, for listings.
const PRESETS: [(&str, Preset); 10] = [
    ("imagenet", Preset::Imagenet),
    ("tf", Preset::Tf),
    ("caffe", Preset::Caffe),
    ("raw", Preset::Raw),
    ("ultralytics", Preset::Ultralytics),
    ("timm", Preset::Timm),
    ("clip", Preset::Clip),
    // Second names come last: a preset is called by its first.
    ("keras-tf", Preset::Tf),
    ("keras-caffe", Preset::Caffe),
    ("keras-torch", Preset::KerasTorch),
];

impl Preset {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        PRESETS.iter().find(|(_, preset)| *preset == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("preset", text, PRESETS.iter().copied())
    }
}

/// How the picture is resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeRequest {
    /// The shorter side becomes this many pixels.
    ShortestSide(usize),
    /// Height and width become these.
    Stretch([usize; 2]),
    /// The whole picture fits inside the input, with bars around it.
    Letterbox,
    /// Not resized.
    None,
}

/// The caller's changes to preprocessing; fields that are `None` come from the preset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreprocessRequest {
    /// The preset to start from. Default: the architecture's, or what the network's input suggests.
    pub preset: Option<Preset>,
    /// How the picture is resized.
    pub resize: Option<ResizeRequest>,
    /// Height and width of the centre crop, which is the network's input.
    pub crop: Option<[usize; 2]>,
    /// The resampling filter.
    pub filter: Option<Filter>,
    /// The colour order.
    pub color: Option<ColorOrder>,
    /// Factor on the values 0..=255.
    pub scale: Option<f64>,
    /// Subtracted after scaling, one value per channel.
    pub mean: Option<Vec<f64>>,
    /// Divisor after subtraction, one value per channel.
    pub std: Option<Vec<f64>>,
}

impl PreprocessRequest {
    /// Height and width of the network's input, if the caller specified them.
    #[must_use]
    pub(super) fn input_size(&self) -> Option<[usize; 2]> {
        match (self.crop, self.resize) {
            (Some(crop), _) => Some(crop),
            (None, Some(ResizeRequest::Stretch(size))) => Some(size),
            _ => None,
        }
    }

    /// Whether the caller specified nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Applies the caller's changes to an architecture's or a card's preprocessing.
    #[must_use]
    pub(super) fn change(&self, usual: Preprocess, input: &InputSpec) -> Preprocess {
        if self.is_empty() {
            return usual;
        }
        let size = [input.height, input.width];
        match self.preset {
            Some(chosen) => self.apply(preset(chosen, input), size),
            // The crop does not depend on the changed fields.
            None if self.resize.is_none() && self.crop.is_none() => {
                Preprocess { crop: usual.crop.clone(), ..self.apply(usual, size) }
            }
            None => self.apply(usual, size),
        }
    }

    /// Applies the caller's changes to `base`, for a network whose input is `height` x `width`.
    #[must_use]
    pub fn apply(&self, base: Preprocess, [height, width]: [usize; 2]) -> Preprocess {
        let filter = self.filter.unwrap_or_else(|| filter_of(&base.resize));
        let resize = match self.resize {
            Some(ResizeRequest::ShortestSide(size)) => Resize::ShortestSide { size, filter },
            Some(ResizeRequest::Stretch([height, width])) => Resize::Stretch { height, width, filter },
            Some(ResizeRequest::Letterbox) => Resize::Letterbox { height, width, filter, fill: 0 },
            Some(ResizeRequest::None) => Resize::None {},
            None => with_filter(&base.resize, filter),
        };
        let fills = match &resize {
            Resize::Stretch { height: h, width: w, .. } | Resize::Letterbox { height: h, width: w, .. } => {
                [*h, *w] == [height, width]
            }
            Resize::ShortestSide { .. } | Resize::None {} => false,
        };
        Preprocess {
            resize,
            // A picture that has the input's size already is not cut.
            crop: (!fills).then_some(Crop::Center { height, width }),
            color: self.color.unwrap_or(base.color),
            scale: self.scale.unwrap_or(base.scale),
            mean: self.mean.clone().unwrap_or(base.mean),
            std: self.std.clone().unwrap_or(base.std),
        }
    }
}

/// Mean and standard deviation of ImageNet's colours, from 0 to 1.
const IMAGENET: [[f64; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// Those that CLIP was trained with.
const CLIP: [[f64; 3]; 2] =
    [[0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]];

/// A preset for an input of `height` x `width`.
#[must_use]
pub(super) fn preset(preset: Preset, input: &InputSpec) -> Preprocess {
    let InputSpec { channels, height, width, .. } = *input;
    let (filter, grey) = (Filter::Bilinear, channels == 1);
    let stretch = Resize::Stretch { height, width, filter };
    let color = if grey { ColorOrder::Gray } else { ColorOrder::Rgb };
    let list = |numbers: [f64; 3]| numbers[..channels.min(3)].to_vec();
    let raw = Preprocess { resize: stretch, crop: None, color, scale: 1.0, mean: vec![], std: vec![] };
    let cropped = |size: usize, filter: Filter, [mean, std]: [[f64; 3]; 2]| Preprocess {
        resize: Resize::ShortestSide { size, filter },
        crop: Some(Crop::Center { height, width }),
        color,
        scale: 1.0 / 255.0,
        // Statistics of colours say nothing about grey pictures.
        mean: if grey { vec![] } else { list(mean) },
        std: if grey { vec![] } else { list(std) },
    };
    let side = height.min(width);
    // torchvision's proportion: 256 for 224.
    let larger = (side * 8).div_ceil(7);
    match preset {
        Preset::Imagenet => cropped(larger, filter, IMAGENET),
        Preset::Timm => cropped(larger, Filter::Bicubic, IMAGENET),
        Preset::Clip => cropped(side, Filter::Bicubic, CLIP),
        Preset::Ultralytics => Preprocess { mean: vec![], std: vec![], ..cropped(side, filter, IMAGENET) },
        Preset::KerasTorch => {
            Preprocess { resize: raw.resize, crop: None, ..cropped(side, filter, IMAGENET) }
        }
        Preset::Tf => Preprocess { scale: 1.0 / 127.5, mean: list([1.0; 3]), ..raw },
        // The means are those of three colours.
        Preset::Caffe if grey => raw,
        Preset::Caffe => Preprocess { color: ColorOrder::Bgr, mean: list([103.939, 116.779, 123.68]), ..raw },
        Preset::Raw => raw,
    }
}

fn filter_of(resize: &Resize) -> Filter {
    match resize {
        Resize::ShortestSide { filter, .. }
        | Resize::Stretch { filter, .. }
        | Resize::Letterbox { filter, .. } => *filter,
        Resize::None {} => Filter::default(),
    }
}

fn with_filter(resize: &Resize, filter: Filter) -> Resize {
    match *resize {
        Resize::ShortestSide { size, .. } => Resize::ShortestSide { size, filter },
        Resize::Stretch { height, width, .. } => Resize::Stretch { height, width, filter },
        Resize::Letterbox { height, width, fill, .. } => Resize::Letterbox { height, width, filter, fill },
        Resize::None {} => Resize::None {},
    }
}

/// An architecture's preprocessing for grey pictures: values per colour are only kept when all are equal.
#[must_use]
pub(super) fn for_grey(colour: Preprocess) -> Preprocess {
    let one = |numbers: Vec<f64>| match numbers.first() {
        Some(first) if numbers.iter().all(|number| number == first) => vec![*first],
        _ => vec![],
    };
    Preprocess { color: ColorOrder::Gray, mean: one(colour.mean), std: one(colour.std), ..colour }
}

/// The sentence that reports an assumption and its reason.
#[must_use]
pub(super) fn assumed(reason: &str, source: &str, preprocess: &Preprocess) -> Phrase {
    use OptionName::{Color, Mean, PixelScale, Preset, Resize, Std};
    let options = [Preset, Resize, Mean, Std, PixelScale, Color].map(OptionName::name);
    Phrase::from(format!("{reason}: {source} ({}); ", describe(preprocess)))
        .phrase(Phrase::filled("{}, {}, {}, {}, {} and {} say otherwise", options))
}

/// The preprocessing in words, for the note about assumptions.
#[must_use]
fn describe(preprocess: &Preprocess) -> String {
    let resize = match &preprocess.resize {
        Resize::ShortestSide { size, .. } => format!("shorter side to {size}"),
        Resize::Stretch { height, width, .. } => format!("stretched to {height}x{width}"),
        Resize::Letterbox { height, width, .. } => format!("letterboxed into {height}x{width}"),
        Resize::None {} => "size as it is".into(),
    };
    let crop = match &preprocess.crop {
        Some(Crop::Center { height, width }) => format!(", {height}x{width} cut from the centre"),
        None => String::new(),
    };
    let color = match preprocess.color {
        ColorOrder::Rgb => "RGB",
        ColorOrder::Bgr => "BGR",
        ColorOrder::Gray => "grey",
    };
    let range = |value: f64, at: usize| {
        let mean = preprocess.mean.get(at).copied().unwrap_or(0.0);
        (value * preprocess.scale - mean) / preprocess.std.get(at).copied().unwrap_or(1.0)
    };
    format!("{resize}{crop}, {color}, values from {:.3} to {:.3}", range(0.0, 0), range(255.0, 0))
}
