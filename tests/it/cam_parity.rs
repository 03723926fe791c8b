//! Every map that six Python libraries made of four tiny networks, against `--compat`.
//!
//! `fixtures/scripts/cam_parity.py` ran the libraries; `fixtures/parity/` holds what they gave. The table of
//! `docs/parity.md` is what this test finds: `BLESS=1 cargo test --release --test it parity` rewrites it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use burncam::internal::{MapRequest, Scene};
use burncam::{Finish, LayerRequest, Library, Method, Model, Options, Score, Smoothing};
use burncam_engine::Network;
use burncam_model::import::{ImportRequest, Imported, import};
use serde_json::Value;

use crate::support::{Made, distance, fixture, made, magnitude};

/// Maps within 0 to 1 may differ by this much; others relative to their greatest value.
const TOLERANCE: f64 = 1e-4;
/// In place of that where a neuron of the network is within rounding of zero all along the way from black to the picture: its slope at each of
/// the steps is a matter of rounding. With 20 steps it is Burn that is this far from double precision, with 50 the native kernels.
const NEAR_A_CORNER: f64 = 1e-3;
const NETWORKS: [&str; 4] = ["plain", "residual", "inverted", "dense"];

/// One array of a library.
struct Case {
    network: &'static str,
    library: Library,
    /// `METHOD/LAYERS/TARGET[/OPTION]`.
    key: String,
    expected: Vec<f32>,
}

/// The worst difference of a method, and how many arrays it had.
type Table = BTreeMap<(&'static str, String), (f64, usize)>;

#[test]
fn maps_agree_with_the_libraries() {
    let manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture("parity/manifest.json")).unwrap()).unwrap();
    let mut table = Table::new();
    let mut far = Vec::new();
    for network in NETWORKS {
        let source = fixture(&format!("parity/{network}.onnx"));
        let Imported { card, tensors, .. } =
            import(&ImportRequest { source, ..ImportRequest::default() }).unwrap();
        let Made { model, .. } = &made(&card, tensors);
        for library in Library::ALL.iter().copied() {
            for case in cases(network, library) {
                let Some(difference) = compare(model, &manifest, &case) else { continue };
                let method = case.key.split('/').next().unwrap();
                let row = table.entry((library.name(), row_name(method, &case.key))).or_default();
                *row = (row.0.max(difference), row.1 + 1);
                let is_near = network == "plain" && method == "integratedgradients";
                if difference > if is_near { NEAR_A_CORNER } else { TOLERANCE } {
                    far.push(format!("{network} {} {}: {difference:.2e}", library.name(), case.key));
                }
            }
        }
    }
    assert!(far.is_empty(), "{} of them:\n{}", far.len(), far.join("\n"));
    assert!(table.values().map(|row| row.1).sum::<usize>() > 500, "too few arrays were compared");
    check_table(&table);
}

/// The difference between a library's array and ours, or `None` for one that no preset stands for.
fn compare(model: &Model, manifest: &Value, case: &Case) -> Option<f64> {
    let parts: Vec<&str> = case.key.splitn(4, '/').collect();
    let [name, layers, target] = parts[..3] else { panic!("{}", case.key) };
    let option = parts.get(3).copied().unwrap_or_default();
    // Without a ReLU these are the plain gradient there, and refused here.
    if case.network == "inverted" && (name.starts_with("guided") || name == "deconvolution") {
        return None;
    }
    // The preset enlarges the map, as captum's users do.
    if name == "layergradcam" && option != "nearest" {
        return None;
    }
    let method = method(case.library, name)?;
    let mut asked = Asked { method, ..Asked::default() };
    asked.options = Options::default();
    asked.options.library = Some(case.library);
    asked.options.noise = Some(0.0);
    for option in option.split(['+', '/']).filter(|option| !option.is_empty()) {
        asked.take(option)?;
    }
    match method {
        Method::Occlusion => {
            asked.options.patch = Some(8);
            asked.options.stride = Some(4);
        }
        // Without noise every draw is the same.
        Method::SsCam => asked.options.samples = Some(1),
        _ => {}
    }
    let network = &manifest["networks"][case.network];
    let class = target.parse().unwrap_or_else(|_| network["targets"][0].as_u64().unwrap() as usize);
    let taps: Vec<usize> = layers
        .split('+')
        .filter(|layer| *layer != "none")
        .map(|layer| {
            let node = network["layers"][layer]["node"].as_str().unwrap();
            model.choose_layer(&LayerRequest::Name(node.to_owned())).unwrap().index
        })
        .collect();
    let map = asked.map(model, &taps, &input(case.network), class);
    let expected = expected(case, map.len());
    let most = expected.iter().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
    // What is not brought to 1 by the library is compared relative to its greatest value.
    let unit = if [Library::Captum, Library::Xplique].contains(&case.library) { most } else { 1.0 };
    Some(f64::from(distance(&map, &expected)) / unit)
}

/// What one case asks of a method.
struct Asked {
    method: Method,
    score: Score,
    finish: Finish,
    smoothing: Smoothing,
    options: Options,
}

