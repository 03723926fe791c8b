//! What methods cost on the embedded network, in shares of its forward pass: `cargo bench --bench methods [-- DEVICE]`.
//!
//! Every share is of times taken in the same run, medians of many rounds. Peak memory is printed where `/proc` has it.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::num::NonZero;
use std::time::Instant;

use burncam::evaluate::{EvaluationRequest, Evaluator};
use burncam::internal::{ClassMap, MapRequest, Scene};
use burncam::{
    DeviceName, Finish, LayerRequest, Method, Model, Options, Request, Result, Runtime, Score, Smoothing,
};
use burncam_engine::Network;

/// Rounds of what takes one forward pass or less.
const ROUNDS: usize = 25;
/// Rounds of what takes many.
const SEVERAL: usize = 3;
/// A layer of 40 channels, so that Score-CAM takes 40 passes.
const EARLY: &str = "_blocks.3._bn2";
/// Methods that live on the gradient at a layer, or only on its activations.
const CHEAP: [Method; 15] = [
    Method::GradCam,
    Method::GradCamPlusPlus,
    Method::LayerCam,
    Method::HiResCam,
    Method::XGradCam,
    Method::ElementWise,
    Method::Cam,
    Method::FinerCam,
    Method::ShapleyCam,
    Method::EigenGradCam,
    Method::SegEigenCam,
    Method::EigenCam,
    Method::KpcaCam,
    Method::Fem,
    Method::Random,
];

fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let device = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let device = device.map_or_else(|| Ok(DeviceName::default()), |name| name.parse())?;
    let model = Model::embedded()?;
    let input = picture();
    let layer = |request: LayerRequest| model.choose_layer(&request).map(|choice| choice.index);
    let late = Network::load(&model, &[layer(LayerRequest::Auto)?], &device)?;
    println!("EfficientNet-Lite0, 224x224, on {device}, medians of {ROUNDS} rounds\n");
    added_cost(&late, &input)?;
    let early = layer(LayerRequest::Name(EARLY.to_owned()))?;
    let all = std::thread::available_parallelism().map_or(1, NonZero::get);
    for threads in if all > 1 { vec![1, all] } else { vec![1] } {
        let runtime =
            Runtime { device: device.clone(), threads: NonZero::new(threads), ..Runtime::default() };
        perturbed(&Network::load(&model, &[early], &runtime)?, &input, threads)?;
        curves(&model, runtime)?;
    }
    passes(&Network::load(&model, &[early], &device)?, &input)
}

/// What a pass of each perturbing method takes, in shares of a forward pass alone on as many threads.
fn perturbed(network: &Network, input: &[f32], threads: usize) -> Result<()> {
    let mut scene = Scene::new(network, input)?;
    let mut forward: Vec<f64> =
        (0..ROUNDS).map(|_| timed(|| network.logits(input.to_vec()))).collect::<Result<_>>()?;
    let forward = median(&mut forward);
    println!("\nper pass, on {threads} threads; a forward pass alone takes {:.3} ms", forward * 1e3);
    for method in [Method::ScoreCam, Method::SsCam, Method::IsCam, Method::Rise, Method::Occlusion] {
        let mut options = Options::default();
        options.samples = Some(if method == Method::Rise { 64 } else { 2 });
        let mut times = Vec::new();
        for _ in 0..SEVERAL {
            let before = network.passes();
            let time = timed(|| maps(&mut scene, &[method], &[967], &options))?;
            times.push(time / (network.passes() - before) as f64);
        }
        let time = median(&mut times);
        println!("{:<20} {:>9.3} ms {:>8.2} %", method.info().name, time * 1e3, 100.0 * time / forward);
    }
    Ok(())
}

/// Insertion and deletion of one map and the baselines next to it.
fn curves(model: &Model, runtime: Runtime) -> Result<()> {
    let mut request = Request::default();
    (request.methods, request.runtime) = (vec![Method::GradCam], runtime);
    let mut request = EvaluationRequest::new(request);
    request.metrics = Some(vec!["insertion".parse()?, "deletion".parse()?]);
    let evaluator = Evaluator::new(model.clone(), request)?;
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/images/coffee.png");
    let subject = evaluator.explainer().read(photo)?;
    let mut rows = 1;
    let mut run = || {
        timed(|| {
            let targets = evaluator.evaluate(&subject, None)?;
            rows = targets.iter().map(|target| target.rows.len()).sum();
            Ok(targets)
        })
    };
    let mut times: Vec<f64> = (0..SEVERAL).map(|_| run()).collect::<Result<_>>()?;
    println!("{:<20} {:>9.3} ms a map", "insertion, deletion", 1e3 * median(&mut times) / rows as f64);
    Ok(())
}

