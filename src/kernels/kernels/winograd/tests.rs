//! Against a plain convolution in double precision, on every instruction set that this CPU has.

use super::{ConvGeometry, Layer, MIN_TILES, Winograd};
use crate::card::Op;
use crate::kernels::filters::{ConvWeights, Filters};
use crate::kernels::{Packed, Run, Unit, layout};
use crate::memory::{BufferPool, Memory};
use crate::plan::Parameters;
use crate::simd::{Instructions, Isa};
use crate::tests::reference::{Tensor, compute};
use crate::view::{Halo, View};

/// Values from -1 to 1 and integers below a bound, the same ones every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 40
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }

    fn values(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next() as f32 / (1 << 23) as f32 - 1.0).collect()
    }
}

/// Channels in and out, height and width of the input, padding at the top, left, bottom and right, batch.
struct Case {
    channels: [usize; 2],
    size: [usize; 2],
    padding: [usize; 4],
    batch: usize,
    residual: bool,
    range: [f32; 2],
}

impl Case {
    fn random(random: &mut Random) -> Self {
        Self {
            channels: [1 + random.below(70), 1 + random.below(70)],
            size: [3 + random.below(20), 3 + random.below(20)],
            padding: std::array::from_fn(|_| random.below(3)),
            batch: 1 + random.below(4),
            residual: random.below(2) == 0,
            range: if random.below(2) == 0 { [0.0, 20.0] } else { [f32::NEG_INFINITY, f32::INFINITY] },
        }
    }

    fn output(&self) -> [usize; 2] {
        let [top, left, bottom, right] = self.padding;
        [self.size[0] + top + bottom - 2, self.size[1] + left + right - 2]
    }
}

fn view(lanes: usize, channels: usize, [height, width]: [usize; 2], halo: Halo, start: usize) -> View {
    let (first_block, image, channels_last) = Default::default();
    let view = View { channels, height, width, lanes, halo, start, first_block, image, channels_last };
    View { image: view.block() * view.blocks(), ..view }
}

/// The convolution in double precision.
fn plain(case: &Case, x: &[f32], w: &[f32], bias: &[f32], residual: Option<&[f32]>) -> Vec<f64> {
    let ([inside, outside], [height, width]) = (case.channels, case.size);
    let [top, left, bottom, right] = case.padding;
    let op = Op::Conv2d { stride: [1, 1], padding: [top, bottom, left, right], dilation: [1, 1], groups: 1 };
    let parameters = Parameters::from([
        ("weight".to_owned(), (w.to_vec(), vec![outside, inside, 3, 3])),
        ("bias".to_owned(), (bias.to_vec(), vec![outside])),
    ]);
    let image = |values: &[f32]| {
        let values = values.iter().copied().map(f64::from).collect();
        compute(&op, &[&Tensor { shape: [inside, height, width], values }], &parameters).values
    };
    let sums = x.chunks_exact(inside * height * width).flat_map(image);
    let residual = |at: usize| residual.map_or(0.0, |residual| f64::from(residual[at]));
    let [least, most] = case.range.map(f64::from);
    sums.enumerate().map(|(at, sum)| (sum + residual(at)).clamp(least, most)).collect()
}

fn layer(case: &Case, [input, output]: [View; 2], residual: Option<View>) -> Layer {
    let ([top, left, ..], [inside, outside], range) = (case.padding, case.channels, case.range);
    let filters = Filters { shape: [outside, inside, 3, 3], groups: 1 };
    let geometry = ConvGeometry { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [top, left] };
    Layer { filters, geometry, input, output, residual, range }
}

