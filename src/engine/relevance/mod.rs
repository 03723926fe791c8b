//! Layer-wise relevance propagation: a score handed back from layer to layer, each of which distributes what it gets.
//!
//! Receives a sweep's tensors and a composite of rules, gives the relevance of the input or of layers. Rules of linear layers are in
//! `linear`. All other operations go by their class:
//!
//! | class | relevance of the input |
//! |---|---|
//! | pointwise, norm, PReLU, a batch norm that folds into nothing, sums and products with what is stored | passed on as it is |
//! | sums, means, average pools | each input by its share of the output |
//! | maxima | all to the winner |
//! | movements, joins, padding, resizing | to where the values came from |
//! | product of two tensors | all to the signal where the other is a gate, else half each |
//! | matrix product of two tensors | half each; where one has rows that choose, all to what they choose |
//! | softmax inside the network | `x (R - s sum R)`, its first-order expansion |
//!
//! Products and softmax are those of AttnLRP, Achtibat et al., ICML 2024, arXiv:2402.05602, propositions 3.1 to 3.4; gates get nothing as in
//! Arras et al. 2017, arXiv:1706.07206.

mod composite;
mod folded;
mod linear;
mod parts;

pub use composite::Composite;
use composite::{FirstRule, Rule};
use folded::Norms;
use parts::{Parts, gathered, halves, shares, softmax};

use super::recorded::{derivative, inputs};
use super::recording::features;
use super::reduction::Reduction;
use super::score::Score;
use super::step::Step;
use super::sweep::Sweep;
use super::tap::Tap;
use super::value::{Value, map_tensor, sum, zip_tensors};
use super::{Features, Network, ops};
use crate::card::{Class, Combination, Op, Statistic, ValueId, Values};
use crate::error::{Error, Problem, Result};

impl Network {
    /// Refuses a network with an operation through which relevance has no rule.
    ///
    /// # Errors
    /// When it has a log-softmax before its output.
    pub fn check_relevance(&self) -> Result<()> {
        let is_logarithm = |op: &Op| op.class() == Class::Softmax && !matches!(op, Op::Softmax { .. });
        let odd = self.steps.iter().find(|step| is_logarithm(&step.node.op));
        odd.map_or(Ok(()), |step| {
            let problem = Problem::new("relevance has no rule for a log-softmax inside the network");
            Err(Error::request(problem.named("node", &step.node.name).hint("use inputxgradient")))
        })
    }
}

impl Sweep<'_> {
    /// The relevance of every value of the input, `[batch, channels, height, width]`, for a class score.
    ///
    /// What is distributed is each output times the derivative of the score: for the logit of a class that logit.
    ///
    /// # Errors
    /// When `class` is out of range.
    pub fn relevance(&self, score: Score, class: usize, composite: Composite) -> Result<Vec<f32>> {
        let found = self.relevance_of(score, class, composite, &[ValueId::INPUT])?;
        self.of_input(found.into_iter().next().flatten())
    }

    /// The relevance of every value of each tapped layer of one picture, in the order of the taps.
    ///
    /// # Errors
    /// As [`Sweep::relevance`].
    pub fn relevance_of_layers(
        &self,
        score: Score,
        class: usize,
        composite: Composite,
    ) -> Result<Vec<Features>> {
        let taps = &self.network.taps;
        let ids: Vec<ValueId> = taps.iter().map(|tap| tap.id).collect();
        let found = self.relevance_of(score, class, composite, &ids)?;
        let of_layer = |(tap, found): (&Tap, Option<Value>)| {
            let relevance = match found {
                Some(found) => found,
                None => map_tensor!(self.value(tap.id)?, t => t.zeros_like()),
            };
            features(tap.cells(relevance)?.map)
        };
        taps.iter().zip(found).map(of_layer).collect()
    }

    /// The relevance of some tensors; `None` where the score does not depend on one.
    fn relevance_of(
        &self,
        score: Score,
        class: usize,
        composite: Composite,
        wanted: &[ValueId],
    ) -> Result<Vec<Option<Value>>> {
        let steps = &self.network.steps;
        let pass = Pass { sweep: self, composite, norms: Norms::of(steps), linear: behind_linear(steps) };
        let earliest = wanted.iter().min().copied().unwrap_or(steps.logits);
        let mut relevances = steps.empty();
        relevances[steps.logits] = Some(self.outputs(score, class)?);
        // All that read a tensor come after the step that gives it.
        for step in steps.iter().rev().take_while(|step| step.output() > earliest) {
            let Some(relevance) = relevances[step.output()].clone() else { continue };
            if !wanted.contains(&step.output()) {
                relevances[step.output()] = None;
            }
            let parts = pass.distributed(step, relevance)?;
            for (&id, part) in step.node.inputs.iter().zip(parts) {
                relevances[id] = sum(relevances[id].take(), part)?;
            }
        }
        Ok(wanted.iter().map(|id| relevances[*id].clone()).collect())
    }

    /// Each output times the derivative of the score.
    fn outputs(&self, score: Score, class: usize) -> Result<Value> {
        let derivative = self.seed(score, class, Reduction::proportional)?;
        zip_tensors!(self.value(self.network.steps.logits)?, derivative, (z, d) => z * d)
    }
}

