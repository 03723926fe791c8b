//! Tests of weights that nearly fit an architecture: unused tensors, other stems, assumptions.

use super::*;

/// Weights of an architecture with PyTorch's names, filled with zeros, after `edit` changed the names and shapes.
fn write(path: &Path, arch: &str, classes: usize, edit: impl Fn(&mut BTreeMap<String, Vec<usize>>)) {
    let built = arch::build(arch, classes, None).unwrap();
    let mut shapes: BTreeMap<String, Vec<usize>> = names::parameters(&built, Convention::Torch)
        .iter()
        .map(|parameter| (parameter.source_name.clone(), parameter.source_shape()))
        .collect();
    edit(&mut shapes);
    let most = shapes.values().map(|shape| shape.iter().product::<usize>()).max().unwrap();
    let zeros = vec![0; most * 2];
    let views: BTreeMap<&String, TensorView<'_>> = shapes
        .iter()
        .map(|(name, shape)| {
            let bytes = &zeros[..shape.iter().product::<usize>() * 2];
            (name, TensorView::new(Dtype::F16, shape.clone(), bytes).unwrap())
        })
        .collect();
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

pub(super) fn edited(arch: &str, edit: impl Fn(&mut BTreeMap<String, Vec<usize>>)) -> Result<Imported> {
    edited_as(arch, edit, |request| request)
}

pub(super) fn edited_as(
    arch: &str,
    edit: impl Fn(&mut BTreeMap<String, Vec<usize>>),
    ask: impl Fn(ImportRequest) -> ImportRequest,
) -> Result<Imported> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    write(&path, arch, 5, edit);
    import(&ask(request(&path, arch)))
}

/// Squeeze-and-excitation in every block of a ResNet-18: the other layers keep their names and shapes.
fn add_attention(shapes: &mut BTreeMap<String, Vec<usize>>) {
    for (stage, width) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
        for block in 0..2 {
            let at = format!("layer{stage}.{block}.se");
            shapes.insert(format!("{at}.fc1.weight"), vec![width / 16, width]);
            shapes.insert(format!("{at}.fc1.bias"), vec![width / 16]);
            shapes.insert(format!("{at}.fc2.weight"), vec![width, width / 16]);
            shapes.insert(format!("{at}.fc2.bias"), vec![width]);
        }
    }
}

#[test]
fn another_network_around_the_same_layers_is_refused() {
    let error = edited("resnet18", add_attention).unwrap_err().to_string();
    assert!(error.contains("102 of 102 tensors fit, 32 unused"), "{error}");
    assert!(error.contains("unused: 'layer1.0.se.fc1.weight' [4, 64]"), "{error}");
    assert!(error.ends_with("or leave it out with ImportRequest::allow_unused)"), "{error}");

    let allowed =
        edited_as("resnet18", add_attention, |request| ImportRequest { allow_unused: true, ..request });
    let warning = "32 tensors of the file are not used, for example 'layer1.0.se.fc1.bias'";
    assert_eq!(allowed.unwrap().warnings, [warning]);
}

#[test]
fn any_tensor_left_over_is_refused_but_counters() {
    for (name, shape) in [
        ("fc_aux.weight", vec![5, 512]),
        ("layer1.2.conv1.weight", vec![64, 64, 3, 3]),
        ("layer1.0.downsample.0.weight", vec![64, 64, 1, 1]),
        ("normalize.mean", vec![1, 3, 1, 1]),
        ("optimizer.momentum", vec![1]),
    ] {
        let error = edited("resnet18", |shapes| drop(shapes.insert(name.into(), shape.clone()))).unwrap_err();
        assert!(error.to_string().contains("102 of 102 tensors fit, 1 unused"), "{name}: {error}");
    }
    let counters = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        shapes.insert("bn1.num_batches_tracked".into(), vec![]);
        shapes.insert("layer1.total_ops".into(), vec![1]);
        shapes.insert("total_params".into(), vec![1]);
    };
    let imported = edited("resnet18", counters).unwrap();
    assert!(imported.warnings.is_empty() && imported.diagnosis.is_clean());
}

