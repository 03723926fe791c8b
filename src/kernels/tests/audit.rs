//! Runs a plan one unit of one kernel at a time and checks what each reads and writes.
//!
//! All tensors share one memory, so a kernel that goes past the end of one meets another and no sanitizer notices. Here every unit
//! runs on a memory of its own in which all is damage (a NaN) but what it may read: anything else that it uses shows in the
//! results. Afterwards nothing may have changed but its output, and nothing that another unit of the same kernel changed: so
//! threads that share the units never write to the same place. Under AddressSanitizer (`--cfg asan`) touching anything else
//! stops the program on the spot.

use crate::kernels::conv::Layer;
use crate::kernels::pointwise::Kind;
use crate::kernels::{Run, Unit, layout};
use crate::memory::{BufferPool, Memory};
use crate::plan::{Kernel, Plan, Weights};
use crate::view::View;

/// A NaN that arithmetic does not make.
const DAMAGE: u32 = 0x7FCD_CDCD;

/// What may be read: the view, and whether with the zeros around it.
type Reads<'a> = Vec<(&'a View, bool)>;

/// As [`Plan::run`], the batch at once.
pub(super) fn run(plan: &Plan, weights: &Weights, inputs: &[&[f32]], batch: usize) -> Vec<Vec<f32>> {
    run_in(&mut memory(plan, batch), plan, weights, inputs, batch)
}

/// Damage, as much as a plan needs.
pub(super) fn memory(plan: &Plan, batch: usize) -> Vec<f32> {
    vec![f32::from_bits(DAMAGE); plan.bytes() / size_of::<f32>() * batch]
}

/// As [`run`], in memory that an earlier plan may have left.
pub(super) fn run_in(
    memory: &mut [f32],
    plan: &Plan,
    weights: &Weights,
    inputs: &[&[f32]],
    batch: usize,
) -> Vec<Vec<f32>> {
    for (view, values) in plan.inputs.iter().zip(inputs) {
        let import = |unit: &Unit<'_>| layout::import(unit, view, values);
        audit(memory, batch, &vec![], view, layout::import_units(view, batch), import);
    }
    for (kernel, packed) in plan.kernels.iter().zip(&weights.0) {
        let work = |unit: &Unit<'_>| kernel.unit(unit, packed);
        audit(memory, batch, &reads(kernel), kernel.output(), kernel.units(batch), work);
    }
    plan.outputs.iter().map(|view| layout::export(memory, view, batch)).collect()
}

fn reads(kernel: &Kernel) -> Reads<'_> {
    match kernel {
        Kernel::Conv(conv) => layer(&conv.layer).collect(),
        Kernel::ConvBf16(conv) => layer(&conv.conv.layer).collect(),
        Kernel::ConvInt8(conv) => layer(&conv.conv.layer).chain([(&conv.extent, false)]).collect(),
        Kernel::Extent(extent) => vec![(&extent.input, false)],
        Kernel::Winograd(conv) => layer(&conv.layer).collect(),
        Kernel::Depthwise(depthwise) => vec![(&depthwise.input, true)],
        Kernel::Pool(pool) => vec![(&pool.input, false)],
        Kernel::Pointwise(pointwise) => {
            let other = match &pointwise.kind {
                Kind::Affine | Kind::Line { .. } | Kind::Stored(_) => None,
                Kind::Add(view) | Kind::Mul(view) => Some((view, false)),
            };
            std::iter::once((&pointwise.input, false)).chain(other).collect()
        }
        Kernel::LayerNorm(norm) => two(&norm.input, norm.gradient.as_ref()),
        Kernel::Product(product) => product.factors.iter().map(|view| (view, false)).collect(),
        Kernel::Softmax(softmax) => two(&softmax.input, softmax.gradient.as_ref()),
        Kernel::Move(movement) => vec![(movement.input(), false)],
        Kernel::Copy(copy) => vec![(&copy.input, false)],
        Kernel::Slope(slope) => {
            let added = slope.added.iter().map(|view| (view, false));
            [&slope.gradient, &slope.kept].map(|view| (view, false)).into_iter().chain(added).collect()
        }
        Kernel::Unpool(unpool) => two(&unpool.gradient, unpool.kept.as_ref()),
        Kernel::Contract(contract) => two(&contract.input, contract.other.as_ref()),
        Kernel::Spread(spread) => vec![(&spread.input, false)],
    }
}

fn two<'a>(first: &'a View, second: Option<&'a View>) -> Reads<'a> {
    std::iter::once(first).chain(second).map(|view| (view, false)).collect()
}

fn layer(layer: &Layer) -> impl Iterator<Item = (&View, bool)> {
    std::iter::once((&layer.input, true)).chain(layer.residual.iter().map(|view| (view, false)))
}