/// One pass back, by one composite.
struct Pass<'a, 'n> {
    sweep: &'a Sweep<'n>,
    composite: Composite,
    norms: Norms<'a>,
    /// The tensors that depend on a linear layer.
    linear: Values<bool>,
}

impl Pass<'_, '_> {
    fn distributed(&self, step: &Step, relevance: Value) -> Result<Parts> {
        let op = &step.node.op;
        let inputs = inputs(&self.sweep.slots, step)?;
        match (op.class(), inputs.len()) {
            (Class::Linear, _) | (Class::Product, 1) => self.linear(step, relevance),
            // What is chosen by rows of zeros and ones.
            (Class::Product, _) if self.is_choice(step.node.inputs[0]) => derivative(step, inputs, relevance),
            (Class::Choice, _) => Ok(vec![None]),
            (Class::Product, _) => halves(step, inputs, self.sweep.value(step.output())?, relevance),
            (Class::Arithmetic, _) => self.arithmetic(step, inputs, relevance),
            (Class::Window(statistic) | Class::Reduction(statistic), _) => match statistic {
                Statistic::Max | Statistic::Min => derivative(step, inputs, relevance),
                Statistic::Mean | Statistic::Sum | Statistic::Length => {
                    shares(step, inputs, self.sweep.value(step.output())?, relevance)
                }
            },
            (Class::Softmax, _) => {
                let x = self.sweep.value(step.node.inputs[0])?;
                softmax(op, x, self.sweep.value(step.output())?, relevance)
            }
            (Class::Movement | Class::Join | Class::Resampling, _) => derivative(step, inputs, relevance),
            (Class::Pointwise(_) | Class::Channelwise | Class::Norm | Class::Nothing, _) => {
                Ok(vec![Some(relevance)])
            }
        }
    }

    /// Whether a tensor says which elements are chosen.
    fn is_choice(&self, id: ValueId) -> bool {
        let mut steps = self.sweep.network.steps.iter();
        steps.any(|step| step.output() == id && step.node.op.class() == Class::Choice)
    }

    fn linear(&self, step: &Step, relevance: Value) -> Result<Parts> {
        let (op, x) = (&step.node.op, self.sweep.value(step.node.inputs[0])?);
        let params = self.norms.folded(step, &x)?;
        let is_first = !self.linear[step.node.inputs[0]];
        if let (Some(rule), true) = (self.composite.first, is_first) {
            let bounds = match rule {
                FirstRule::Box => Some(self.bounds(step.node.inputs[0])?),
                FirstRule::Flat | FirstRule::Squares => None,
            };
            return Ok(vec![Some(linear::first(rule, op, &params, x, bounds, relevance)?)]);
        }
        let rule = match op {
            Op::Linear {} | Op::Matmul {} => Rule::Epsilon,
            _ => self.composite.convolutions,
        };
        let output = self.sweep.value(self.norms.after(step))?;
        Ok(vec![Some(linear::by(rule, op, &params, x, output, relevance)?)])
    }

