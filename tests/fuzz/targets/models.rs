//! Networks of other programs: ONNX and Keras.

use burncam_graph::Result;
use burncam_model::Model;
use burncam_model::import::{ImportRequest, import};

use super::file;

/// An ONNX file. Its mutator knows protocol buffers.
pub(super) fn onnx(data: &[u8]) {
    read("a.onnx", data);
}

/// A configuration: how long it is, in two bytes, the configuration, and weights in HDF5. Both are put into an archive, whose checksums are
/// right.
pub(super) fn keras(data: &[u8]) {
    if data.starts_with(b"PK") {
        return read("a.keras", data);
    }
    let Some((config, weights)) = file::parts(data) else { return };
    let metadata = br#"{"keras_version": "3.15.0", "date_saved": "2026-01-01@00:00:00"}"#;
    let members = [("metadata.json", &metadata[..]), ("config.json", config), ("model.weights.h5", weights)];
    read("b.keras", &file::archive(&members));
}

/// A model or weights in HDF5.
pub(super) fn hdf5(data: &[u8]) {
    read("a.h5", data);
}

fn read(name: &str, data: &[u8]) {
    file::with(name, data, |source| {
        let _ = imported(&ImportRequest { source: source.to_path_buf(), ..ImportRequest::default() });
    });
}

/// Imports a file. What was imported can be written and opened.
pub(super) fn imported(request: &ImportRequest) -> Result<()> {
    let imported = import(request)?;
    let model = request.source.with_extension("bpk");
    Model::save(&model, &imported.card, imported.tensors, true).expect("an imported model is written");
    let opened = Model::open(&model, None).expect("an imported model is opened");
    opened.weights().expect("the checksum is right");
    let _ = (opened.layers(), opened.cost(), opened.attentions());
    Ok(())
}
