//! Trains a small network with Burn, makes a model file of it, and asks it where it looked.
//!
//! The network distinguishes circles, squares and triangles, on pictures that this program draws. After a few seconds
//! of training it is captured into `shapes.bpk`, a file that the `burncam` command reads as well, and explains
//! pictures that it has not seen.
//!
//! ```sh
//! cargo run --release --features capture --example train_and_explain -- out
//! burncam explain -m out/shapes.bpk out/circle1.png -o out --force
//! ```

#![expect(clippy::print_stdout, reason = "a program for people to read and run")]

use std::error::Error;
use std::path::Path;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burncam::capture::{CaptureSettings, ColorOrder, Filter, Preprocess, Resize, capture};
use burncam::{ArtifactKind, Explainer, Model, Request, RgbImage};
use image::Rgb;

/// Height and width of a picture.
const SIDE: u32 = 32;
const CLASSES: [&str; 3] = ["circle", "square", "triangle"];
const STEPS: usize = 120;
const BATCH: usize = 32;
const UNSEEN: usize = 12;

// The network: an ordinary Burn module. Nothing in it knows of burncam.

#[derive(Module, Debug)]
struct ShapeNet {
    blocks: Vec<Block>,
    pool: AdaptiveAvgPool2d,
    head: Linear,
}

#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    activation: Relu,
    pool: Option<MaxPool2d>,
}

impl ShapeNet {
    fn new(device: &Device) -> Self {
        Self {
            blocks: vec![
                Block::new(3, 12, true, device),
                Block::new(12, 24, true, device),
                Block::new(24, 32, false, device),
            ],
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            head: LinearConfig::new(32, CLASSES.len()).init(device),
        }
    }

    /// Pictures `[batch, 3, SIDE, SIDE]` to scores `[batch, classes]`.
    fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let features = self.blocks.iter().fold(pictures, |x, block| block.forward(x));
        self.head.forward(self.pool.forward(features).flatten(1, 3))
    }
}

impl Block {
    fn new(channels: usize, out: usize, shrink: bool, device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([channels, out], [3, 3]).with_padding(PaddingConfig2d::Same).init(device),
            norm: BatchNormConfig::new(out).init(device),
            activation: Relu::new(),
            pool: shrink.then(|| MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.activation.forward(self.norm.forward(self.conv.forward(x)));
        match &self.pool {
            Some(pool) => pool.forward(x),
            None => x,
        }
    }
}

/// Trains on pictures drawn as it goes.
fn train(dice: &mut Dice, device: &Device) -> ShapeNet {
    let device = device.clone().autodiff();
    let mut net = ShapeNet::new(&device);
    let mut optimizer = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    for _ in 0..STEPS {
        let batch: Vec<Drawing> =
            (0..BATCH).map(|number| Drawing::new(number % CLASSES.len(), dice)).collect();
        let labels: Vec<i64> = batch.iter().map(|drawing| drawing.class as i64).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &device);
        let loss = loss.forward(net.forward(to_tensor(&batch, &device)), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(0.01, net, gradients);
    }
    net
}

/// Pictures as the network takes them: channels first, values from 0 to 1.
fn to_tensor(drawings: &[Drawing], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = drawings
        .iter()
        .flat_map(|drawing| {
            let channel = |channel| drawing.picture.pixels().map(move |pixel: &Rgb<u8>| pixel[channel]);
            (0..3).flat_map(channel).map(|value| f32::from(value) / 255.0)
        })
        .collect();
    let shape = [drawings.len(), 3, SIDE as usize, SIDE as usize];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).unwrap_or_else(|| "out".into());
    run(Path::new(&out))
}

/// Trains, captures and explains; the files go to `out`.
pub(crate) fn run(out: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(out)?;
    let device = Device::flex();
    device.seed(1);
    let mut dice = Dice(1);
    let net = train(&mut dice, &device);

    // From the module to a model file. What burncam cannot see in the module are the classes' names and how a
    // picture becomes numbers: the same way as in `to_tensor`.
    let preprocess = Preprocess {
        resize: Resize::Stretch { height: SIDE as usize, width: SIDE as usize, filter: Filter::Bilinear },
        crop: None,
        color: ColorOrder::Rgb,
        scale: 1.0 / 255.0,
        mean: vec![],
        std: vec![],
    };
    let settings = CaptureSettings {
        name: "shapes".into(),
        classes: CLASSES.map(String::from).to_vec(),
        preprocess,
        source: None,
    };
    let sample = to_tensor(&[Drawing::new(0, &mut dice)], &device);
    let model = capture(&net, sample, ShapeNet::forward, settings)?.save(&out.join("shapes.bpk"), true)?;
    explain(model, &mut dice, out)
}

