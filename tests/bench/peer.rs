//! One number of one configuration, for comparisons with other libraries: `cargo bench --bench peer -- --help`.
//!
//! Prints one line of JSON. With `--serve` it loads once and then answers a line of its standard input at a time, so that
//! `peers/run.py` can let contenders take turns: `time SECONDS` and `dump FILE`, until its input ends.

#![expect(clippy::print_stdout, reason = "the answer is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burncam::{Explainer, LayerRequest, Method, Model, Precision, Runtime, Subject, Target};
use burncam_engine::Network;
use clap::Parser;
use serde_json::json;

mod support;

use support::Result;

#[derive(Parser)]
struct Args {
    /// Model file [default: the embedded network].
    #[arg(long)]
    model: Option<PathBuf>,
    /// The layer that is explained; several are joined.
    #[arg(long, default_value = "auto")]
    layer: Vec<LayerRequest>,
    /// 'trunk', the forward pass up to the layer, or a method: its map of one class of each picture.
    #[arg(long, default_value = "trunk")]
    task: Task,
    /// Draws of a method that samples [default: its own].
    #[arg(long)]
    samples: Option<usize>,
    #[arg(long, default_value_t = 1)]
    batch: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// For how long it is timed.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    #[arg(long, default_value = "burn")]
    engine: String,
    #[arg(long, default_value = "f32")]
    precision: Precision,
    /// Class that is explained [default: the most probable].
    #[arg(long)]
    class: Option<usize>,
    /// Inputs, 32-bit floats in a row, at least a batch of them [default: noise].
    #[arg(long)]
    input: Option<PathBuf>,
    #[arg(long)]
    serve: bool,
    /// `cargo bench` adds it.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy)]
enum Task {
    Trunk,
    Explain(Method),
}

impl std::str::FromStr for Task {
    type Err = burncam::Error;

    fn from_str(text: &str) -> burncam::Result<Self> {
        if text == "trunk" { Ok(Self::Trunk) } else { text.parse().map(Self::Explain) }
    }
}

/// What is timed, loaded.
enum Work {
    Trunk(Box<Network>, Vec<f32>),
    Explain(Box<Explainer>, Vec<Subject>),
}

fn main() -> Result<()> {
    let args = Args::parse();
    let work = Work::load(&args)?;
    if !args.serve {
        println!("{}", summary(&work.times(args.seconds, args.batch)?));
        return Ok(());
    }
    println!("{}", json!({ "ready": true }));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once(' ') {
            Some(("time", seconds)) => {
                json!({ "ms": work.times(seconds.parse()?, args.batch)?, "peak_mb": peak_mb() })
            }
            Some(("dump", file)) => work.dump(Path::new(file))?,
            _ => return Err(format!("expected 'time SECONDS' or 'dump FILE', got '{line}'").into()),
        };
        println!("{answer}");
    }
    Ok(())
}

impl Work {
    fn load(args: &Args) -> Result<Self> {
        let runtime = support::runtime(&args.engine, Some(args.threads))?;
        let runtime = Runtime { precision: args.precision, ..runtime };
        let model = args.model.as_ref().map_or_else(Model::embedded, |path| Model::open(path, None))?;
        let values = match &args.input {
            Some(path) => batch_from(path, &model, args.batch)?,
            None => support::noise(&model, args.batch),
        };
        Ok(match args.task {
            Task::Trunk => {
                let layer = args.layer.first().ok_or("no layer")?;
                Self::Trunk(Box::new(support::network(&runtime, &model, layer)?), values)
            }
            Task::Explain(method) => {
                let subjects = support::subjects(&model, &values);
                let explainer = support::explainer(&runtime, model, |request| {
                    request.methods = vec![method];
                    request.layers.clone_from(&args.layer);
                    request.targets = vec![args.class.map_or(Target::Top(1), Target::Index)];
                    request.options.samples = args.samples;
                })?;
                Self::Explain(Box::new(explainer), subjects)
            }
        })
    }

    fn run(&self) -> Result<()> {
        match self {
            Self::Trunk(network, values) => drop(std::hint::black_box(support::trunk(network, values)?)),
            Self::Explain(explainer, subjects) => {
                drop(std::hint::black_box(support::explained(explainer, subjects)?));
            }
        }
        Ok(())
    }

    /// Milliseconds a picture, of every run that began within the time; a run before them is not counted.
    fn times(&self, seconds: f64, batch: usize) -> Result<Vec<f64>> {
        self.run()?;
        let limit = Duration::from_secs_f64(seconds);
        let mut times = Vec::new();
        let begin = Instant::now();
        while times.is_empty() || begin.elapsed() < limit {
            let start = Instant::now();
            self.run()?;
            times.push(start.elapsed().as_secs_f64() * 1e3 / batch as f64);
        }
        Ok(times)
    }

    /// Writes what was computed as 32-bit floats in a row: activations, or maps with their maximum at one.
    fn dump(&self, file: &Path) -> Result<serde_json::Value> {
        let (shape, values) = match self {
            Self::Trunk(network, values) => {
                let features = network.activations(&support::trunk(network, values)?)?;
                (vec![features.channels, features.height, features.width], features.values)
            }
            Self::Explain(explainer, subjects) => {
                let maps: Vec<_> = support::explained(explainer, subjects)?
                    .iter()
                    .flat_map(|explanation| {
                        explanation.targets.iter().map(|target| explanation.heatmap(target))
                    })
                    .collect();
                let first = maps.first().ok_or("there are no maps")?;
                let shape = vec![first.height(), first.width()];
                (shape, maps.iter().flat_map(|map| map.values().to_vec()).collect())
            }
        };
        std::fs::write(file, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
        Ok(json!({ "shape": shape }))
    }
}

fn batch_from(path: &Path, model: &Model, batch: usize) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    let wanted = support::noise(model, batch).len();
    if bytes.len() < 4 * wanted {
        return Err(format!("'{}' is too short for a batch of {batch}", path.display()).into());
    }
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    Ok(bytes.chunks_exact(4).take(wanted).map(number).collect())
}

fn summary(times: &[f64]) -> serde_json::Value {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    json!({
        "median_ms_per_image": sorted[sorted.len() / 2],
        "min": sorted[0],
        "runs": sorted.len(),
        "peak_mb": peak_mb(),
    })
}

/// Peak memory of the process, where the system reports it.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