    fn arithmetic(&self, step: &Step, inputs: Vec<Value>, relevance: Value) -> Result<Parts> {
        let output = self.sweep.value(step.output())?;
        let [a, b] = &inputs[..] else {
            // What is stored is the same for every picture.
            let shape = inputs[0].shape();
            return Ok(vec![Some(gathered(relevance, &shape)?)]);
        };
        let all_to = |signal: usize| -> Result<Parts> {
            let part = gathered(relevance.clone(), &inputs[signal].shape())?;
            Ok(if signal == 0 { vec![Some(part), None] } else { vec![None, Some(part)] })
        };
        match step.node.op.combination() {
            Some(Combination::Sum) => shares(step, inputs, output, relevance),
            Some(Combination::Quotient) => all_to(0),
            Some(Combination::Product) => match self.signal(step, [a, b]) {
                Some(signal) => all_to(signal),
                None => halves(step, inputs, output, relevance),
            },
            Some(Combination::Extreme) | None => derivative(step, inputs, relevance),
        }
    }

    /// Which factor is the signal, where the other is a gate: has fewer elements, or is between 0 and 1.
    fn signal(&self, step: &Step, factors: [&Value; 2]) -> Option<usize> {
        let [a, b] = factors.map(|factor| factor.shape().iter().product::<usize>());
        if a != b {
            return Some(usize::from(a < b));
        }
        match [0, 1].map(|at| self.is_gate(step.node.inputs[at])) {
            [true, false] => Some(1),
            [false, true] => Some(0),
            _ => None,
        }
    }

    fn is_gate(&self, id: ValueId) -> bool {
        self.sweep.network.steps.giving(id).is_some_and(|step| match step.node.op.class() {
            Class::Softmax => true,
            Class::Pointwise(function) => function.range() == [0.0, 1.0],
            _ => false,
        })
    }

    /// The least and the greatest values that a tensor before any linear layer takes, element by element: what becomes of a
    /// picture of the least and one of the greatest inputs.
    fn bounds(&self, id: ValueId) -> Result<[Value; 2]> {
        let [low, high] = [0, 1].map(|end| self.of_uniform_picture(id, end));
        let (low, high) = (low?, high?);
        let least = zip_tensors!(low.clone(), high.clone(), (a, b) => a.min_pair(b))?;
        Ok([least, zip_tensors!(low, high, (a, b) => a.max_pair(b))?])
    }

    fn of_uniform_picture(&self, id: ValueId, end: usize) -> Result<Value> {
        let network = self.sweep.network;
        let batch = self.sweep.value(ValueId::INPUT)?.shape()[0];
        let [_, height, width] = network.steps.input;
        let channels = network.bounds[end].iter();
        let picture: Vec<f32> = channels.flat_map(|value| vec![*value; height * width]).collect();
        let mut slots = network.steps.start_precisely(picture.repeat(batch))?;
        for step in network.steps.iter().filter(|step| step.output() <= id && !self.linear[step.output()]) {
            let inputs = inputs(&slots, step)?;
            let value = ops::apply(&step.node.op, &*step.params_for(&inputs)?, inputs)?;
            slots[step.output()] = Some(value);
        }
        slots[id].take().ok_or_else(|| Error::internal("the input does not reach the first layer"))
    }
}

/// The tensors that depend on a linear layer.
fn behind_linear(steps: &super::Steps) -> Values<bool> {
    let mut behind = Values::filled(false, steps.logits);
    for step in steps.iter() {
        let is_linear = match step.node.op.class() {
            Class::Linear => true,
            Class::Product => step.node.inputs.len() == 1,
            _ => false,
        };
        behind[step.output()] = is_linear || step.node.inputs.iter().any(|id| behind[*id]);
    }
    behind
}