/// Explains pictures that the network has not seen; from here on it is a model like any other.
fn explain(model: Model, dice: &mut Dice, out: &Path) -> Result<(), Box<dyn Error>> {
    let request = Request::with(|request| {
        request.artifacts = vec![ArtifactKind::SideBySide];
        request.overwrite = true;
    });
    let explainer = Explainer::new(model, request)?;
    let (mut right, mut heat, mut area) = (0, 0.0, 0.0);
    for number in 0..UNSEEN {
        let drawing = Drawing::new(number % CLASSES.len(), dice);
        let path = out.join(format!("{}{}.png", CLASSES[drawing.class], number / CLASSES.len() + 1));
        drawing.picture.save(&path)?;

        // Writes the picture next to its map, and a record of the one class that was asked for, the most probable.
        let written = explainer.explain_file(&path, out)?;
        for target in written.records.iter().flat_map(|record| &record.targets) {
            right += usize::from(target.target == drawing.class);
            heat += drawing.share_of(&target.heatmap.concat(), target.map.width);
            area += drawing.share_of(&vec![1.0; target.map.height * target.map.width], target.map.width);
        }
    }
    let percent = 100.0 / UNSEEN as f32;
    println!("{right} of {UNSEEN} unseen pictures are named right");
    println!(
        "at layer {}, {:.0} % of the heat is on the shapes, which take {:.0} % of the pictures",
        explainer.layers()[0].name,
        percent * heat,
        percent * area
    );
    assert_eq!(right, UNSEEN, "the network has not learned");
    assert!(percent * heat > 50.0, "the network looks elsewhere");
    Ok(())
}

/// A picture of one shape, somewhere on a dark and noisy ground.
struct Drawing {
    class: usize,
    picture: RgbImage,
    center: [f64; 2],
    radius: f64,
}

impl Drawing {
    fn new(class: usize, dice: &mut Dice) -> Self {
        let radius = dice.between(7.0, 10.0);
        let [x, y] = [(); 2].map(|()| dice.between(radius, f64::from(SIDE) - radius));
        let color = [(); 3].map(|()| dice.between(120.0, 230.0));
        let mut drawing = Self { class, picture: RgbImage::new(SIDE, SIDE), center: [x, y], radius };
        for row in 0..SIDE {
            for column in 0..SIDE {
                let ground = if drawing.covers(column, row) { color } else { [30.0; 3] };
                let pixel = ground.map(|value| (value + dice.between(-25.0, 25.0)) as u8);
                drawing.picture.put_pixel(column, row, Rgb(pixel));
            }
        }
        drawing
    }

    /// Whether the shape covers a pixel.
    fn covers(&self, column: u32, row: u32) -> bool {
        let [x, y] = [f64::from(column) + 0.5 - self.center[0], f64::from(row) + 0.5 - self.center[1]];
        match CLASSES[self.class] {
            "circle" => x.hypot(y) <= self.radius,
            "square" => x.abs().max(y.abs()) <= 0.8 * self.radius,
            _ => y.abs() <= self.radius && 2.0 * x.abs() <= y + self.radius,
        }
    }

    /// Share of a map's sum in cells which the shape covers a part of.
    fn share_of(&self, map: &[f32], columns: usize) -> f32 {
        let columns = columns as u32;
        let pixels = SIDE / columns;
        let touches = |cell: u32| {
            let (left, top) = (cell % columns * pixels, cell / columns * pixels);
            (0..pixels * pixels).any(|at| self.covers(left + at % pixels, top + at / pixels))
        };
        let on: f32 = (0..).zip(map).filter(|(cell, _)| touches(*cell)).map(|(_, value)| value).sum();
        on / map.iter().sum::<f32>()
    }
}

/// Random numbers that are the same every time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (high - low) * ((mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64)
    }
}
