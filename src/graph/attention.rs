//! Finds the attention of transformers in a graph, as any exporter wrote it.
//!
//! Receives a graph with its shapes; gives for each block the tensor that says how much each query attends to each key, what
//! these are, and where the block ends. It is a softmax over the last axis between two products of computed tensors: queries times
//! keys, perhaps scaled, biased or masked, and then times values. Running it is left to others.

use crate::card::{Class, Graph, Node, Op, ValueId, Values};
use crate::layout::{self, Axis, Form, Grid};

/// Most nodes that are looked at between a softmax and a product of it. Exporters write fewer than ten; without a limit the search
/// would not be linear in graphs where many softmaxes read one long chain.
const MOST_BETWEEN: usize = 64;

/// One block's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// Name of the node that gives it.
    pub name: String,
    /// Index of that node, `[batch, heads, queries, keys]` or `[batch * heads, queries, keys]`: a softmax
    /// over the keys.
    pub softmax: usize,
    /// Number of heads, for windows times their number.
    pub heads: usize,
    /// Number of queries.
    pub queries: usize,
    /// Number of keys.
    pub keys: usize,
    /// The tokens that both queries and keys are, all of the picture's, with `heads` channels. `None` for attention inside of
    /// windows, to fewer keys, or from one query.
    pub grid: Option<Grid>,
    /// Index of the node that gives the block's output, `[batch, tokens, channels]`: a sum through which all goes that later
    /// nodes read. `None` where there is no such node.
    pub output: Option<usize>,
}

/// The attention of every block on which the scores depend, in order. `shapes` are those of the nodes for a batch of one,
/// `scores` is the index of the node that gives the scores.
#[must_use]
pub fn attentions(graph: &Graph, shapes: &[Vec<usize>], scores: usize) -> Vec<Attention> {
    let ways = Ways::new(graph, shapes, scores);
    let blocks: Vec<usize> = (0..=scores).filter(|at| ways.leads[*at] && ways.is_attention(*at, 2)).collect();
    // Most networks have none, and the axes of all their tensors are not needed then.
    if blocks.is_empty() {
        return vec![];
    }
    let axes = layout::axes(graph, shapes);
    let mut found: Vec<Attention> =
        blocks.into_iter().filter_map(|at| attention(graph, at, &shapes[at], &axes.of_nodes()[at])).collect();
    let ends: Vec<usize> = found.iter().skip(1).map(|next| next.softmax).chain([scores]).collect();
    let passes = ways.passed_by_all();
    for (attention, end) in found.iter_mut().zip(ends) {
        let is_end = |at: &usize| {
            let ends = matches!(shapes[*at][..], [_, tokens, _] if tokens == attention.queries);
            ends && passes[*at] && graph.nodes[*at].adds_computed()
        };
        attention.output = (attention.softmax..end).rev().find(is_end);
    }
    found
}

/// The pooling by attention behind the blocks: a softmax over all tokens from one learned query, whose result the scores read. Its
/// `grid` is that of the tokens. `None` where the scores read tokens in another way.
#[must_use]
pub fn pooling(graph: &Graph, shapes: &[Vec<usize>], scores: usize) -> Option<Attention> {
    let ways = Ways::new(graph, shapes, scores);
    let is_pooling = |at: &usize| {
        ways.leads[*at] && matches!(shapes[*at][..], [.., 1, keys] if keys > 1) && ways.is_attention(*at, 1)
    };
    let at = (0..=scores).rev().find(is_pooling)?;
    let axes = layout::axes(graph, shapes);
    let mut found = attention(graph, at, &shapes[at], &axes.of_nodes()[at])?;
    let (prefix, [height, width]) = axes.of_nodes()[at].last()?.positions()?;
    let form = Form::Tokens { prefix };
    found.grid = Some(Grid { form, channels: found.heads, height, width, is_certain: true });
    Some(found)
}

/// The tokens that the scores read of the last block's output, `[batch, tokens, channels]`, in order: the class token, or all
/// that are averaged. `output` is the index of the node that gives it, and everything behind it depends on it alone.
#[must_use]
pub fn tokens_read(graph: &Graph, shapes: &[Vec<usize>], output: usize, scores: usize) -> Vec<usize> {
    let ways = Ways::new(graph, shapes, scores);
    let all: Vec<usize> = (0..shapes[output].get(1).copied().unwrap_or_default()).collect();
    // For each tensor the tokens that are its second axis.
    let mut held: Values<Option<Vec<usize>>> = Values::filled(None, ValueId::of_node(scores));
    held[ValueId::of_node(output)] = Some(all);
    let mut read = Vec::new();
    for at in (output + 1..=scores).filter(|at| ways.leads[*at]) {
        let node = &graph.nodes[at];
        let inputs: Vec<Vec<usize>> = node.inputs.iter().filter_map(|id| held[*id].clone()).collect();
        for tokens in inputs {
            let kept = match layout::kept(&node.op) {
                Some((1, indices)) => {
                    indices.iter().filter_map(|index| tokens.get(*index).copied()).collect()
                }
                Some(_) => tokens,
                None if keeps_tokens(node, &shapes[at], tokens.len()) => tokens,
                // A mean over them, a pooling, a list of all their channels.
                None => {
                    read.extend(tokens);
                    continue;
                }
            };
            if kept.len() == 1 || at == scores {
                read.extend(kept);
            } else {
                held[ValueId::of_node(at)] = Some(kept);
            }
        }
    }
    read.sort_unstable();
    read.dedup();
    read
}

