//! A graph with its pictures and the right answers, and what must hold of a plan for it.

use half::bf16;

use super::audit;
use super::reference::{Value, compute};
use crate::card::Op;
use crate::plan::Parameters;
use crate::{Arithmetic, Isa, Operation, Plan, Precision, Shapes, Workspace, knows};

/// The most that an answer may be off, in parts of the largest number.
pub(super) const ERROR: f64 = 1e-5;

/// As [`ERROR`] where convolutions round to bf16: two numbers off by up to a part in 512 each, products off both ways, and
/// one convolution behind the other.
const ROUNDED: f64 = 3e-2;

/// Numbers that look random and are the same every time.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Below one, above minus one.
    pub(super) fn number(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(super) fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.number()).collect()
    }
}

/// The instruction sets that can be tried; `NATIVE_TEST_ISA` names one to try alone.
pub(super) fn here() -> Vec<Isa> {
    let only = std::env::var("NATIVE_TEST_ISA").ok();
    let sets = Isa::ALL.iter().copied().filter(|isa| isa.is_here());
    sets.filter(|isa| only.as_ref().is_none_or(|name| name == isa.name())).collect()
}

/// A graph that knows what it should give for some pictures.
#[derive(Debug)]
pub(super) struct Case {
    dice: Dice,
    batch: usize,
    ops: Vec<Op>,
    reads: Vec<Vec<usize>>,
    /// By operation, whose slot is its place plus the number of inputs.
    parameters: Vec<Parameters>,
    inputs: usize,
    /// Pictures and weights are numbers that bf16 has.
    round: bool,
    /// Slot, then image.
    values: Vec<Vec<Value>>,
}

impl Case {
    /// A graph with these inputs, for so many images.
    pub(super) fn new(seed: u64, inputs: &[[usize; 3]], batch: usize) -> Self {
        let mut dice = Dice::new(seed);
        let mut value = |shape: &[usize; 3]| -> Vec<Value> {
            (0..batch).map(|_| Value::from_fn(*shape, |_, _, _| f64::from(dice.number()))).collect()
        };
        let values = inputs.iter().map(&mut value).collect();
        let (ops, reads, parameters) = Default::default();
        Self { dice, batch, ops, reads, parameters, inputs: inputs.len(), round: false, values }
    }

    /// As [`Case::new`], with pictures and weights that bf16 has.
    pub(super) fn rounded(seed: u64, inputs: &[[usize; 3]], batch: usize) -> Self {
        let mut case = Self { round: true, ..Self::new(seed, inputs, batch) };
        let numbers = case.values.iter_mut().flatten().flat_map(|value| &mut value.numbers);
        numbers.for_each(|number| *number = bf16::from_f64(*number).to_f64());
        case
    }

    pub(super) fn shape(&self, slot: usize) -> [usize; 3] {
        self.values[slot][0].shape
    }

    pub(super) fn slots(&self) -> usize {
        self.values.len()
    }

    /// Adds an operation that has no weights of a shape of its own; its slot.
    pub(super) fn push(&mut self, op: Op, reads: &[usize]) -> usize {
        let mut parameters = Parameters::new();
        if matches!(op, Op::BatchNorm { .. }) {
            let channels = self.shape(reads[0])[0];
            for role in ["scale", "shift"] {
                parameters.insert(role.into(), (self.dice.numbers(channels), vec![channels]));
            }
        }
        self.add(op, reads, parameters)
    }

    /// Adds a convolution to so many channels; its slot.
    pub(super) fn convolve(&mut self, op: Op, x: usize, out: usize, kernel: [usize; 2], bias: bool) -> usize {
        let Op::Conv2d { groups, .. } = op else { panic!("not a convolution") };
        let per_group = self.shape(x)[0] / groups;
        let fan_in = per_group * kernel[0] * kernel[1];
        // Numbers stay about as large as they were.
        let scale = (3.0 / fan_in as f32).sqrt();
        let round = |weight: f32| if self.round { bf16::from_f32(weight).to_f32() } else { weight };
        let weight = self.dice.numbers(out * fan_in).iter().map(|weight| round(weight * scale)).collect();
        let shape = vec![out, per_group, kernel[0], kernel[1]];
        let mut parameters = Parameters::from([("weight".to_owned(), (weight, shape))]);
        if bias {
            parameters.insert("bias".into(), (self.dice.numbers(out), vec![out]));
        }
        self.add(op, &[x], parameters)
    }

    fn add(&mut self, op: Op, reads: &[usize], parameters: Parameters) -> usize {
        let of = |image: usize| {
            let inputs: Vec<&Value> = reads.iter().map(|slot| &self.values[*slot][image]).collect();
            compute(&op, &inputs, &parameters)
        };
        self.values.push((0..self.batch).map(of).collect());
        self.ops.push(op);
        self.reads.push(reads.to_vec());
        self.parameters.push(parameters);
        self.values.len() - 1
    }

    /// Slots without those that [`Case::push`] gave last.
    pub(super) fn pop(&mut self) {
        self.values.pop();
        self.ops.pop();
        self.reads.pop();
        self.parameters.pop();
    }

    fn shapes(&self) -> Shapes {
        (0..self.slots()).map(|slot| (slot, self.shape(slot))).collect()
    }