/// The first explanation, and what each further method or class adds to it.
fn added_cost(network: &Network, input: &[f32]) -> Result<()> {
    let logits = network.logits(input.to_vec())?;
    let mut classes: Vec<usize> = (0..logits.len()).collect();
    classes.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    let mut scene = Scene::new(network, input)?;
    let mut ask = |methods: &[Method], classes: &[usize]| {
        timed(|| maps(&mut scene, methods, classes, &Options::default()))
    };
    let (mut forward, mut first, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    let mut second = vec![Vec::new(); CHEAP.len()];
    let mut several = vec![[Vec::new(), Vec::new()]; CHEAP.len()];
    for _ in 0..ROUNDS {
        forward.push(timed(|| network.logits(input.to_vec()))?);
        let begin = Instant::now();
        let mut scenes = Scene::several(network, &[input], &[Method::GradCam])?;
        maps(&mut scenes[0], &[Method::GradCam], &classes[..1], &Options::default())?;
        first.push(begin.elapsed().as_secs_f64());
        alone.push(ask(&[Method::GradCam], &classes[..1])?);
        for ((method, second), [one, two]) in CHEAP.iter().zip(&mut second).zip(&mut several) {
            second.push(ask(&[Method::GradCam, *method], &classes[..1])?);
            one.push(ask(&[*method], &classes[..1])?);
            two.push(ask(&[*method], &classes[..2])?);
        }
    }
    let (forward, alone) = (median(&mut forward), median(&mut alone));
    let row = |what: &str, time: f64| {
        println!("{what:<32} {:>9.3} ms {:>8.2} %", time * 1e3, 100.0 * time / forward);
    };
    row("forward pass alone", forward);
    row("first explanation, gradcam", median(&mut first));
    println!("\nadded on the same picture: to gradcam a second method / to one class another");
    for ((method, mut second), [mut one, mut two]) in CHEAP.iter().zip(second).zip(several) {
        let name = method.info().name;
        row(name, median(&mut second) - alone);
        row(&format!("{name}, another class"), median(&mut two) - median(&mut one));
    }
    Ok(())
}

/// Time of a pass and the process's peak memory, of methods that send changed pictures through the network.
fn passes(network: &Network, input: &[f32]) -> Result<()> {
    let mut scene = Scene::new(network, input)?;
    let held = memory("VmRSS:").map_or_else(|| "?".to_owned(), |kb| format!("{} MB", kb / 1024));
    println!("\nper pass, and the process's peak memory; before: {held}");
    // Small batches first: what was freed may stay with the process.
    for batch_size in [1, 4, 16] {
        for (method, count) in
            [(Method::ScoreCam, 40), (Method::Occlusion, 49), (Method::IntegratedGradients, 16)]
        {
            let mut options = Options::default();
            (options.batch_size, options.stride, options.samples) = (batch_size, Some(32), Some(16));
            // Peaks are measured from here on.
            let forgotten = std::fs::write("/proc/self/clear_refs", "5").is_ok();
            let time = timed(|| maps(&mut scene, &[method], &[967], &options))? / f64::from(count);
            let peak = match memory("VmHWM:") {
                Some(peak) if forgotten => format!("{} MB", peak / 1024),
                _ => "?".to_owned(),
            };
            let name = method.info().name;
            println!("{name:<20} --batch-size {batch_size:<3} {:>9.3} ms {peak:>9}", time * 1e3);
        }
    }
    Ok(())
}

fn maps(
    scene: &mut Scene,
    methods: &[Method],
    classes: &[usize],
    options: &Options,
) -> Result<Vec<Vec<ClassMap>>> {
    let (finish, smoothing) = (Finish::default(), Smoothing::default());
    scene.class_maps(&MapRequest { methods, classes, score: Score::Logit, finish, smoothing, options })
}

fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<f64> {
    let begin = Instant::now();
    std::hint::black_box(run()?);
    Ok(begin.elapsed().as_secs_f64())
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A line of the process's status, in kB.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// The cup of coffee as the network sees it.
fn picture() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reference/efficientnet_lite0.coffee.input.npy");
    npyz::NpyFile::new(&std::fs::read(path).unwrap()[..]).unwrap().into_vec().unwrap()
}