/// Whether the operation does the same with each token.
fn keeps_tokens(node: &Node, shape: &[usize], tokens: usize) -> bool {
    let each = match node.op.class() {
        Class::Pointwise(_) | Class::Channelwise | Class::Arithmetic | Class::Nothing => true,
        Class::Norm => matches!(node.op, Op::LayerNorm { .. }),
        Class::Linear => matches!(node.op, Op::Linear {}),
        _ => false,
    };
    each && matches!(shape, [_, count, _] if *count == tokens)
}

/// A softmax's node as attention, if it has the axes.
fn attention(graph: &Graph, softmax: usize, shape: &[usize], axes: &[Axis]) -> Option<Attention> {
    let [before @ .., queries, keys] = shape else { return None };
    let heads = before.iter().product();
    let [others @ .., of_queries, of_keys] = axes else { return None };
    let same = of_queries.positions().filter(|_| of_queries == of_keys);
    // Rows or columns on another axis count windows: positions inside of one are not the picture's.
    let whole = same.filter(|_| others.iter().all(|axis| !axis.holds_picture()));
    let grid = whole.map(|(prefix, [height, width])| Grid {
        form: Form::Tokens { prefix },
        channels: heads,
        height,
        width,
        is_certain: true,
    });
    let name = graph.nodes[softmax].name.clone();
    Some(Attention { name, softmax, heads, queries: *queries, keys: *keys, grid, output: None })
}

/// The ways through a graph to its scores.
struct Ways<'a> {
    graph: &'a Graph,
    shapes: &'a [Vec<usize>],
    /// Which nodes the scores depend on, themselves included.
    leads: Vec<bool>,
    /// The nodes that read each node's tensor.
    readers: Vec<Vec<usize>>,
}

impl<'a> Ways<'a> {
    fn new(graph: &'a Graph, shapes: &'a [Vec<usize>], scores: usize) -> Self {
        let mut leads = vec![false; graph.nodes.len()];
        let mut readers = vec![vec![]; graph.nodes.len()];
        leads[scores] = true;
        for at in (0..=scores).rev() {
            if !leads[at] {
                continue;
            }
            for input in graph.nodes[at].inputs.iter().filter_map(|id| id.node()) {
                leads[input] = true;
                readers[input].push(at);
            }
        }
        Self { graph, shapes, leads, readers }
    }

    /// Whether the node is a softmax over the last axis, of a product of `factors` computed tensors and multiplied with another
    /// tensor. Learned queries are stored: then one is computed.
    fn is_attention(&self, at: usize, factors: usize) -> bool {
        let rank = self.shapes[at].len();
        let over_keys = matches!(self.graph.nodes[at].op, Op::Softmax { axis } if axis + 1 == rank);
        if !over_keys || rank < 3 {
            return false;
        }
        let sources = |at: usize| self.graph.nodes[at].inputs.iter().filter_map(|id| id.node()).collect();
        self.reaches_product(at, factors, &sources, &|class| {
            // What scales, biases and masks scores, and what takes windows apart for their masks.
            matches!(
                class,
                Class::Arithmetic
                    | Class::Channelwise
                    | Class::Pointwise(_)
                    | Class::Movement
                    | Class::Nothing
            )
        }) && self.reaches_product(at, 2, &|at| self.readers[at].clone(), &|class| {
            matches!(class, Class::Movement | Class::Nothing)
        })
    }

    /// Whether a product of that many computed tensors is next to this node, or behind nodes of some classes, one way or the
    /// other.
    fn reaches_product(
        &self,
        from: usize,
        factors: usize,
        next: &dyn Fn(usize) -> Vec<usize>,
        passes: &dyn Fn(Class) -> bool,
    ) -> bool {
        // As many elements as the softmax has, so that the search does not leave the scores.
        let count = |at: usize| self.shapes[at].iter().product::<usize>();
        let mut open = next(from);
        let mut seen = open.clone();
        while let Some(at) = open.pop() {
            let node = &self.graph.nodes[at];
            let class = node.op.class();
            if class == Class::Product && node.inputs.len() == factors {
                return true;
            }
            if seen.len() < MOST_BETWEEN && passes(class) && count(at) == count(from) {
                let new: Vec<usize> = next(at).into_iter().filter(|at| !seen.contains(at)).collect();
                seen.extend(&new);
                open.extend(new);
            }
        }
        false
    }

    /// For each node whether all that later nodes read goes through it.
    fn passed_by_all(&self) -> Vec<bool> {
        let last_read = |at: usize| self.readers[at].iter().copied().max().unwrap_or_default();
        let of_input = |(at, node): (usize, &Node)| {
            (self.leads[at] && node.inputs.contains(&ValueId::INPUT)).then_some(at)
        };
        // The last node that reads any tensor from before this node.
        let mut last = self.graph.nodes.iter().enumerate().filter_map(of_input).max().unwrap_or_default();
        let mut passed = Vec::with_capacity(self.leads.len());
        for at in 0..self.leads.len() {
            passed.push(self.leads[at] && last <= at);
            last = last.max(last_read(at));
        }
        passed
    }
}
