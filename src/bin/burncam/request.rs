//! From arguments to what the library is asked.

use burncam::cam::{Finish, Method, Options, Progress, Smoothing};
use burncam::explain::{Scale, Settings, Style};
use burncam::render::{Colormap, Overlay};

use crate::args::{ExplainArgs, OverlayArg, ScaleArg, SmoothArg};

/// What is to be explained.
pub(crate) fn settings(args: &ExplainArgs, methods: &[Method], progress: Option<Progress>) -> Settings {
    let map = &args.method;
    let smooth = |kind| map.smooth.contains(&kind);
    Settings {
        device: args.run.device.clone(),
        methods: methods.to_vec(),
        score: args.score,
        layers: args.layers.clone(),
        targets: args.targets.clone(),
        top_k: args.top_k.into(),
        finish: Finish {
            aggregate: map.aggregate,
            signed: map.signed,
            // Layers that are each divided by their own maximum cannot be compared with other pictures'.
            normalize: !map.no_normalize && map.scale == ScaleArg::Own,
            library: map.compat,
        },
        smoothing: Smoothing {
            augment: smooth(SmoothArg::Aug),
            noise: smooth(SmoothArg::Noise),
            eigen: smooth(SmoothArg::Eigen),
        },
        options: Options {
            counterfactual: map.counterfactual,
            signed: map.signed,
            seed: map.seed,
            samples: map.samples.map(|samples| samples as usize),
            noise: map.noise,
            patch: map.patch.map(usize::from),
            stride: map.stride.map(usize::from),
            batch_size: args.batch_size.into(),
            library: map.compat,
            progress,
        },
        scale: match map.scale {
            _ if map.no_normalize => Scale::Raw,
            ScaleArg::Number(number) => Scale::Fixed(number),
            // A shared scale is known after the first round.
            ScaleArg::Own | ScaleArg::Shared => Scale::Own,
        },
    }
}

/// How pictures are drawn.
pub(crate) fn style(args: &ExplainArgs) -> Style {
    let overlay = match args.style.overlay {
        OverlayArg::Alpha => Overlay::Alpha { limit: args.style.alpha_limit },
        OverlayArg::Blend => Overlay::Blend { alpha: args.style.alpha },
    };
    let usual = if args.method.signed { Colormap::Coolwarm } else { Colormap::Viridis };
    Style {
        overlay,
        colormap: args.style.colormap.unwrap_or(usual),
        interpolation: args.style.interpolation,
        threshold: args.style.threshold,
        components: args.style.components,
    }
}
