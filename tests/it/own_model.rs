//! The walk-through of `docs/own-model.md`: the Burn Book's guide network, saved by Burn, with the card of the page.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use burncam::{DeviceName, Model};
use burncam_engine::Network;
use burncam_graph::card::Card;
use burncam_model::import::{ImportRequest, import};

use crate::modules::Guide;
use crate::support::{distance, magnitude, seeded};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/own-model.md")).unwrap()
}

/// The JSON of the page.
fn card_of_the_page() -> String {
    let page = page();
    let (_, after) = page.split_once("<!-- card -->\n```json\n").unwrap();
    after.split_once("```").unwrap().0.to_owned()
}

fn numbers(module: &Guide, input: &[f32], device: &Device) -> Vec<f32> {
    let pictures = Tensor::from_data(TensorData::new(input.to_vec(), [1, 1, 28, 28]), device);
    module.forward(pictures).into_data().try_into_vec_as::<f32>().unwrap()
}

#[test]
fn the_guide_network_gives_burns_own_logits() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, spec, whole] =
        ["guide.bpk", "guide.card.json", "mnist.bpk"].map(|name| folder.path().join(name));
    let device = Device::flex();
    device.seed(7);
    let module = Guide::new(&device);
    let input = seeded("digit.input", &[28, 28]);
    let expected = numbers(&module, &input, &device);
    assert!(magnitude(&expected) > 0.05, "{expected:?}");
    module.save_file(&plain).unwrap();

    std::fs::write(&spec, card_of_the_page()).unwrap();
    let model = Model::open(&plain, Some(&spec)).unwrap();
    assert_eq!(model.warnings(), [""; 0]);
    let logits = |model: &Model| {
        let network = Network::load(model, &[], &DeviceName::default()).unwrap();
        network.logits(input.clone()).unwrap()
    };
    assert!(distance(&logits(&model), &expected) < 1e-5);

    let card = Card::from_json(&card_of_the_page()).unwrap();
    let request = ImportRequest { source: plain, card: Some(card), ..ImportRequest::default() };
    let imported = import(&request).unwrap();
    Model::save(&whole, &imported.card, imported.tensors, false).unwrap();
    assert!(distance(&logits(&Model::open(&whole, None).unwrap()), &expected) < 1e-5);
}

#[test]
#[cfg(feature = "cli")]
fn the_commands_of_the_page_run() {
    let folder = tempfile::tempdir().unwrap();
    Guide::new(&Device::flex()).save_file(folder.path().join("guide.bpk")).unwrap();
    std::fs::write(folder.path().join("guide.card.json"), card_of_the_page()).unwrap();
    std::fs::copy(crate::support::fixture("images/odd/grey8.png"), folder.path().join("digit.png")).unwrap();
    let page = page();
    let (walk, _) = page.split_once("## Records of Burn").unwrap();
    let blocks: String =
        walk.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    let commands: Vec<&str> = blocks.lines().filter_map(|line| line.strip_prefix("burncam ")).collect();
    assert_eq!(commands.len(), 4);
    for command in commands {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_burncam"))
            .args(command.split_whitespace())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "burncam {command}: {said}");
    }
    assert!(folder.path().join("out/digit.gradcam.json").exists());
}