/// Tensors outside the detected prefix; a key may name the whole network.
#[test]
fn a_key_leaves_out_what_lies_beside_it() {
    let edit = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        let inside =
            std::mem::take(shapes).into_iter().map(|(name, shape)| (format!("net.body.{name}"), shape));
        shapes.extend(inside);
        shapes.insert("teacher.weight".into(), vec![3]);
    };
    let error = edited("resnet18", edit).unwrap_err().to_string();
    assert!(
        error.ends_with("part of the network? If not, ImportRequest::key = net.body leaves it out)"),
        "{error}"
    );
    let ask = |request| ImportRequest { key: Some("net.body".into()), ..request };
    assert!(edited_as("resnet18", edit, ask).unwrap().warnings.is_empty());
    let ask = |request| ImportRequest { key: Some("net".into()), ..request };
    assert!(edited_as("resnet18", edit, ask).unwrap().warnings.is_empty(), "the key above it does, too");
}

#[test]
fn another_stem_is_refused_and_a_grey_one_is_built() {
    let stem = |shape: [usize; 4]| {
        move |shapes: &mut BTreeMap<String, Vec<usize>>| {
            shapes.insert("conv1.weight".into(), shape.to_vec());
        }
    };
    let error = edited("resnet18", stem([64, 3, 5, 5])).unwrap_err().to_string();
    assert!(error.contains("everything but 'conv1.weight' fits"), "{error}");

    let imported = edited("resnet18", stem([64, 3, 3, 3])).unwrap();
    let graph = imported.card.graph.unwrap();
    assert_eq!((imported.card.name.as_str(), graph.input.height), ("resnet18_cifar", 32));
    assert!(graph.nodes.iter().all(|node| node.name != "maxpool"));
    let said = "the first convolution is 3x3: taken for 'resnet18_cifar', without a stride and without a pool after it";
    assert!(imported.assumptions[0].to_string().starts_with(said), "{:?}", imported.assumptions);

    let imported = edited("resnet18", stem([64, 1, 7, 7])).unwrap();
    let (graph, preprocess) = (imported.card.graph.unwrap(), imported.card.preprocess);
    assert_eq!((graph.input.channels, preprocess.color), (1, ColorOrder::Gray));
    assert!(preprocess.mean.is_empty() && preprocess.std.is_empty(), "the colours' do not apply");
    let said = "the way of resnet18's published weights (shorter side to 256, 224x224 cut from the centre, grey, \
                values from 0.000 to 1.000)";
    assert!(imported.assumptions[0].to_string().contains(said), "{:?}", imported.assumptions);
}

#[test]
fn what_is_assumed_about_pictures_is_said_unless_the_caller_said_it() {
    let none = |_: &mut BTreeMap<String, Vec<usize>>| {};
    let said = "weights do not say how pictures are prepared: the way of resnet18's published weights (shorter side to \
                256, 224x224 cut from the centre, RGB, values from -2.118 to 2.249); PreprocessRequest::preset, \
                PreprocessRequest::resize, PreprocessRequest::mean, PreprocessRequest::std, PreprocessRequest::scale and \
                PreprocessRequest::color say otherwise";
    let about_pictures = |imported: Result<Imported>| {
        let lines = imported.unwrap().assumptions;
        lines
            .into_iter()
            .filter(|line| line.to_string().contains("pictures are prepared"))
            .collect::<Vec<_>>()
    };
    assert_eq!(about_pictures(edited("resnet18", none)), [said]);
    let preset = |request| ImportRequest {
        adjust: PreprocessRequest { preset: Some(Preset::Imagenet), ..PreprocessRequest::default() },
        ..request
    };
    assert!(about_pictures(edited_as("resnet18", none, preset)).is_empty());
    let published = arch::find("resnet18").unwrap().preprocess(None);
    let whole = |request| ImportRequest { preprocess: Some(published.clone()), ..request };
    assert!(about_pictures(edited_as("resnet18", none, whole)).is_empty());
}
