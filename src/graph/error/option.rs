//! The options that messages can mention, by the names of the library's fields.

use std::fmt;

macro_rules! options {
    ($($(#[$doc:meta])* $option:ident: $field:literal,)*) => {
        /// An option that a message can mention. `Display` gives the field of the library that holds it; a program with options
        /// of its own calls them by a [`Wording`](super::Wording).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum OptionName {
            $($(#[$doc])* $option,)*
        }

        impl OptionName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$option),*];

            /// The field that holds it, for example `Options::samples`.
            #[must_use]
            pub const fn field(self) -> &'static str {
                match self {
                    $(Self::$option => $field,)*
                }
            }
        }
    };
}

options! {
    /// How the maps of several layers become one.
    Aggregate: "Finish::aggregate",
    /// The class that others are compared with.
    Against: "Request::against",
    /// Whether tensors may be left over at an import.
    AllowUnused: "ImportRequest::allow_unused",
    /// The architecture that weights belong to.
    Arch: "ImportRequest::arch",
    /// How many perturbed inputs go through the network together.
    BatchSize: "Options::batch_size",
    /// The card that describes a file of weights.
    Card: "ImportRequest::card",
    /// Names of the classes.
    Classes: "ImportRequest::classes",
    /// Order of the colours.
    Color: "PreprocessRequest::color",
    /// The library whose conventions are followed.
    Compat: "Options::library",
    /// Rules of relevance propagation.
    Composite: "Options::composite",
    /// What speaks against the class.
    Counterfactual: "Options::counterfactual",
    /// Size of the centre crop.
    Crop: "PreprocessRequest::crop",
    /// Where the network runs.
    Device: "Runtime::device",
    /// What runs the network.
    Engine: "Runtime::engine",
    /// The resampling filter.
    Filter: "PreprocessRequest::filter",
    /// Whether files are replaced.
    Force: "overwrite",
    /// Whether weights are stored as `f16`.
    Half: "ImportRequest::half",
    /// What the head of an architecture is.
    Head: "ImportRequest::head",
    /// What an embedded colour profile is used for.
    Icc: "ReadOptions::icc",
    /// The key that weights have in their file.
    Key: "ImportRequest::key",
    /// The layers that are explained.
    Layer: "Request::layers",
    /// The picture whose embedding others are compared with.
    Like: "Request::like",
    /// What files may take of memory together.
    MemoryLimit: "memory::set_limit",
    /// Subtracted from pixels.
    Mean: "PreprocessRequest::mean",
    /// Number of channels whose score is asked for.
    Channels: "Options::channels",
    /// Deviation of noise.
    Noise: "Options::noise",
    /// Maps as they are, divided by nothing.
    NoNormalize: "Scale::Raw",
    /// Number of classes of an architecture.
    NumClasses: "ImportRequest::num_classes",
    /// What the outputs are.
    Output: "ImportRequest::output",
    /// Inputs of an ONNX file that are the same for every picture.
    Inputs: "ImportRequest::inputs",
    /// Which output of an ONNX file is taken.
    OutputName: "ImportRequest::output_name",
    /// The pixels over which a segmentation's class is summed.
    Over: "Request::over",
    /// Side of the square that covers the input.
    Patch: "Options::patch",
    /// What convolutions multiply.
    Precision: "Runtime::precision",
    /// The framework's way to prepare pictures.
    Preset: "PreprocessRequest::preset",
    /// Parts of tensors' names that are replaced.
    Rename: "ImportRequest::rename",
    /// How pictures come to size.
    Resize: "PreprocessRequest::resize",
    /// What rollout makes of heads and blocks.
    Rollout: "Options::rollout",
    /// Number of random draws.
    Samples: "Options::samples",
    /// What maps are divided by.
    Scale: "Request::scale",
    /// Factor on pixels.
    PixelScale: "PreprocessRequest::scale",
    /// The number that is explained.
    Score: "Request::score",
    /// Maps with negative values.
    Signed: "Options::signed",
    /// Averages over changed inputs, and projections.
    Smooth: "Request::smoothing",
    /// Pixels are divided by it.
    Std: "PreprocessRequest::std",
    /// Step between two squares.
    Stride: "Options::stride",
    /// Whether damaged pictures are refused.
    StrictPictures: "ReadOptions::strict",
    /// The class that is explained.
    Target: "Request::targets",
    /// What the network is for.
    Task: "ImportRequest::task",
    /// Which values are black and white.
    Window: "ReadOptions::window",
}

impl fmt::Display for OptionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.field())
    }
}
