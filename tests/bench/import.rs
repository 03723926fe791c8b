//! Import of a long ONNX graph: `cargo bench --bench import`.
//!
//! Blocks of what exporters take apart, 3,000 and 12,000 nodes. Four times the nodes should take about four times as long.

#[path = "../it/onnx/chain.rs"]
mod chain;

use burncam_model::import::{ImportRequest, import};
use criterion::{Criterion, SamplingMode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("import");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for nodes in [3_000, 12_000] {
        let source = folder.path().join(format!("{nodes}.onnx"));
        std::fs::write(&source, chain::classifier((nodes - chain::AROUND).div_ceil(chain::BLOCK[0])))?;
        let request = ImportRequest { source, ..ImportRequest::default() };
        import(&request)?;
        group.bench_function(format!("{nodes} nodes"), |bencher| bencher.iter(|| import(&request)));
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
