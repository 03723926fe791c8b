//! A graph with its images and the right results, and what must hold of a plan for it.

use std::collections::BTreeMap;

use half::bf16;

use super::audit;
use super::channels_last::weight_shape;
use super::reference::{Tensor, compute};
use super::sensitivity::sensitivities;
use crate::card::{Node, Op, ValueId};
use crate::plan::Parameters;
use crate::{Arithmetic, Isa, Operation, Plan, Precision, Shapes, Workspace, knows};

/// The greatest error of a result, relative to the greatest value.
const ERROR: f64 = 1e-5;

/// By which share of [`sensitivities`] bf16 may be off. Factors are off by up to a part in 512 each, and those of equal elements all one way.
const ROUNDED: f64 = 1.5e-2;

/// As [`ROUNDED`], in int8: by up to a part in 510 of the range, and in 254 of the greatest weight. Both are nearly twice what 6,400 graphs had at most.
const QUANTISED: f64 = 3e-2;

/// Values that look random and are the same every time.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Below one, above minus one.
    pub(super) fn value(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(super) fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.value()).collect()
    }
}

/// The instruction sets that this CPU has, or the one that `NATIVE_TEST_ISA` names.
pub(super) fn available() -> Vec<Isa> {
    let only = std::env::var("NATIVE_TEST_ISA").ok();
    let sets = Isa::ALL.iter().copied().filter(|isa| isa.is_available());
    sets.filter(|isa| only.as_ref().is_none_or(|name| name == isa.name())).collect()
}

/// The tensor of a slot.
pub(super) fn id(slot: usize) -> ValueId {
    slot.checked_sub(1).map_or(ValueId::INPUT, ValueId::of_node)
}

/// An operation that reads these slots.
pub(super) fn node(op: Op, reads: &[usize]) -> Node {
    let inputs = reads.iter().copied().map(id).collect();
    Node { name: String::new(), inputs, params: BTreeMap::new(), op }
}

/// A graph that knows its right results for some images.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) dice: Dice,
    pub(super) batch: usize,
    pub(super) nodes: Vec<Node>,
    /// By node, whose slot is its position plus the number of inputs.
    pub(super) parameters: Vec<Parameters>,
    pub(super) inputs: usize,
    /// Images and weights are values that bf16 has.
    round: bool,
    /// Arrays have the channels last, with as many axes as this; 0 where they are first.
    pub(super) channels_last: usize,
    /// By slot, shapes of arrays of more axes, for one image.
    pub(super) arrays: BTreeMap<usize, Vec<usize>>,
    /// By slot, then image.
    pub(super) tensors: Vec<Vec<Tensor>>,
}

impl Case {
    /// A graph with these inputs, for `batch` images.
    pub(super) fn new(seed: u64, inputs: &[[usize; 3]], batch: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut tensor = |shape: &[usize; 3]| -> Vec<Tensor> {
            (0..batch).map(|_| Tensor::from_fn(*shape, |_, _, _| f64::from(dice.value()))).collect()
        };
        let tensors = inputs.iter().map(&mut tensor).collect();
        let (nodes, parameters, channels_last, arrays) = Default::default();
        let (inputs, round) = (inputs.len(), false);
        Self { dice, batch, nodes, parameters, inputs, round, channels_last, arrays, tensors }
    }

    /// As [`Case::new`], with images and weights that bf16 has.
    pub(super) fn rounded(seed: u64, inputs: &[[usize; 3]], batch: usize) -> Self {
        let mut case = Self { round: true, ..Self::new(seed, inputs, batch) };
        let values = case.tensors.iter_mut().flatten().flat_map(|tensor| &mut tensor.values);
        values.for_each(|value| *value = bf16::from_f64(*value).to_f64());
        case
    }

    pub(super) fn shape(&self, slot: usize) -> [usize; 3] {
        self.tensors[slot][0].shape
    }

    pub(super) fn slots(&self) -> usize {
        self.tensors.len()
    }

    /// Adds an operation other than a convolution; returns its slot.
    pub(super) fn push(&mut self, op: Op, reads: &[usize]) -> usize {
        let mut parameters = Parameters::new();
        if matches!(op, Op::BatchNorm { .. }) {
            let channels = self.shape(reads[0])[0];
            for role in ["scale", "shift"] {
                parameters.insert(role.into(), (self.dice.values(channels), vec![channels]));
            }
        }
        self.add(op, reads, parameters)
    }

