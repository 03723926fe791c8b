//! A pass backward from some tensors of a case to others, its right results, and what must hold of it.

use super::audit;
use super::case::{Case, available, close, id, same_bits};
use super::pulled::pull;
use super::reference::Tensor;
use crate::{Ends, Isa, Rectifiers, Reverse, Rule, Runs, Weights, Workspace, knows};

const RULES: [Rule; 3] =
    [Rule::Plain, Rule::Guided(Rectifiers::ReluAndRelu6), Rule::Deconvolution(Rectifiers::Relu)];

/// A pass backward from some tensors of a case to others.
pub(super) struct Pass<'a> {
    case: &'a Case,
    seeds: Vec<usize>,
    targets: Vec<usize>,
    /// For each seed its gradient, for all images.
    given: Vec<Vec<f32>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(case: &'a Case, seeds: &[usize], targets: &[usize]) -> Self {
        let mut dice = case.dice.clone();
        let size = |slot: &usize| case.shape(*slot).iter().product::<usize>() * case.batch;
        let given = seeds.iter().map(|slot| dice.values(size(slot))).collect();
        Self { case, seeds: seeds.to_vec(), targets: targets.to_vec(), given }
    }

    pub(super) fn reverse(&self, isa: Isa) -> crate::error::Result<Reverse> {
        let ids = |slots: &[usize]| slots.iter().copied().map(id).collect::<Vec<_>>();
        let inputs: Vec<usize> = (0..self.case.inputs).collect();
        let [inputs, seeds, targets] = [&inputs, &self.seeds, &self.targets].map(|slots| ids(slots));
        let ends = Ends { inputs: &inputs, outputs: &seeds, seeds: &seeds, targets: &targets };
        // Both ways of packing, by what the case happens to be.
        let runs = if self.case.batch.is_multiple_of(2) { Runs::Few } else { Runs::Many };
        Reverse::new(isa, &self.case.operations(), &self.case.shapes(), ends, runs)
    }

    /// The right gradients of an image.
    fn right(&self, image: usize, rule: Rule) -> Vec<Vec<f64>> {
        let case = self.case;
        let mut gradients: Vec<Vec<f64>> =
            (0..case.slots()).map(|slot| vec![0.0; case.shape(slot).iter().product()]).collect();
        for (slot, given) in self.seeds.iter().zip(&self.given) {
            let size = given.len() / case.batch;
            let own: Vec<f64> = given[image * size..][..size].iter().copied().map(f64::from).collect();
            let own = case.tensor(*slot, &own).values;
            gradients[*slot].iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
        for (at, node) in case.nodes.iter().enumerate().rev() {
            let slot = case.inputs + at;
            let gradient = Tensor { shape: case.shape(slot), values: gradients[slot].clone() };
            let reads: Vec<usize> = node.inputs.iter().map(|id| id.node().map_or(0, |at| at + 1)).collect();
            let inputs: Vec<&Tensor> = reads.iter().map(|slot| &case.tensors[*slot][image]).collect();
            let parts = case.pulled(at, image, &gradient);
            let parts =
                parts.unwrap_or_else(|| pull((&node.op, &case.parameters[at]), &inputs, &gradient, rule));
            for (slot, part) in reads.iter().zip(parts) {
                gradients[*slot].iter_mut().zip(part.values).for_each(|(sum, value)| *sum += value);
            }
        }
        let array =
            |slot: &usize| case.array(&Tensor { shape: case.shape(*slot), values: gradients[*slot].clone() });
        self.targets.iter().map(array).collect()
    }

    pub(super) fn check(&self) {
        for isa in available() {
            let (operations, shapes) = (self.case.operations(), self.case.shapes());
            if operations.iter().all(|operation| knows(isa, operation, &shapes)[1]) {
                self.check_on(isa);
            } else {
                assert!(self.reverse(isa).is_err(), "{isa:?} runs back through what it does not know");
            }
        }
    }

    fn check_on(&self, isa: Isa) {
        let (reverse, batch) = (self.reverse(isa).unwrap(), self.case.batch);
        let load = |at: usize| self.case.load(at);
        let weights = [reverse.pack_forward(&load).unwrap(), reverse.pack_backward(&load).unwrap()];
        let (workspace, images) = (Workspace::default(), self.case.images());
        // Memory full of NaN: an element that is read without having been written shows.
        let damage: Vec<Vec<f32>> = images.iter().map(|image| vec![f32::NAN; image.len()]).collect();
        drop(reverse.forward(&weights[0], &workspace, &slices(&damage), batch, 1));
        for rule in RULES {
            let run = |images: &[&[f32]], given: &[&[f32]], batch: usize, threads: usize| {
                let (tape, _) = reverse.forward(&weights[0], &workspace, images, batch, threads);
                let first = self.filled(tape.back(&weights[1], given, rule, threads), batch);
                let again = self.filled(tape.back(&weights[1], given, rule, threads), batch);
                same_bits(&first, &again, &format!("{isa:?}, {rule:?}, once more from one tape"));
                first
            };
            let found = run(&slices(&images), &slices(&self.given), batch, 1);
            self.compare(&found, rule, &format!("{isa:?}, {rule:?}"));
            for threads in 2..=3 {
                let again = run(&slices(&images), &slices(&self.given), batch, threads);
                same_bits(&found, &again, &format!("{isa:?}, {rule:?}, {threads} threads"));
            }
            let mut joined = vec![Vec::new(); found.len()];
            for image in 0..batch {
                let [images, given] = [&images, &self.given].map(|values| alone(values, image, batch));
                let parts = run(&slices(&images), &slices(&given), 1, 2);
                joined.iter_mut().zip(parts).for_each(|(to, part)| to.extend(part));
            }
            same_bits(&found, &joined, &format!("{isa:?}, {rule:?}, one image at a time"));
            if rule == Rule::Plain {
                let audited = self.audited(&reverse, &weights);
                same_bits(&found, &audited, &format!("{isa:?}, audited"));
                let once = self.once(&reverse, &images);
                same_bits(&found, &once, &format!("{isa:?}, packed for one pass"));
            }
        }
    }

    /// With weights that are packed when a kernel runs.
    fn once(&self, reverse: &Reverse, images: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let (load, workspace, batch) =
            (|at: usize| self.case.load(at), Workspace::default(), self.case.batch);
        let (tape, _) = reverse.forward_once(&load, &workspace, &slices(images), batch, 2).unwrap();
        let found = tape.back_once(&load, &slices(&self.given), Rule::Plain, 2).unwrap();
        self.filled(found, batch)
    }

    fn audited(&self, reverse: &Reverse, weights: &[Weights; 2]) -> Vec<Vec<f32>> {
        let (images, batch, [first, second]) = (self.case.images(), self.case.batch, weights);
        let mut memory = audit::memory(&reverse.forward, batch);
        audit::run_in(&mut memory, &reverse.forward, first, &slices(&images), batch);
        let found = audit::run_in(&mut memory, &reverse.backward, second, &slices(&self.given), batch);
        let mut found = found.into_iter();
        let depends = reverse.depends.iter();
        self.filled(depends.map(|depends| depends.then(|| found.next()).flatten()).collect(), batch)
    }

    /// Gradients with zeros in the place of those that nothing given depends on.
    fn filled(&self, found: Vec<Option<Vec<f32>>>, batch: usize) -> Vec<Vec<f32>> {
        let size = |slot: &usize| self.case.shape(*slot).iter().product::<usize>() * batch;
        let pairs = found.into_iter().zip(&self.targets);
        pairs.map(|(found, slot)| found.unwrap_or_else(|| vec![0.0; size(slot)])).collect()
    }

    fn compare(&self, found: &[Vec<f32>], rule: Rule, what: &str) {
        let right: Vec<Vec<Vec<f64>>> = (0..self.case.batch).map(|image| self.right(image, rule)).collect();
        for (at, found) in found.iter().enumerate() {
            let right: Vec<f64> = right.iter().flat_map(|targets| targets[at].clone()).collect();
            close(&right, found, 0.0, &format!("{what}: slot {}", self.targets[at]));
        }
    }
}

/// The part of an image.
fn alone(values: &[Vec<f32>], image: usize, batch: usize) -> Vec<Vec<f32>> {
    let one = |values: &Vec<f32>| values[values.len() / batch * image..][..values.len() / batch].to_vec();
    values.iter().map(one).collect()
}

fn slices(values: &[Vec<f32>]) -> Vec<&[f32]> {
    values.iter().map(Vec::as_slice).collect()
}

pub(super) fn check(case: &Case, seeds: &[usize], targets: &[usize]) {
    Pass::new(case, seeds, targets).check();
}
