//! Runs a plan one part of one kernel at a time and sees what each reads and writes.
//!
//! What Miri would say, said by hand. All values lie in one memory, so a kernel that goes past the end of one value meets
//! another and no sanitizer notices. Here every part runs on a memory of its own in which all is damage (not a number)
//! but what it may read: whatever else it uses shows in the results. Afterwards nothing may have changed but its
//! output, and nothing that another part of the same kernel changed: so threads that share the parts never write to
//! one place. Under AddressSanitizer (`--cfg asan`) touching anything else stops the program on the spot.

use crate::kernels::pointwise::Kind;
use crate::kernels::{Run, layout};
use crate::memory::{Memory, Pool};
use crate::plan::{Kernel, Plan, Weights};
use crate::view::View;

/// Not a number, and told apart from those that arithmetic makes.
const DAMAGE: u32 = 0x7FCD_CDCD;

/// What may be read: the view, and whether with the zeros around it.
type Reads<'a> = Vec<(&'a View, bool)>;

/// As [`Plan::run`], the batch at once.
pub(super) fn run(plan: &Plan, weights: &Weights, inputs: &[&[f32]], batch: usize) -> Vec<Vec<f32>> {
    let mut memory = vec![f32::from_bits(DAMAGE); plan.bytes() / size_of::<f32>() * batch];
    for (view, values) in plan.inputs.iter().zip(inputs) {
        let import = |run: &Run<'_>, unit: usize| {
            // SAFETY: the unit's blocks are its own.
            unsafe {
                layout::import(run, view, values, unit);
                layout::clear_halo(run, view, unit / view.blocks(), unit % view.blocks());
            }
        };
        audit(&mut memory, batch, &vec![], view, view.blocks() * batch, import);
    }
    for (kernel, packed) in plan.kernels.iter().zip(&weights.0) {
        let work = |run: &Run<'_>, unit: usize| {
            // SAFETY: all kernels before this one have run, and this is the only thread.
            unsafe { kernel.unit(run, packed, unit) }
        };
        audit(&mut memory, batch, &reads(kernel), kernel.output(), kernel.units(batch), work);
    }
    let scratch = Pool::default();
    let run = Run::new(&mut memory, &scratch, batch);
    // SAFETY: all kernels have run.
    plan.outputs.iter().map(|view| unsafe { layout::export(&run, view) }).collect()
}

fn reads(kernel: &Kernel) -> Reads<'_> {
    match kernel {
        Kernel::Conv(conv) => {
            let residual = conv.residual.iter().map(|view| (view, false));
            std::iter::once((&conv.input, true)).chain(residual).collect()
        }
        Kernel::ConvBf16(conv) => {
            let residual = conv.residual.iter().map(|view| (view, false));
            std::iter::once((&conv.input, true)).chain(residual).collect()
        }
        Kernel::Winograd(conv) => {
            let residual = conv.residual.iter().map(|view| (view, false));
            std::iter::once((&conv.input, true)).chain(residual).collect()
        }
        Kernel::Depthwise(depthwise) => vec![(&depthwise.input, true)],
        Kernel::Pool(pool) => vec![(&pool.input, false)],
        Kernel::Pointwise(pointwise) => {
            let other = match &pointwise.kind {
                Kind::Affine | Kind::Line { .. } => None,
                Kind::Add(view) | Kind::Mul(view) => Some((view, false)),
            };
            std::iter::once((&pointwise.input, false)).chain(other).collect()
        }
        Kernel::Copy(copy) => vec![(&copy.input, false)],
    }
}

fn audit(
    memory: &mut [f32],
    batch: usize,
    reads: &Reads<'_>,
    output: &View,
    units: usize,
    work: impl Fn(&Run<'_>, usize),
) {
    let damage = f32::from_bits(DAMAGE);
    let mut readable = vec![false; memory.len()];
    let mut touchable = vec![false; memory.len()];
    for (view, with_halo) in reads {
        mark(&mut readable, view, batch, *with_halo, true);
        mark(&mut touchable, view, batch, true, false);
    }
    let mut writable = vec![false; memory.len()];
    mark(&mut writable, output, batch, true, false);
    touchable.iter_mut().zip(&writable).for_each(|(touchable, writable)| *touchable |= writable);
    let before: Vec<f32> = memory
        .iter()
        .zip(&readable)
        .map(|(number, readable)| if *readable { *number } else { damage })
        .collect();
    let mut writers: Vec<Option<usize>> = vec![None; memory.len()];
    for unit in 0..units {
        let mut scratch = Memory::zeros(memory.len());
        scratch.as_mut_slice()[..memory.len()].copy_from_slice(&before);
        {
            let _fence = Fence::new(&scratch.as_slice()[..memory.len()], &touchable);
            let pool = Pool::default();
            work(&Run::new(&mut scratch.as_mut_slice()[..memory.len()], &pool, batch), unit);
        }
        for (at, (after, before)) in scratch.as_slice().iter().zip(&before).enumerate() {
            if after.to_bits() != before.to_bits() {
                assert!(
                    writable[at],
                    "part {unit} of {units} writes at {at}, outside of its output {output:?}"
                );
                let other = writers[at].replace(unit);
                assert!(other.is_none(), "parts {other:?} and {unit} of {units} write at {at} of {output:?}");
                memory[at] = *after;
            }
        }
    }
}

/// Marks the numbers of a view: all of its blocks, or without the zeros around them, or without lanes that hold no channel.
fn mark(marks: &mut [bool], view: &View, batch: usize, with_halo: bool, channels_only: bool) {
    let all = (0..batch).flat_map(|image| (0..view.blocks()).map(move |block| (image, block)));
    for (image, block) in all {
        if with_halo {
            let start = view.before(batch, image, block, view.halo.top, view.halo.left);
            marks[start..start + view.block()].fill(true);
        }
        let lanes = view.lanes_of(block);
        for (y, x) in (0..view.height).flat_map(|y| (0..view.width).map(move |x| (y, x))) {
            let at = view.at(batch, image, block, y, x);
            marks[at..at + lanes].fill(true);
            marks[at + lanes..at + view.lanes].fill(!channels_only);
        }
    }
}

/// While it stands, AddressSanitizer lets nobody touch what is not marked.
struct Fence {
    memory: *const f32,
    len: usize,
}

impl Fence {
    fn new(memory: &[f32], touchable: &[bool]) -> Self {
        let mut at = 0;
        for run in touchable.chunk_by(|a, b| a == b) {
            if !run[0] {
                poison(memory[at..].as_ptr(), run.len(), true);
            }
            at += run.len();
        }
        Self { memory: memory.as_ptr(), len: memory.len() }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        poison(self.memory, self.len, false);
    }
}

#[cfg(asan)]
fn poison(from: *const f32, len: usize, poison: bool) {
    unsafe extern "C" {
        fn __asan_poison_memory_region(at: *const f32, bytes: usize);
        fn __asan_unpoison_memory_region(at: *const f32, bytes: usize);
    }
    let bytes = len * size_of::<f32>();
    // SAFETY: marks in the sanitizer's own tables, about memory that is there.
    unsafe {
        if poison {
            __asan_poison_memory_region(from, bytes)
        } else {
            __asan_unpoison_memory_region(from, bytes)
        }
    }
}

#[cfg(not(asan))]
fn poison(_: *const f32, _: usize, _: bool) {}
