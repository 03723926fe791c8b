//! From arguments to the library's request.

use std::num::NonZero;

use anyhow::{Result, bail};
use burncam::{
    ArtifactKind, Finish, Method, Model, Options, Progress, Request, Runtime, Scale, Smoothing, Style,
};
use burncam_picture::render::{Colormap, Encoding, Format, Overlay};

use crate::args::{
    CropEdgeArg, ExplainArgs, MethodArgs, OutputArgs, OverlayArg, RunArgs, Save, ScaleArg, SmoothArg,
    StyleArgs,
};
use crate::flags::WORDS;
use crate::labels::have_several;
use crate::plan::Destination;
use crate::threads::Workers;

/// Everything that is asked for, complete: what the files of a run hold follows from it and the model.
///
/// `listener` reports how far a method has come.
///
/// # Errors
/// For options that the chosen way of drawing would ignore.
pub(crate) fn request(
    args: &ExplainArgs,
    model: &Model,
    destination: &Destination,
    workers: Workers,
    images: usize,
    listener: Option<Progress>,
) -> Result<Request> {
    let map = &args.method;
    let mut request = Request::default();
    request.runtime = runtime(&args.run, workers, images);
    request.methods = each_once(&args.methods);
    request.score = args.score;
    request.against.clone_from(&args.against);
    request.layers = args.layer.layers.clone();
    request.targets = args.targets.clone();
    request.several_labels = args.batch.labels.is_some() && have_several(model);
    request.over = args.over.clone();
    request.like.clone_from(&args.like);
    request.top_k = args.top_k.into();
    request.finish = finish(map);
    request.smoothing = smoothing(&map.smooth);
    request.options = options(args, listener);
    request.wording = WORDS;
    request.scale = scale(map);
    request.reading = args.picture.reading();
    request.reading.drawn_on.clone_from(&args.image);
    request.style = style(args)?;
    request.style.sheet_cell = args.output.sheet_cell.map_or(request.style.sheet_cell, u32::from);
    request.style.encoding = encoding(args, destination)?;
    request.artifacts = artifacts(args, destination);
    request.record = writes_records(args, destination);
    // Lists print records that are not written, the terminal only their names.
    request.hash_model = args.output.json || args.batch.jsonl.is_some();
    request.grid = args.output.grid;
    request.reading.reduced = request.artifacts.is_empty() && request.record && !request.grid;
    request.overwrite = args.replaces();
    request.sync = !args.output.no_sync;
    Ok(request)
}

/// Where the network runs, and what runs it. A single image is explained in low-memory mode.
pub(crate) fn runtime(args: &RunArgs, workers: Workers, images: usize) -> Runtime {
    // For a single image weights are packed when they are used: it needs each kernel once, and less memory is
    // touched.
    Runtime { threads: NonZero::new(workers.threads), low_memory: images == 1, ..args.runtime() }
}

fn options(args: &ExplainArgs, listener: Option<Progress>) -> Options {
    let map = &args.method;
    let mut options = map.options.options(map.seed);
    options.counterfactual = map.counterfactual;
    options.signed = map.signed;
    options.batch_size = args.batch.batch_size.map_or(options.batch_size, usize::from);
    options.library = map.compat;
    options.progress = listener;
    options
}

fn scale(map: &MethodArgs) -> Scale {
    match map.scale {
        _ if map.no_normalize => Scale::Raw,
        ScaleArg::Number(number) => Scale::Fixed(number),
        // A shared scale is what a first pass finds.
        ScaleArg::Own | ScaleArg::Shared => Scale::Own,
    }
}

fn smoothing(kinds: &[SmoothArg]) -> Smoothing {
    let has = |kind| kinds.contains(&kind);
    Smoothing { augment: has(SmoothArg::Aug), noise: has(SmoothArg::Noise), eigen: has(SmoothArg::Eigen) }
}

fn writes_records(args: &ExplainArgs, destination: &Destination) -> bool {
    let is_saved = args.output.save.contains(&Save::Record);
    match destination {
        Destination::Directory(_) => is_saved,
        Destination::File(_) => is_saved || destination.is_record(),
        Destination::Stdout => false,
    }
}

