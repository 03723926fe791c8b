//! `burncam check --sanity`: prints which methods' maps depend on the weights.

use anyhow::Result;
use burncam::check::{MethodSanity, RandomClass, SanityReport, SanityRequest, Verdict, check_sanity};
use burncam::{Model, Reading, Request, Runtime, Smoothing, Subject};

use super::table::figure;
use crate::args::{CheckArgs, InputArgs};
use crate::discover::discover;
use crate::flags::WORDS;
use crate::outcome::Outcome;
use crate::request::each_once;
use crate::{progress, subjects, text};

/// Tests the methods and prints the results.
pub(super) fn run(args: &CheckArgs, model: &Model, quiet: bool) -> Result<Outcome> {
    let report = check_sanity(model, &pictures(args, model)?, &request(args, quiet))?;
    if args.format.json {
        text::json_line(&serde_json::to_string(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(if report.passed { Outcome::Done } else { Outcome::SomeFailed })
}

fn pictures(args: &CheckArgs, model: &Model) -> Result<Vec<Subject>> {
    let files = args.pictures()?;
    if files.is_empty() {
        return Ok(vec![]);
    }
    let mut reading = Reading::default();
    reading.options.background = args.background;
    reading.options.window = args.window;
    let found = discover(&InputArgs::of(files))?;
    found.inputs.iter().map(|input| subjects::load(input, &reading, model)).collect()
}

fn request(args: &CheckArgs, quiet: bool) -> SanityRequest {
    let sanity = &args.sanity;
    let mut explain = Request::default();
    explain.runtime = Runtime::from(&args.place.device);
    explain.methods = each_once(&sanity.methods);
    explain.layers = vec![args.layer.clone()];
    explain.targets.clone_from(&sanity.targets);
    explain.like.clone_from(&sanity.like);
    explain.options.seed = args.seed;
    explain.options.samples = sanity.noisy_copies.map(usize::from);
    explain.smoothing = Smoothing { noise: sanity.noisy_copies.is_some(), ..Smoothing::default() };
    explain.wording = WORDS;
    SanityRequest {
        explain,
        seed: args.seed,
        seeds: sanity.seeds.into(),
        stops: sanity.stops.into(),
        limit: sanity.limit,
        progress: progress::listener(quiet, "maps"),
    }
}

fn print(report: &SanityReport) -> Result<()> {
    for (name, value) in [
        ("model", report.model.clone()),
        ("file", report.file.clone()),
        ("device", report.device.clone()),
        ("input", inputs(report)),
        ("drawn", drawn(report)),
    ] {
        text::line(&format!("{name:<8}{value}"))?;
    }
    text::line("")?;
    let header = ["method", "verdict", "similarity", "limit", "other class", "entropy rise"];
    let rows: Vec<_> = report.methods.iter().map(|method| row(method, report.limit)).collect();
    text::lines(&text::table(&header, &rows))?;
    text::line("")?;
    text::line("similarity after each stop, Spearman (SSIM) of maps with their signs before and after:")?;
    let names = report.methods.iter().map(|method| method.method.as_str());
    let header: Vec<&str> = ["drawn down to"].into_iter().chain(names).collect();
    text::lines(&text::table(&header, &stops(report)))?;
    for method in &report.methods {
        let (constant, pairs) = left_out(method);
        if constant > 0 {
            text::line(&format!(
                "{}: {constant} of {pairs} pairs of maps left out, because a map was constant and ranks nothing",
                method.method
            ))?;
        }
    }
    Ok(())
}

fn inputs(report: &SanityReport) -> String {
    let is_noise = report.pictures.iter().all(|path| path.starts_with("noise, seed"));
    let count = text::counted(report.pictures.len(), "picture");
    if is_noise { format!("{count} of noise (name photographs for figures about them)") } else { count }
}

fn drawn(report: &SanityReport) -> String {
    let ends = [report.layers.first(), report.layers.last()].map(|name| name.map_or("", String::as_str));
    let layers = text::counted(report.layers.len(), "layer");
    let kept = match report.kept.len() {
        0 => String::new(),
        count => format!("; {} kept, operands of sums, products and joins", text::counted(count, "tensor")),
    };
    let seeds = match report.seeds[..] {
        [first, .., last] => format!("seeds {first} to {last}"),
        [seed] => format!("seed {seed}"),
        [] => String::new(),
    };
    format!("{layers} from '{}' down to '{}', uniform in +-1/sqrt(inputs), {seeds}{kept}", ends[0], ends[1])
}

fn row(method: &MethodSanity, limit: f64) -> Vec<String> {
    let verdict = match method.verdict {
        Verdict::Depends => "depends on the weights",
        Verdict::DoesNotDepend => "DOES NOT depend on the weights",
        Verdict::Unknown => "unknown: every map is constant",
    };
    let other = method.random_class.as_ref().and_then(|RandomClass { spearman, .. }| *spearman);
    let rise = method.entropy_rise.map_or_else(|| "-".to_owned(), |rise| format!("{:+.0} %", 100.0 * rise));
    vec![
        method.method.clone(),
        verdict.to_owned(),
        correlation(method.similarity),
        figure(limit),
        correlation(other),
        rise,
    ]
}

fn stops(report: &SanityReport) -> Vec<Vec<String>> {
    let Some(first) = report.methods.first() else { return vec![] };
    let cell = |method: &MethodSanity, at: usize| {
        method.stops.get(at).map_or_else(String::new, |stop| {
            format!("{} ({})", correlation(stop.spearman), correlation(stop.ssim))
        })
    };
    let row = |at: usize| {
        let cells = report.methods.iter().map(|method| cell(method, at));
        [first.stops[at].layer.clone()].into_iter().chain(cells).collect()
    };
    (0..first.stops.len()).map(row).collect()
}

fn left_out(method: &MethodSanity) -> (usize, usize) {
    let constant = method.stops.iter().map(|stop| stop.constant).sum();
    (constant, constant + method.stops.iter().map(|stop| stop.pairs).sum::<usize>())
}

fn correlation(number: Option<f64>) -> String {
    // Plus zero, so that a rounded -0.00 is printed as 0.00.
    number.map_or_else(|| "-".to_owned(), |number| format!("{:.2}", (100.0 * number).round() / 100.0 + 0.0))
}