    fn operations(&self) -> Vec<Operation<'_>> {
        let weight = |parameters: &Parameters| {
            parameters.get("weight").map(|(_, shape)| shape[..].try_into().expect("four sides"))
        };
        let all = self.ops.iter().zip(&self.reads).zip(&self.parameters).enumerate();
        all.map(|(at, ((op, reads), parameters))| Operation {
            op,
            inputs: reads.clone(),
            output: self.inputs + at,
            weight: weight(parameters),
        })
        .collect()
    }

    /// There is a kernel for every operation.
    pub(super) fn known(&self, isa: Isa) -> bool {
        let shapes = self.shapes();
        self.operations().iter().all(|operation| knows(isa, operation, &shapes))
    }

    pub(super) fn plan(&self, on: impl Into<Arithmetic>, wanted: &[usize]) -> crate::error::Result<Plan> {
        let inputs: Vec<usize> = (0..self.inputs).collect();
        Plan::new(on, &self.operations(), &self.shapes(), [&inputs, wanted])
    }

    /// An operation's parameters.
    pub(super) fn load(&self, operation: usize) -> crate::error::Result<Parameters> {
        Ok(self.parameters[operation].clone())
    }

    /// The pictures of every input, one behind the other.
    pub(super) fn pictures(&self) -> Vec<Vec<f32>> {
        let picture = |images: &Vec<Value>| {
            images.iter().flat_map(|image| &image.numbers).map(|number| *number as f32).collect()
        };
        self.values[..self.inputs].iter().map(picture).collect()
    }

    /// Tries everything that must hold on every instruction set that is here and knows the operations.
    pub(super) fn check(&self, wanted: &[usize]) {
        for isa in here() {
            if self.known(isa) {
                self.check_on(isa.into(), wanted);
                let rounded = Arithmetic { isa, precision: Precision::Bf16 };
                if rounded.is_here() {
                    self.check_on(rounded, wanted);
                }
            } else {
                assert!(self.plan(isa, wanted).is_err(), "{isa:?} plans what it does not know");
            }
        }
    }

    /// As [`Case::check`], for operations that all instruction sets know.
    pub(super) fn check_known(&self, wanted: &[usize]) {
        assert!(Isa::ALL.iter().all(|isa| self.known(*isa)), "not known: {:?}", self.ops);
        self.check(wanted);
    }

    /// As [`Case::check`], in one way.
    pub(super) fn check_on(&self, on: Arithmetic, wanted: &[usize]) {
        let plan = self.plan(on, wanted).unwrap();
        let weights = plan.pack(&|at| self.load(at)).unwrap();
        let run = |workspace: &Workspace, inputs: &[&[f32]], batch, threads| {
            plan.run(&weights, workspace, inputs, batch, threads)
        };
        let pictures = self.pictures();
        let parts = |first: usize, count: usize| -> Vec<&[f32]> {
            let part = |all: &'_ Vec<f32>| (all.len() / self.batch * first, all.len() / self.batch * count);
            pictures.iter().map(|all| &all[part(all).0..][..part(all).1]).collect()
        };
        let outputs = run(&Workspace::default(), &parts(0, self.batch), self.batch, 1);
        self.compare(on, wanted, &outputs);

        // Memory full of what damages: whatever is read without having been written shows.
        let workspace = Workspace::default();
        let damage: Vec<Vec<f32>> = pictures.iter().map(|picture| vec![f32::NAN; picture.len()]).collect();
        run(&workspace, &damage.iter().map(Vec::as_slice).collect::<Vec<_>>(), self.batch, 1);
        for threads in 1..=3 {
            let again = run(&workspace, &parts(0, self.batch), self.batch, threads);
            same_bits(&outputs, &again, &format!("{on:?}, {threads} threads"));
        }
        let audited = audit::run(&plan, &weights, &parts(0, self.batch), self.batch);
        same_bits(&outputs, &audited, &format!("{on:?}, audited"));

        let alone = |image| run(&workspace, &parts(image, 1), 1, 2);
        let once = |image| plan.run_once(&|at| self.load(at), &parts(image, 1), 1 + image % 2).unwrap();
        let joined = |of: &dyn Fn(usize) -> Vec<Vec<f32>>| {
            let mut joined = vec![Vec::new(); wanted.len()];
            for outputs in (0..self.batch).map(of) {
                joined.iter_mut().zip(outputs).for_each(|(to, from)| to.extend(from));
            }
            joined
        };
        same_bits(&outputs, &joined(&alone), &format!("{on:?}, one image at a time"));
        same_bits(&outputs, &joined(&once), &format!("{on:?}, weights in order when they are wanted"));
    }

    fn compare(&self, on: Arithmetic, wanted: &[usize], outputs: &[Vec<f32>]) {
        assert_eq!(outputs.len(), wanted.len());
        let allowed = if on.precision == Precision::F32 || self.round { ERROR } else { ROUNDED };
        for (slot, output) in wanted.iter().zip(outputs) {
            let right: Vec<f64> = self.values[*slot].iter().flat_map(|value| value.numbers.clone()).collect();
            assert_eq!(right.len(), output.len(), "{on:?}: slot {slot}");
            // A value that is nothing but what is left of a difference is measured by what was subtracted.
            let largest = right.iter().fold(0.01, |largest: f64, number| largest.max(number.abs()));
            for (at, (right, found)) in right.iter().zip(output).enumerate() {
                let off = (right - f64::from(*found)).abs() / largest;
                assert!(
                    off <= allowed,
                    "{on:?}: slot {slot} at {at}: {found}, expected {right} ({off:e} off)"
                );
            }
        }
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
