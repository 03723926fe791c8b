//! Against a plain convolution in double precision, on every instruction set that is here.

use super::{ENOUGH, Winograd};
use crate::kernels::filters::{Filters, Numbers};
use crate::kernels::{Packed, Run, layout};
use crate::memory::{Memory, Pool};
use crate::simd::Isa;
use crate::view::{Halo, View};

/// Numbers from -1 to 1 and whole numbers below a bound, the same ones every time.
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

    fn numbers(&mut self, len: usize) -> Vec<f32> {
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

fn view(isa: Isa, channels: usize, [height, width]: [usize; 2], halo: Halo, start: usize) -> View {
    let view = View { channels, height, width, lanes: isa.lanes(), halo, start, first_block: 0, image: 0 };
    View { image: view.block() * view.blocks(), ..view }
}

/// What it should be.
fn plain(case: &Case, x: &[f32], w: &[f32], bias: &[f32], residual: Option<&[f32]>) -> Vec<f64> {
    let ([inside, outside], [height, width], [rows, columns]) = (case.channels, case.size, case.output());
    let mut sums = Vec::new();
    for at in 0..case.batch * outside * rows * columns {
        let (column, row, o) = (at % columns, at / columns % rows, at / (columns * rows) % outside);
        let image = at / (columns * rows * outside);
        let mut sum = f64::from(bias[o]) + residual.map_or(0.0, |residual| f64::from(residual[at]));
        for tap in 0..inside * 9 {
            let (c, y, x_) = (tap / 9, row + tap / 3 % 3, column + tap % 3);
            let (Some(y), Some(x_)) = (y.checked_sub(case.padding[0]), x_.checked_sub(case.padding[1]))
            else {
                continue;
            };
            if y < height && x_ < width {
                let pixel = x[((image * inside + c) * height + y) * width + x_];
                sum += f64::from(pixel) * f64::from(w[(o * inside + c) * 9 + tap % 9]);
            }
        }
        sums.push(sum.clamp(case.range[0].into(), case.range[1].into()));
    }
    sums
}

/// Runs the kernel; everything around the output's pixels must stay as it was.
fn winograd(isa: Isa, case: &Case, x: &[f32], w: &[f32], bias: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
    let [top, left, bottom, right] = case.padding;
    let [inside, outside] = case.channels;
    let input = view(isa, inside, case.size, Halo { top: top + 1, left, bottom, right }, 0);
    let added = view(isa, outside, case.output(), Halo { top: 1, ..Halo::default() }, input.image);
    let start = added.start + added.image;
    let output = view(isa, outside, case.output(), Halo { left: 1, bottom: 2, ..Halo::default() }, start);
    let mut memory = Memory::zeros((start + output.image) * case.batch);
    memory.as_mut_slice().fill(f32::NAN);
    let pool = Pool::default();
    let run = Run::new(memory.as_mut_slice(), &pool, case.batch);
    let filters = Filters { shape: [outside, inside, 3, 3], groups: 1 };
    let conv = Winograd::new(isa, filters, [top, left], [input, output], residual.map(|_| added), case.range);
    let mut packed = Packed::default();
    conv.pack(&Numbers { weight: w, bias: Some(bias) }, &mut packed);
    let mut written = vec![false; (start + output.image) * case.batch];
    for at in 0..case.batch * output.blocks() * output.height {
        let (row, block) = (at % output.height, at / output.height % output.blocks());
        let from = output.at(case.batch, at / (output.height * output.blocks()), block, row, 0);
        written[from..from + output.width * output.lanes].fill(true);
    }
    // SAFETY: one thread, views side by side in the memory.
    unsafe {
        for (view, values) in [(&input, Some(x)), (&added, residual)] {
            for unit in 0..values.map_or(0, |_| view.blocks() * case.batch) {
                layout::import(&run, view, values.unwrap_or_default(), unit);
                layout::clear_halo(&run, view, unit / view.blocks(), unit % view.blocks());
            }
        }
        let before: Vec<u32> = (0..written.len()).map(|at| (*run.read(at)).to_bits()).collect();
        (0..conv.units(case.batch)).for_each(|unit| conv.unit(&run, &packed, unit));
        for (at, before) in before.iter().enumerate() {
            assert!(written[at] || (*run.read(at)).to_bits() == *before, "wrote to {at}");
        }
        layout::export(&run, &output)
    }
}

/// The largest difference, of the largest value.
fn error(case: &Case, random: &mut Random, isa: Isa) -> f64 {
    let ([inside, outside], [rows, columns]) = (case.channels, case.output());
    let x = random.numbers(case.batch * inside * case.size[0] * case.size[1]);
    let w = random.numbers(outside * inside * 9);
    let bias = random.numbers(outside);
    let added = random.numbers(case.batch * outside * rows * columns);
    let residual = case.residual.then_some(&added[..]);
    let expected = plain(case, &x, &w, &bias, residual);
    let found = winograd(isa, case, &x, &w, &bias, residual);
    assert!(found.iter().all(|value| value.is_finite()));
    let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
    let difference = |(expected, found): (&f64, &f32)| (expected - f64::from(*found)).abs();
    expected.iter().zip(&found).map(difference).fold(0.0, f64::max) / largest
}

#[test]
fn winograd_equals_a_plain_convolution_on_random_shapes() {
    let mut random = Random(88_172_645_463_325_252);
    for _ in 0..40 {
        let case = Case::random(&mut random);
        for isa in Isa::ALL.iter().copied().filter(|isa| isa.is_here()) {
            let error = error(&case, &mut random, isa);
            let Case { channels, size, padding, batch, .. } = case;
            assert!(error < 1e-5, "{isa:?} {channels:?} {size:?} {padding:?} {batch}: {error:e}");
        }
    }
}

#[test]
fn winograd_stays_exact_with_many_channels_and_divides_its_work() {
    let mut random = Random(362_436_069_123_456_789);
    for isa in Isa::ALL.iter().copied().filter(|isa| isa.is_here()) {
        let case = Case {
            channels: [512, 272],
            size: [15, 14],
            padding: [1; 4],
            batch: 2,
            residual: true,
            range: [f32::NEG_INFINITY, f32::INFINITY],
        };
        let error = error(&case, &mut random, isa);
        assert!(error < 1e-5, "{isa:?}: {error:e}");
    }
}

#[test]
fn winograd_gives_an_image_the_same_numbers_in_any_batch() {
    let mut random = Random(521_288_629_987_654_321);
    let case = |batch| Case {
        channels: [20, 33],
        size: [15, 18],
        padding: [1; 4],
        batch,
        residual: false,
        range: [0.0, f32::INFINITY],
    };
    let (x, w, bias) = (random.numbers(3 * 20 * 15 * 18), random.numbers(33 * 20 * 9), random.numbers(33));
    assert!(case(1).output().iter().map(|side| side.div_ceil(4)).product::<usize>() > ENOUGH);
    for isa in Isa::ALL.iter().copied().filter(|isa| isa.is_here()) {
        let all = winograd(isa, &case(3), &x, &w, &bias, None);
        for image in 0..3 {
            let x = &x[image * x.len() / 3..][..x.len() / 3];
            let alone = winograd(isa, &case(1), x, &w, &bias, None);
            assert_eq!(alone[..], all[image * alone.len()..][..alone.len()], "{isa:?} image {image}");
        }
    }
}
