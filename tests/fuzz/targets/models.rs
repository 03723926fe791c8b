//! Networks of other programs: ONNX and Keras.

use burncam_model::Model;
use burncam_model::import::{ImportRequest, import};

use super::file;

/// An ONNX file. Its mutator knows protocol buffers.
pub(super) fn onnx(data: &[u8]) {
    imported("a.onnx", data);
}

/// A configuration: how long it is, in two bytes, the configuration, and weights in HDF5. Both are put into an archive, whose checksums are
/// right.
pub(super) fn keras(data: &[u8]) {
    if data.starts_with(b"PK") {
        return imported("a.keras", data);
    }
    let Some((config, weights)) = file::parts(data) else { return };
    let metadata = br#"{"keras_version": "3.15.0", "date_saved": "2026-01-01@00:00:00"}"#;
    let members = [("metadata.json", &metadata[..]), ("config.json", config), ("model.weights.h5", weights)];
    imported("b.keras", &file::archive(&members));
}

/// A model or weights in HDF5.
pub(super) fn hdf5(data: &[u8]) {
    imported("a.h5", data);
}

/// What was imported can be written and opened.
fn imported(name: &str, data: &[u8]) {
    file::with(name, data, |source| {
        let request = ImportRequest { source: source.to_path_buf(), ..ImportRequest::default() };
        let Ok(imported) = import(&request) else { return };
        let model = source.with_extension("bpk");
        Model::save(&model, &imported.card, imported.tensors, true).expect("an imported model is written");
        let opened = Model::open(&model, None).expect("an imported model is opened");
        opened.weights().expect("the checksum is right");
        let _ = (opened.layers(), opened.cost(), opened.attentions());
    });
}
