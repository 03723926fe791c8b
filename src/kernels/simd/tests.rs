//! Every instruction set computes what plain arrays of numbers do.

use std::cell::Cell;

use super::{Arguments, InnerLoop, Isa, Simd};

/// The result of each operation, a register's lanes at a time.
struct Operations;

struct Values;

impl Arguments for Values {
    /// Three operands, and the results of all operations one after another.
    type With<'a> = ([&'a [f32]; 3], &'a [Cell<f32>]);
}

impl InnerLoop for Operations {
    type Arguments = Values;

    #[inline(always)]
    fn run<S: Simd>(simd: S, (operands, results): <Values as Arguments>::With<'_>) {
        let length = operands[0].len();
        for at in (0..length).step_by(S::LANES) {
            let [a, b, c] = operands.map(|values| simd.load(&values[at..]));
            let wide = simd.add_wide(simd.widen(a), simd.widen(b));
            let all = [
                simd.mul_add(a, b, c),
                simd.add(a, b),
                simd.mul(a, b),
                simd.div(a, b),
                simd.max(a, b),
                simd.min(a, b),
                simd.nan_max(a, b),
                simd.round(c),
                simd.narrow(wide, 1.0 / 3.0),
                simd.power_of_two(simd.round(c)),
                simd.splat(operands[0][at]),
            ];
            for (operation, result) in all.into_iter().enumerate() {
                simd.store(&results[operation * length + at..], result);
            }
        }
    }
}

/// As [`Operations`], one number at a time; `first` is the first lane's `a`.
fn wanted(is_fused: bool, [a, b, c]: [f32; 3], first: f32) -> [f32; 11] {
    let wide = (f64::from(a) + f64::from(b)) * (1.0 / 3.0);
    [
        if is_fused { a.mul_add(b, c) } else { a * b + c },
        a + b,
        a * b,
        a / b,
        if a > b { a } else { b },
        if a < b { a } else { b },
        if a.is_nan() || a > b { a } else { b },
        c.round_ties_even(),
        wide as f32,
        c.round_ties_even().exp2(),
        first,
    ]
}

#[test]
fn every_operation_gives_the_same_numbers_on_every_instruction_set() {
    let special =
        [0.0, -0.0, 1.0, -1.5, 2.5, 1e-40, 3.4e38, -3.4e38, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
    // All pairs, and for the third what powers of two and halves are made of.
    let pairs: Vec<[f32; 2]> = special.iter().flat_map(|a| special.map(|b| [*a, b])).collect();
    let length = pairs.len().next_multiple_of(16);
    let pair = |at: usize, which: usize| pairs[at % pairs.len()][which];
    let a: Vec<f32> = (0..length).map(|at| pair(at, 0)).collect();
    let b: Vec<f32> = (0..length).map(|at| pair(at, 1)).collect();
    let c: Vec<f32> = (0..length).map(|at| (at as f32 - 60.0) * 0.5).collect();
    for isa in Isa::ALL {
        let Some(instructions) = isa.detect() else { continue };
        let mut results = vec![0.0_f32; 11 * length];
        let cells = Cell::from_mut(results.as_mut_slice()).as_slice_of_cells();
        instructions.compile::<Operations>().call(([&a, &b, &c], cells));
        let is_fused = *isa != Isa::Portable || cfg!(target_arch = "aarch64");
        for at in 0..length {
            let operands = [a[at], b[at], c[at]];
            let first = a[at / instructions.lanes() * instructions.lanes()];
            for (operation, wanted) in wanted(is_fused, operands, first).into_iter().enumerate() {
                let found = results[operation * length + at];
                // Which NaN, which zero is the greater one, and whether -0.5 is rounded to -0 differ between CPUs.
                let same = found.to_bits() == wanted.to_bits()
                    || found.is_nan() && wanted.is_nan()
                    || matches!(operation, 6 | 7) && found == wanted;
                assert!(same, "{isa:?}, operation {operation} of {operands:?}: {found}, expected {wanted}");
            }
        }
    }
}