    /// Adds a convolution to `out` channels; returns its slot.
    pub(super) fn convolve(&mut self, op: Op, x: usize, out: usize, kernel: [usize; 2], bias: bool) -> usize {
        let Op::Conv2d { groups, .. } = op else { panic!("not a convolution") };
        let per_group = self.shape(x)[0] / groups;
        let fan_in = per_group * kernel[0] * kernel[1];
        // So that values stay about as large as they were.
        let scale = (3.0 / fan_in as f32).sqrt();
        let round = |weight: f32| if self.round { bf16::from_f32(weight).to_f32() } else { weight };
        let weight = self.dice.values(out * fan_in).iter().map(|weight| round(weight * scale)).collect();
        let shape = vec![out, per_group, kernel[0], kernel[1]];
        let mut parameters = Parameters::from([("weight".to_owned(), (weight, shape))]);
        if bias {
            parameters.insert("bias".into(), (self.dice.values(out), vec![out]));
        }
        self.add(op, &[x], parameters)
    }

    pub(super) fn add(&mut self, op: Op, reads: &[usize], parameters: Parameters) -> usize {
        let of = |image: usize| {
            let inputs: Vec<&Tensor> = reads.iter().map(|slot| &self.tensors[*slot][image]).collect();
            compute(&op, &inputs, &parameters)
        };
        self.tensors.push((0..self.batch).map(of).collect());
        self.nodes.push(node(op, reads));
        self.parameters.push(parameters);
        self.tensors.len() - 1
    }