/// The kinds of pictures, each once, in the order in which they are documented.
fn artifacts(args: &ExplainArgs, destination: &Destination) -> Vec<ArtifactKind> {
    match destination {
        Destination::Stdout if args.output.json => vec![],
        Destination::Stdout => vec![ArtifactKind::Overlay],
        // `-o a.json` names the record, so pictures have no name.
        Destination::File(_) if destination.is_record() => vec![],
        Destination::File(_) | Destination::Directory(_) => {
            let is_saved = |kind: &ArtifactKind| args.output.save.contains(&Save::Artifact(*kind));
            ArtifactKind::ALL.iter().copied().filter(is_saved).collect()
        }
    }
}

/// How maps are finished.
fn finish(map: &MethodArgs) -> Finish {
    Finish {
        aggregate: map.aggregate,
        // Layers that are each divided by their own maximum cannot be compared with other pictures'.
        normalize: !map.no_normalize && map.scale == ScaleArg::Own,
        enlarge: None,
    }
}

/// Methods without duplicates.
pub(crate) fn each_once(methods: &[Method]) -> Vec<Method> {
    let mut once = Vec::new();
    for method in methods {
        if !once.contains(method) {
            once.push(*method);
        }
    }
    once
}

/// How pictures are drawn.
///
/// # Errors
/// For options that the chosen way of drawing would ignore.
fn style(args: &ExplainArgs) -> Result<Style> {
    let given = &args.style;
    // An overlay that was asked for by name is drawn, also with the maps of a library.
    let library = if given.overlay.is_none() { args.method.compat } else { None };
    if let (Some(library), Some(option)) = (library, of_own_overlays(given)) {
        let library = library.name();
        bail!(
            "{option} would be ignored: --compat {library} draws as {library} does (add --overlay alpha or blend)"
        );
    }
    // Signed maps need colours whose middle is neutral.
    let usual = if args.method.signed { Colormap::Coolwarm } else { Colormap::default() };
    let mut style = Style::default();
    style.library = library;
    style.overlay = overlay(given)?;
    style.colormap = given.colormap.unwrap_or(usual);
    style.photo = given.photo.unwrap_or_default();
    style.contours = given.contours.unwrap_or_default();
    style.crop_edge = given.crop_edge != Some(CropEdgeArg::Hide);
    style.interpolation = given.interpolation.unwrap_or_default();
    style.threshold = given.threshold;
    style.components = given.components;
    Ok(style)
}

/// How pictures become files: a file in `--out` says its format.
///
/// # Errors
/// Where options contradict each other.
fn encoding(args: &ExplainArgs, destination: &Destination) -> Result<Encoding> {
    let OutputArgs { format, quality, png_level, .. } = args.output;
    let named = destination.format();
    if let (Some(format), Some(named)) = (format, named)
        && format != named
    {
        bail!(
            "--format {format} and the name in --out, which is one of {named}, contradict each other (drop --format)"
        );
    }
    let format = format.or(named).unwrap_or_default();
    if quality.is_some() && format != Format::Jpeg {
        bail!("--quality is for JPEG, and pictures are written as {format} (add --format jpeg)");
    }
    Ok(Encoding { format, quality: quality.unwrap_or(Encoding::default().quality), png_level })
}

/// The first option that was given and that no library's overlay knows.
fn of_own_overlays(given: &StyleArgs) -> Option<&'static str> {
    let options = [
        ("--alpha", given.alpha.is_some()),
        ("--alpha-limit", given.alpha_limit.is_some()),
        ("--colormap", given.colormap.is_some()),
        ("--interpolation", given.interpolation.is_some()),
        ("--photo", given.photo.is_some()),
        ("--contours", given.contours.is_some()),
        ("--crop-edge", given.crop_edge.is_some()),
    ];
    options.into_iter().find_map(|(option, is_given)| is_given.then_some(option))
}

fn overlay(given: &StyleArgs) -> Result<Overlay> {
    let StyleArgs { overlay, alpha, alpha_limit, .. } = *given;
    Ok(match overlay.unwrap_or(OverlayArg::Alpha) {
        OverlayArg::Alpha if alpha.is_some() => bail!("--alpha is for --overlay blend (use --alpha-limit)"),
        OverlayArg::Blend if alpha_limit.is_some() => {
            bail!("--alpha-limit is for --overlay alpha (use --alpha)")
        }
        OverlayArg::Alpha => Overlay::Alpha { limit: alpha_limit.unwrap_or(0.65) },
        OverlayArg::Blend => Overlay::Blend { alpha: alpha.unwrap_or(0.5) },
    })
}