fn audit(
    memory: &mut [f32],
    batch: usize,
    reads: &Reads<'_>,
    output: &View,
    units: usize,
    work: impl Fn(&Unit<'_>),
) {
    let (before, touchable) = prepare(memory, batch, reads, output);
    let mut writable = vec![false; memory.len()];
    mark(&mut writable, output, batch, true, false);
    let mut writers: Vec<Option<usize>> = vec![None; memory.len()];
    let mut scratch = Memory::zeros(memory.len());
    for unit in 0..units {
        scratch.as_mut_slice()[..memory.len()].copy_from_slice(&before);
        {
            let _fence = Fence::new(&scratch.as_slice()[..memory.len()], &touchable);
            let pool = BufferPool::default();
            let run = Run::new(&mut scratch.as_mut_slice()[..memory.len()], &pool, batch);
            // SAFETY: all kernels before this one have run, and this is the only unit.
            work(&unsafe { Unit::new(&run, unit) });
        }
        for (at, after) in changed(&scratch.as_slice()[..memory.len()], &before) {
            assert!(writable[at], "unit {unit} of {units} writes at {at}, outside of its output {output:?}");
            let other = writers[at].replace(unit);
            assert!(other.is_none(), "units {other:?} and {unit} of {units} write at {at} of {output:?}");
            memory[at] = after;
        }
    }
}

/// The elements that differ, with their new values. By bits, because damage is NaN.
fn changed<'a>(after: &'a [f32], before: &'a [f32]) -> impl Iterator<Item = (usize, f32)> + 'a {
    /// Elements that are compared at once: a unit changes few of the memory's.
    const BLOCK: usize = 64;
    let bits = |values: &'a [f32]| bytemuck::cast_slice::<f32, u32>(values).chunks(BLOCK);
    let blocks = bits(after).zip(bits(before)).enumerate();
    blocks.filter(|(_, (after, before))| after != before).flat_map(|(block, (after, before))| {
        let differs = |(_, (after, before)): &(usize, (&u32, &u32))| after != before;
        let elements = (block * BLOCK..).zip(after.iter().zip(before)).filter(differs);
        elements.map(|(at, (after, _))| (at, f32::from_bits(*after)))
    })
}

/// The memory with damage in all that may not be read, and what may be read or written.
fn prepare(memory: &[f32], batch: usize, reads: &Reads<'_>, output: &View) -> (Vec<f32>, Vec<bool>) {
    let mut readable = vec![false; memory.len()];
    let mut touchable = vec![false; memory.len()];
    for (view, with_halo) in reads {
        mark(&mut readable, view, batch, *with_halo, true);
        mark(&mut touchable, view, batch, true, false);
    }
    let mut writable = vec![false; memory.len()];
    mark(&mut writable, output, batch, true, false);
    touchable.iter_mut().zip(&writable).for_each(|(touchable, writable)| *touchable |= writable);
    let damage = f32::from_bits(DAMAGE);
    let value = |(value, readable): (&f32, &bool)| if *readable { *value } else { damage };
    (memory.iter().zip(&readable).map(value).collect(), touchable)
}

/// Marks the elements of a view: all of its blocks, or without the zeros around them, or without lanes that hold no channel.
fn mark(marks: &mut [bool], view: &View, batch: usize, with_halo: bool, channels_only: bool) {
    let all = (0..batch).flat_map(|image| (0..view.blocks()).map(move |block| (image, block)));
    for (image, block) in all {
        let marks = &mut marks[view.block_range(batch, image, block)];
        if with_halo {
            marks.fill(true);
        }
        let lanes = view.lanes_of(block);
        for (y, x) in (0..view.height).flat_map(|y| (0..view.width).map(move |x| (y, x))) {
            let at = view.at(0, y, x);
            marks[at..at + lanes].fill(true);
            marks[at + lanes..at + view.lanes].fill(!channels_only);
        }
    }
}

/// While it exists, AddressSanitizer reports every access to what is not marked.
struct Fence {
    memory: *const f32,
    len: usize,
}

impl Fence {
    fn new(memory: &[f32], touchable: &[bool]) -> Self {
        let mut at = 0;
        // Only the sanitizer uses it, and there are many units.
        let touchable = if cfg!(asan) { touchable } else { &[] };
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

#[test]
fn every_element_that_changes_is_found_and_no_other() {
    let before = vec![f32::from_bits(DAMAGE); 130];
    let mut after = before.clone();
    let expected = [(0, 1.0), (63, 2.0), (64, 3.0), (129, 4.0)];
    expected.iter().for_each(|(at, value)| after[*at] = *value);
    assert_eq!(changed(&after, &before).collect::<Vec<_>>(), expected);
}