    pub(super) fn shapes(&self) -> Shapes {
        self.ordered((0..self.slots()).map(|slot| (id(slot), self.shape(slot))).collect())
    }

    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let all = self.nodes.iter().zip(&self.parameters).enumerate();
        all.map(|(at, (node, parameters))| Operation {
            node,
            output: id(self.inputs + at),
            weight: weight_shape(parameters),
        })
        .collect()
    }

    /// Whether there is a kernel for every operation.
    pub(super) fn known(&self, isa: Isa) -> bool {
        let shapes = self.shapes();
        self.operations().iter().all(|operation| knows(isa, operation, &shapes)[0])
    }

    pub(super) fn plan(&self, on: impl Into<Arithmetic>, wanted: &[usize]) -> crate::error::Result<Plan> {
        let inputs: Vec<ValueId> = (0..self.inputs).map(id).collect();
        let wanted: Vec<ValueId> = wanted.iter().copied().map(id).collect();
        Plan::new(on, &self.operations(), &self.shapes(), [&inputs, &wanted])
    }

    /// An operation's parameters.
    pub(super) fn load(&self, operation: usize) -> crate::error::Result<Parameters> {
        Ok(self.parameters[operation].clone())
    }

    /// The images of every input.
    pub(super) fn images(&self) -> Vec<Vec<f32>> {
        let image = |images: &Vec<Tensor>| {
            images.iter().flat_map(|image| self.array(image)).map(|value| value as f32).collect()
        };
        self.tensors[..self.inputs].iter().map(image).collect()
    }

    /// Checks everything that must hold on every instruction set that this CPU has and that has kernels for the operations.
    pub(super) fn check(&self, wanted: &[usize]) {
        for isa in available() {
            if self.known(isa) {
                self.check_on(isa.into(), wanted);
                for precision in [Precision::Bf16, Precision::Int8] {
                    let rounded = Arithmetic { isa, precision };
                    if rounded.is_available() {
                        self.check_on(rounded, wanted);
                    }
                }
            } else {
                assert!(self.plan(isa, wanted).is_err(), "{isa:?} plans an operation without a kernel");
            }
        }
    }

    /// As [`Case::check`], for operations that have kernels on all instruction sets.
    pub(super) fn check_known(&self, wanted: &[usize]) {
        assert!(Isa::ALL.iter().all(|isa| self.known(*isa)), "not known: {:?}", self.nodes);
        self.check(wanted);
    }

    /// As [`Case::check`], with one arithmetic.
    pub(super) fn check_on(&self, on: Arithmetic, wanted: &[usize]) {
        let plan = self.plan(on, wanted).unwrap();
        let weights = plan.pack(&|at| self.load(at)).unwrap();
        let run = |workspace: &Workspace, inputs: &[&[f32]], batch, threads| {
            plan.run(&weights, workspace, inputs, batch, threads)
        };
        let images = self.images();
        let parts = |first: usize, count: usize| -> Vec<&[f32]> {
            let part = |all: &'_ Vec<f32>| (all.len() / self.batch * first, all.len() / self.batch * count);
            images.iter().map(|all| &all[part(all).0..][..part(all).1]).collect()
        };
        let outputs = run(&Workspace::default(), &parts(0, self.batch), self.batch, 1);
        self.compare(on, wanted, &outputs);

        if cfg!(miri) {
            // Miri sees for itself what the rest is for, and takes minutes for it.
            let again = run(&Workspace::default(), &parts(0, self.batch), self.batch, 2);
            return same_bits(&outputs, &again, &format!("{on:?}, 2 threads"));
        }

        // Memory full of NaN: an element that is read without having been written shows.
        let workspace = Workspace::default();
        let damage: Vec<Vec<f32>> = images.iter().map(|image| vec![f32::NAN; image.len()]).collect();
        run(&workspace, &damage.iter().map(Vec::as_slice).collect::<Vec<_>>(), self.batch, 1);
        for threads in 1..=3 {
            let again = run(&workspace, &parts(0, self.batch), self.batch, threads);
            same_bits(&outputs, &again, &format!("{on:?}, {threads} threads"));
        }
        let audited = audit::run(&plan, &weights, &parts(0, self.batch), self.batch);
        same_bits(&outputs, &audited, &format!("{on:?}, audited"));

        let alone = |image| run(&workspace, &parts(image, 1), 1, 2);
        let once = |image| plan.run_once(&|at| self.load(at), &parts(image, 1), 1 + image % 2).unwrap();
        same_bits(&outputs, &self.joined(alone), &format!("{on:?}, one image at a time"));
        same_bits(&outputs, &self.joined(once), &format!("{on:?}, low-memory mode"));
    }

    /// The outputs of a batch from those of its images.
    fn joined(&self, of: impl Fn(usize) -> Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        let mut joined = of(0);
        for outputs in (1..self.batch).map(of) {
            joined.iter_mut().zip(outputs).for_each(|(to, from)| to.extend(from));
        }
        joined
    }

    fn compare(&self, on: Arithmetic, wanted: &[usize], outputs: &[Vec<f32>]) {
        assert_eq!(outputs.len(), wanted.len());
        let share = match on.precision {
            Precision::Bf16 if !self.round => ROUNDED,
            Precision::Int8 => QUANTISED,
            _ => 0.0,
        };
        let sensitivities = sensitivities(self);
        for (slot, output) in wanted.iter().zip(outputs) {
            let right: Vec<f64> = self.tensors[*slot].iter().flat_map(|tensor| self.array(tensor)).collect();
            close(&right, output, share * sensitivities[*slot], &format!("{on:?}: slot {slot}"));
        }
    }
}

/// Compares with the right values. `rounded` is how far rounded factors may put each off; any other error is a share of the greatest value.
pub(super) fn close(right: &[f64], found: &[f32], rounded: f64, what: &str) {
    assert_eq!(right.len(), found.len(), "{what}");
    // At least 0.01: the remainder of a difference is measured by what was subtracted.
    let greatest = right.iter().fold(0.01, |greatest: f64, value| greatest.max(value.abs()));
    let allowed = rounded + ERROR * greatest;
    for (at, (right, found)) in right.iter().zip(found).enumerate() {
        let off = (right - f64::from(*found)).abs();
        assert!(off <= allowed, "{what} at {at}: {found}, expected {right} ({off:e} off)");
    }
}

pub(super) fn same_bits(a: &[Vec<f32>], b: &[Vec<f32>], what: &str) {
    for (output, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.len(), b.len(), "{what}");
        for (at, (a, b)) in a.iter().zip(b).enumerate() {
            assert_eq!(a.to_bits(), b.to_bits(), "{what}: output {output} at {at}: {a} and {b}");
        }
    }
}
