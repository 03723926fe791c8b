//! Cancels transposes.

use std::collections::HashMap;

use crate::card::{Class, Op, ValueId};
use crate::draft::{Draft, Weight};

/// Removes transposes that undo each other, also across operations on each element. Removing one pair may bring another
/// together.
pub(super) fn cancel(draft: &mut Draft) {
    while cancel_once(draft) {}
}

fn cancel_once(draft: &mut Draft) -> bool {
    let mut changed = false;
    // For each node the transpose before the elementwise operations that lead to it: walking back to it from every node
    // would take time with the square of their number.
    let mut openers = HashMap::new();
    for id in draft.ids() {
        while join(draft, id).is_some() {
            changed = true;
        }
        let Some(first) = opener(draft, id, &openers) else { continue };
        openers.insert(id, first);
        changed |= sink(draft, first, id).is_some();
    }
    changed
}

/// The transpose that one elementwise operation after another leads back to.
fn opener(draft: &Draft, id: ValueId, openers: &HashMap<ValueId, ValueId>) -> Option<ValueId> {
    let before = draft.only_before(id)?;
    match draft.node(before)?.op.class() {
        Class::Pointwise(_) | Class::Arithmetic | Class::Nothing => {}
        _ => return perm(draft, before).map(|_| before),
    }
    let mut opener = *openers.get(&before)?;
    // One that is removed by now leaves the operations before it and after it in one row.
    while draft.node(opener).is_none() {
        opener = *openers.get(&opener)?;
    }
    Some(opener)
}

fn perm(draft: &Draft, id: ValueId) -> Option<&[usize]> {
    match &draft.node(id)?.op {
        Op::Transpose { perm } => Some(perm),
        _ => None,
    }
}

/// A transpose of a transpose is one transpose, or nothing at all.
fn join(draft: &mut Draft, at: ValueId) -> Option<()> {
    let second = perm(draft, at)?;
    let before = *draft.node(at)?.inputs.first()?;
    let first = perm(draft, before)?;
    let perm: Vec<usize> = second.iter().map(|axis| first[*axis]).collect();
    let source = *draft.node(before)?.inputs.first()?;
    if perm.iter().copied().eq(0..perm.len()) {
        draft.redirect(at, source);
    } else {
        draft.replace(at, Op::Transpose { perm }, vec![source], Default::default());
    }
    Some(())
}

/// Pushes the transpose `first` through elementwise operations when `last` is its inverse, then cancels both.
fn sink(draft: &mut Draft, first: ValueId, last: ValueId) -> Option<()> {
    let back = perm(draft, last)?.to_vec();
    if !undoes(perm(draft, first)?, &back) {
        return None;
    }
    let mut chain = Vec::new();
    let mut end = last;
    while let Some(before) = draft.only_before(end).filter(|before| *before != first) {
        chain.push(before);
        end = before;
    }
    let (front, end) = (*chain.last()?, *chain.first()?);
    let source = draft.node(first)?.inputs.clone();
    // Shapes and constants inside of the chain are those after the transpose from now on.
    for id in &chain {
        turn_constants(draft, *id, &back);
        let shape: Vec<usize> = back.iter().map(|axis| draft.shape(*id)[*axis]).collect();
        draft.reshape(*id, shape);
    }
    let node = draft.node(front)?;
    let (op, params) = (node.op.clone(), node.params.clone());
    draft.replace(front, op, source, params);
    draft.redirect(last, end);
    Some(())
}

fn undoes(first: &[usize], second: &[usize]) -> bool {
    first.len() == second.len() && second.iter().map(|axis| first[*axis]).eq(0..first.len())
}

/// Brings the constants of a node into the order `perm`. Others may read the same constant, so it gets its own.
fn turn_constants(draft: &mut Draft, id: ValueId, perm: &[usize]) {
    let Some(node) = draft.node(id) else { return };
    for (role, weight) in node.params.clone() {
        let turned = turned(draft.weight(weight), perm);
        let turned = draft.store(turned);
        draft.edit(id, |_, params| _ = params.insert(role, turned));
    }
}

/// A constant that broadcasts against a tensor, after that tensor's axes were put in the order `perm`.
fn turned(weight: &Weight, perm: &[usize]) -> Weight {
    let ones = perm.len().saturating_sub(weight.shape.len());
    let wide: Vec<usize> = std::iter::repeat_n(1, ones).chain(weight.shape.iter().copied()).collect();
    let steps: Vec<usize> = (0..wide.len()).map(|axis| wide[axis + 1..].iter().product()).collect();
    let shape: Vec<usize> = perm.iter().map(|axis| wide[*axis]).collect();
    let place = |index: usize| {
        let mut rest = index;
        let mut place = 0;
        for axis in (0..shape.len()).rev() {
            place += rest % shape[axis] * steps[perm[axis]];
            rest /= shape[axis];
        }
        place
    };
    let values = (0..weight.values.len()).map(|index| weight.values[place(index)]).collect();
    Weight { shape, values, source: weight.source.clone() }
}
