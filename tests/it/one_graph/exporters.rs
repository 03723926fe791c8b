//! What PyTorch's two exporters write of the networks: batch norms as they are, or folded into convolutions.

use std::path::Path;

use burncam_graph::card::{Graph, Node, ValueId};
use burncam_model::import::{ImportRequest, import};

use super::numbered;

/// What PyTorch's two exporters write of a network; `ending` is that of the files' names.
fn exported(name: &str, ending: &str) -> [(String, Graph); 2] {
    // Large weights are not part of the fixtures; any values do.
    const WEIGHTS: u64 = 64 << 20;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/one-graph");
    ["torchscript", "dynamo"].map(|exporter| {
        let file = format!("{name}_{exporter}{ending}.onnx");
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join(&file);
        std::fs::copy(folder.join(&file), &source).unwrap();
        let weights = std::fs::File::create(directory.path().join(format!("{name}.weights"))).unwrap();
        weights.set_len(WEIGHTS).unwrap();
        let imported = import(&ImportRequest { source, ..ImportRequest::default() });
        (file, imported.unwrap().card.graph.unwrap())
    })
}

/// The graph with each batch norm that directly follows a convolution in that convolution, as exporters fold it.
fn folded(graph: &Graph) -> Graph {
    let mut nodes: Vec<Node> = Vec::new();
    let mut tensors = vec![ValueId::INPUT];
    for node in &graph.nodes {
        let inputs: Vec<ValueId> = node.inputs.iter().map(|input| moved(&tensors, *input)).collect();
        let before = inputs[0].node().and_then(|at| nodes.get_mut(at));
        match before.filter(|before| node.op.name() == "batch_norm" && before.op.name() == "conv2d") {
            Some(conv) => {
                conv.params.insert("bias".into(), String::new());
                tensors.push(inputs[0]);
            }
            None => {
                tensors.push(ValueId::of_node(nodes.len()));
                nodes.push(Node { inputs, ..node.clone() });
            }
        }
    }
    Graph { nodes, output: moved(&tensors, graph.output), ..graph.clone() }
}

fn moved(tensors: &[ValueId], id: ValueId) -> ValueId {
    id.node().map_or(ValueId::INPUT, |at| tensors[at + 1])
}

/// Compares a graph with the files that exporters write of the same network.
pub(super) fn agree_with_exporters(name: &str, graph: &Graph, is_normed: bool) {
    for (file, found) in exported(name, "") {
        assert_eq!(numbered(&found), numbered(graph), "{file}");
    }
    for (file, found) in is_normed.then(|| exported(name, "_fused")).into_iter().flatten() {
        assert_eq!(numbered(&found), numbered(&folded(graph)), "{file}");
    }
}