/// Runs the kernel; everything around the output's pixels must stay as it was.
fn winograd(
    on: Instructions,
    case: &Case,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    residual: Option<&[f32]>,
) -> Vec<f32> {
    let ([top, left, bottom, right], [inside, outside], lanes) = (case.padding, case.channels, on.lanes());
    let input = view(lanes, inside, case.size, Halo { top: top + 1, left, bottom, right }, 0);
    let added = view(lanes, outside, case.output(), Halo { top: 1, ..Halo::default() }, input.image);
    let start = added.start + added.image;
    let output = view(lanes, outside, case.output(), Halo { left: 1, bottom: 2, ..Halo::default() }, start);
    let mut memory = Memory::zeros((start + output.image) * case.batch);
    memory.as_mut_slice().fill(f32::NAN);
    let pool = BufferPool::default();
    let conv = Winograd::new(on, layer(case, [input, output], residual.map(|_| added)));
    let mut packed = Packed::default();
    conv.pack(&ConvWeights { weight: w, by_input: false, bias: Some(bias) }, &mut packed);
    let run = Run::new(memory.as_mut_slice(), &pool, case.batch);
    for (view, values) in [(&input, Some(x)), (&added, residual)] {
        for unit in 0..values.map_or(0, |_| layout::import_units(view, case.batch)) {
            // SAFETY: one unit at a time.
            layout::import(&unsafe { Unit::new(&run, unit) }, view, values.unwrap_or_default());
        }
    }
    let before: Vec<u32> = memory.as_slice().iter().map(|value| value.to_bits()).collect();
    let run = Run::new(memory.as_mut_slice(), &pool, case.batch);
    for unit in 0..conv.units(case.batch) {
        // SAFETY: one unit at a time, after the imports.
        conv.unit(&unsafe { Unit::new(&run, unit) }, &packed);
    }
    let written = pixels(&output, case.batch, before.len());
    for (at, (before, after)) in before.iter().zip(memory.as_slice()).enumerate() {
        assert!(written[at] || after.to_bits() == *before, "wrote to {at}");
    }
    layout::export(memory.as_slice(), &output, case.batch)
}

/// Which elements of the memory are pixels of the view.
fn pixels(view: &View, batch: usize, len: usize) -> Vec<bool> {
    let mut pixels = vec![false; len];
    for at in 0..batch * view.blocks() * view.height {
        let (row, block) = (at % view.height, at / view.height % view.blocks());
        let range = view.block_range(batch, at / (view.height * view.blocks()), block);
        pixels[range][view.at(0, row, 0)..][..view.width * view.lanes].fill(true);
    }
    pixels
}

fn available() -> impl Iterator<Item = Instructions> {
    Isa::ALL.iter().filter_map(|isa| isa.detect())
}

/// On each instruction set the greatest difference, relative to the greatest value.
fn errors(case: &Case, random: &mut Random) -> Vec<(Instructions, f64)> {
    let ([inside, outside], [rows, columns]) = (case.channels, case.output());
    let x = random.values(case.batch * inside * case.size[0] * case.size[1]);
    let w = random.values(outside * inside * 9);
    let bias = random.values(outside);
    let added = random.values(case.batch * outside * rows * columns);
    let residual = case.residual.then_some(&added[..]);
    // Once for all instruction sets: it takes longer than they do.
    let expected = plain(case, &x, &w, &bias, residual);
    let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
    let error = |on: Instructions| {
        let found = winograd(on, case, &x, &w, &bias, residual);
        assert!(found.iter().all(|value| value.is_finite()));
        let difference = |(expected, found): (&f64, &f32)| (expected - f64::from(*found)).abs();
        (on, expected.iter().zip(&found).map(difference).fold(0.0, f64::max) / largest)
    };
    available().map(error).collect()
}

#[test]
fn winograd_equals_a_plain_convolution_on_random_shapes() {
    let mut random = Random(88_172_645_463_325_252);
    for _ in 0..40 {
        let case = Case::random(&mut random);
        for (on, error) in errors(&case, &mut random) {
            let Case { channels, size, padding, batch, .. } = case;
            assert!(error < 1e-5, "{on:?} {channels:?} {size:?} {padding:?} {batch}: {error:e}");
        }
    }
}

#[test]
fn winograd_stays_exact_with_many_channels_and_divides_its_work() {
    let case = Case {
        channels: [512, 272],
        size: [15, 14],
        padding: [1; 4],
        batch: 2,
        residual: true,
        range: [f32::NEG_INFINITY, f32::INFINITY],
    };
    for (on, error) in errors(&case, &mut Random(362_436_069_123_456_789)) {
        assert!(error < 1e-5, "{on:?}: {error:e}");
    }
}

#[test]
fn winograd_gives_an_image_the_same_values_in_any_batch() {
    let mut random = Random(521_288_629_987_654_321);
    let case = |batch| Case {
        channels: [20, 33],
        size: [15, 18],
        padding: [1; 4],
        batch,
        residual: false,
        range: [0.0, f32::INFINITY],
    };
    let (x, w, bias) = (random.values(3 * 20 * 15 * 18), random.values(33 * 20 * 9), random.values(33));
    assert!(case(1).output().iter().map(|side| side.div_ceil(4)).product::<usize>() > MIN_TILES);
    for on in available() {
        let all = winograd(on, &case(3), &x, &w, &bias, None);
        for image in 0..3 {
            let x = &x[image * x.len() / 3..][..x.len() / 3];
            let alone = winograd(on, &case(1), x, &w, &bias, None);
            assert_eq!(alone[..], all[image * alone.len()..][..alone.len()], "{on:?} image {image}");
        }
    }
}