impl Default for Asked {
    fn default() -> Self {
        let (finish, smoothing, options) = Default::default();
        Self { method: Method::GradCam, score: Score::Logit, finish, smoothing, options }
    }
}

impl Asked {
    /// Takes over an option of the library; `None` for one that no preset stands for.
    fn take(&mut self, option: &str) -> Option<()> {
        match option {
            "aug" => self.smoothing.augment = true,
            "eigen" => self.smoothing.eigen = true,
            "softmax" => self.score = Score::Prob,
            "rest" => self.score = Score::Rest,
            // The sign that scikit-learn gives, and two layers one at a time: the only ways here.
            "own-sign" | "one-by-one" | "nearest" => {}
            _ => return None,
        }
        Some(())
    }

    fn map(&self, model: &Model, taps: &[usize], input: &[f32], class: usize) -> Vec<f32> {
        let device = burncam::DeviceName::default();
        let network = match self.method {
            Method::FullGrad => Network::load_unfolded(model, &device),
            _ => Network::load(model, taps, &device),
        };
        let network = network.unwrap();
        let mut scene = Scene::new(&network, input).unwrap();
        let Self { method, score, finish, smoothing, ref options } = *self;
        let (methods, classes) = (&[method], &[class]);
        let request = MapRequest { methods, classes, score, finish, smoothing, options };
        scene.class_maps(&request).unwrap()[0][0].map.values().to_vec()
    }
}

/// The library's array as one map of as many cells: its pixel methods give one for each colour, and their pictures sum them.
fn expected(case: &Case, cells: usize) -> Vec<f32> {
    if case.expected.len() == cells {
        return case.expected.clone();
    }
    assert_eq!(case.expected.len(), 3 * cells, "{}", case.key);
    let sum = |cell: usize| case.expected.iter().skip(cell).step_by(cells).sum::<f32>();
    let mut map: Vec<f32> = (0..cells).map(sum).collect();
    if case.library == Library::PytorchGradCam {
        map.iter_mut().for_each(|value| *value = value.max(0.0));
        let most = magnitude(&map);
        map.iter_mut().for_each(|value| *value /= most);
    }
    map
}

/// Our name for a library's method.
fn method(library: Library, name: &str) -> Option<Method> {
    let name = match name {
        "guided-backprop" => "guidedbackprop",
        "guided-gradcam" => "guidedgradcam",
        "layergradcam" => "gradcam",
        "saliency" => "gradient",
        "gradientinput" => "inputxgradient",
        "deconvnet" => "deconvolution",
        // Omitted; docs/parity.md has the reason.
        "sess" | "noisetunnel" => return None,
        name => name,
    };
    let method: Method = name.parse().unwrap();
    assert!(library.has(method), "{name} is stored for {}", library.name());
    Some(method)
}

fn row_name(method: &str, key: &str) -> String {
    let option =
        key.splitn(4, '/').nth(3).filter(|option| !["own-sign", "one-by-one", "nearest"].contains(option));
    match option {
        Some(option) => format!("{method} ({})", option.replace("/one-by-one", "")),
        None => method.to_owned(),
    }
}

fn input(network: &str) -> Vec<f32> {
    arrays(&fixture(&format!("parity/{network}.pytorch-grad-cam.npz"))).remove("input").unwrap()
}

fn cases(network: &'static str, library: Library) -> Vec<Case> {
    let path = fixture(&format!("parity/{network}.{}.npz", library.name()));
    if !path.exists() {
        // Keras libraries have two of the networks.
        assert!(
            [Library::Eli5, Library::TfKerasVis, Library::Xplique].contains(&library),
            "{}",
            path.display()
        );
        return vec![];
    }
    let mut arrays = arrays(&path);
    let keys: Vec<String> = arrays.keys().filter(|key| key.contains('/')).cloned().collect();
    let has_own_sign = |key: &String| keys.contains(&format!("{key}/own-sign"));
    let wanted = keys.iter().filter(|key| !has_own_sign(key));
    wanted
        .map(|key| Case {
            network,
            library,
            expected: arrays.remove(key).unwrap(),
            key: key.split_once('/').unwrap().1.to_owned(),
        })
        .collect()
}

/// The float32 arrays of a `.npz` file.
pub(crate) fn arrays(path: &Path) -> BTreeMap<String, Vec<f32>> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        // The others are pictures.
        if let Ok(values) = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>() {
            found.insert(name, values);
        }
    }
    found
}

/// `docs/parity.md` has these rows, each with a difference no less than what was found here, to its last digit.
fn check_table(table: &Table) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/parity.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- table -->\n", "<!-- end of table -->");
    let (before, rest) = text.split_once(start).unwrap();
    let (found, after) = rest.split_once(end).unwrap();
    let mut lines = String::from("| library | method | arrays | worst difference |\n|---|---|---|---|\n");
    for ((library, method), (difference, count)) in table {
        lines += &format!("| {library} | {method} | {count} | {difference:.0e} |\n");
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{before}{start}{lines}{end}{after}")).unwrap();
        return;
    }
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.rsplit_once(" | ").map(|(row, _)| row.to_owned())).collect()
    };
    assert_eq!(rows(found), rows(&lines), "the table is not today's (BLESS=1 writes it)");
}
