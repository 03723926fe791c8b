//! From arguments to what the library is asked.

use anyhow::{Result, bail};
use burncam::cam::{Finish, Library, Options, Progress, Smoothing};
use burncam::card::OutputKind;
use burncam::engine::Score;
use burncam::explain::{Scale, Settings, Style};
use burncam::input::{read_file, sha256_hex};
use burncam::model::OutputSpec;
use burncam::record::RequestRecord;
use burncam::render::{Colormap, Overlay};

use crate::args::{ExplainArgs, OverlayArg, ScaleArg, SmoothArg, StyleArgs};
use crate::plan::Plan;

/// What is to be explained.
///
/// # Errors
/// When the picture that tensors are drawn on cannot be read.
pub(crate) fn settings(
    args: &ExplainArgs,
    plan: &Plan,
    output: &OutputSpec,
    progress: Option<Progress>,
) -> Result<Settings> {
    let map = &args.method;
    let smooth = |kind| map.smooth.contains(&kind);
    Ok(Settings {
        runtime: args.run.runtime(),
        methods: plan.methods.clone(),
        score: args.score.or_else(|| usual_score(map.compat, output)),
        layers: args.layers.clone(),
        targets: args.targets.clone(),
        top_k: args.top_k.into(),
        finish: Finish {
            aggregate: map.aggregate.unwrap_or_default(),
            // Layers that are each divided by their own maximum cannot be compared with other pictures'.
            normalize: !map.no_normalize && map.scale == ScaleArg::Own,
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
            batch_size: args.batch.batch_size.map_or(Options::default().batch_size, usize::from),
            library: map.compat,
            progress,
        },
        request: request(args, plan)?,
        scale: match map.scale {
            _ if map.no_normalize => Scale::Raw,
            ScaleArg::Number(number) => Scale::Fixed(number),
            // A shared scale is known after the first round.
            ScaleArg::Own | ScaleArg::Shared => Scale::Own,
        },
    })
}

/// What records say of pictures and files; the explainer adds the rest.
fn request(args: &ExplainArgs, plan: &Plan) -> Result<RequestRecord> {
    let [red, green, blue] = args.picture.background;
    let image = args.image.as_deref().map(read_file).transpose()?;
    let names = plan.methods.iter().map(|method| method.info().name.to_owned());
    Ok(RequestRecord {
        background: Some(format!("{red:02x}{green:02x}{blue:02x}")),
        icc: Some(args.picture.icc.name().to_owned()),
        strict_pictures: Some(args.picture.strict_pictures),
        layout: Some(args.picture.layout.name().to_owned()),
        image: image.map(|bytes| sha256_hex(&bytes)),
        save: plan.artifacts.iter().map(|kind| kind.name().to_owned()).collect(),
        grid: if plan.grid { names.collect() } else { vec![] },
        ..RequestRecord::default()
    })
}

/// Libraries explain what a network gives, whatever that is; here it is the logit.
fn usual_score(compat: Option<Library>, output: &OutputSpec) -> Option<Score> {
    compat?;
    Some(match output.gives {
        OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities => Score::Prob,
        OutputKind::LogSoftmax | OutputKind::LogSigmoid => Score::LogProb,
        OutputKind::Numbers => Score::Number,
        _ => Score::Logit,
    })
}

/// How pictures are drawn.
///
/// # Errors
/// For options that the chosen way of drawing would ignore.
pub(crate) fn style(args: &ExplainArgs) -> Result<Style> {
    let StyleArgs { overlay, alpha, alpha_limit, colormap, interpolation, threshold, components } =
        args.style;
    let library = if overlay.is_none() { args.method.compat } else { None };
    let given = [
        ("--alpha", alpha.is_some()),
        ("--alpha-limit", alpha_limit.is_some()),
        ("--colormap", colormap.is_some()),
        ("--interpolation", interpolation.is_some()),
    ];
    if let (Some(library), Some((option, _))) = (library, given.iter().find(|(_, is_given)| *is_given)) {
        let library = library.name();
        bail!(
            "{option} would be ignored: --compat {library} draws as {library} does (add --overlay alpha or blend)"
        );
    }
    let overlay = match overlay.unwrap_or(OverlayArg::Alpha) {
        OverlayArg::Alpha if alpha.is_some() => bail!("--alpha is for --overlay blend (use --alpha-limit)"),
        OverlayArg::Blend if alpha_limit.is_some() => {
            bail!("--alpha-limit is for --overlay alpha (use --alpha)")
        }
        OverlayArg::Alpha => Overlay::Alpha { limit: alpha_limit.unwrap_or(0.65) },
        OverlayArg::Blend => Overlay::Blend { alpha: alpha.unwrap_or(0.5) },
    };
    let usual = if args.method.signed { Colormap::Coolwarm } else { Colormap::Viridis };
    Ok(Style {
        library,
        overlay,
        colormap: colormap.unwrap_or(usual),
        interpolation: interpolation.unwrap_or_default(),
        threshold,
        components,
        png_level: args.output.png_level,
    })
}
