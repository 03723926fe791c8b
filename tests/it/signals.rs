//! Networks on signals: their maps, their pictures, and what is not made of pictures.
//!
//! `fixtures/cases/tasks/ecg_1d.map.npy` is torch's signed raw Grad-CAM map of `ecg_1d.onnx` at its last ReLU for class 3.

use burncam::{Explainer, Request, Scale, Target};
use burncam_model::import::{ImportRequest, PreprocessRequest, Preset, import};

use crate::support::{Made, fixture, made};

fn request() -> ImportRequest {
    ImportRequest { source: fixture("cases/tasks/ecg_1d.onnx"), ..ImportRequest::default() }
}

fn ecg() -> Made {
    let imported = import(&request()).unwrap();
    let said = imported.assumptions[0].to_string();
    assert!(said.contains("signal of 1 channel and 1000 samples"), "{said}");
    made(&imported.card, imported.tensors)
}

#[test]
fn the_map_of_a_signal_is_torchs_map_of_the_same_network() {
    let Made { model, .. } = &ecg();
    let request = Request::with(|request| {
        request.targets = vec![Target::Index(3)];
        request.options.signed = true;
        request.scale = Scale::Raw;
    });
    let explainer = Explainer::new(model.clone(), request).unwrap();
    let subject = explainer.read(fixture("cases/tasks/ecg_1d.input.npy")).unwrap();
    // A line of 1000 samples, not one row of grey.
    assert_eq!(subject.picture.dimensions(), (1000, 128));
    let explanation = explainer.explain(&subject).unwrap().remove(0);
    let map = &explanation.targets[0].map;
    assert_eq!((map.height(), map.width()), (1, 250));
    let bytes = std::fs::read(fixture("cases/tasks/ecg_1d.map.npy")).unwrap();
    let expected: Vec<f32> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    let greatest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    for (found, expected) in map.values().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5 * greatest, "{found} {expected}");
    }
}

#[test]
fn no_picture_is_made_into_a_signal() {
    let Made { model, .. } = &ecg();
    let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
    let error = explainer.read(fixture("images/coffee.png")).unwrap_err().to_string();
    assert!(error.contains("is a picture, but the network takes signals, expected [1, 1000]"), "{error}");
    let adjust = PreprocessRequest { preset: Some(Preset::Tf), ..PreprocessRequest::default() };
    let error = import(&ImportRequest { adjust, ..request() }).unwrap_err().to_string();
    assert!(error.contains("takes signals, which are used as they are"), "{error}");
    let adjust = PreprocessRequest { crop: Some([1, 900]), ..PreprocessRequest::default() };
    let error = import(&ImportRequest { adjust, ..request() }).unwrap_err().to_string();
    assert!(error.contains("fixed to 1000 samples, but 900 are asked for"), "{error}");
}
