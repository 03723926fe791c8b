//! Tests of heads that are not the published ones, of renamed tensors, and of recognition.

use super::leftovers::{edited, edited_as};
use super::*;
use crate::builder::Activation;

fn rename(from: &'static str, to: &'static str) -> impl Fn(&mut BTreeMap<String, Vec<usize>>) {
    move |shapes| {
        for role in ["weight", "bias"] {
            let shape = shapes.remove(&format!("{from}.{role}")).unwrap();
            shapes.insert(format!("{to}.{role}"), shape);
        }
    }
}

#[test]
fn a_head_with_one_layer_is_that_layer() {
    for (arch, from, to) in [
        ("resnet18", "fc", "fc.1"),
        ("densenet121", "classifier", "classifier.0"),
        ("mobilenet_v2", "classifier.1", "classifier.1.1"),
        ("mobilenet_v2", "classifier.1", "classifier.0"),
        ("efficientnet_lite0", "_fc", "_fc.2"),
    ] {
        let imported = edited(arch, rename(from, to)).unwrap_or_else(|error| panic!("{arch} {to}: {error}"));
        assert!(imported.diagnosis.is_clean(), "{arch} {to}");
        let said = imported
            .assumptions
            .iter()
            .any(|line| line.to_string().starts_with(&format!("'{to}' is the only layer")));
        assert!(said, "{arch} {to}: {:?}", imported.assumptions);
    }
    for to in ["fc.linear", "fc.1.2"] {
        let error = edited("resnet18", rename("fc", to)).unwrap_err().to_string();
        assert!(error.contains("everything but the head 'fc' fits"), "{to}: {error}");
        let ask = |request| ImportRequest { head: Some(HeadRequest::Linear), ..request };
        let imported = edited_as("resnet18", rename("fc", to), ask).unwrap();
        let graph = imported.card.graph.unwrap();
        assert_eq!(graph.nodes.last().unwrap().name, to);
    }
}

#[test]
fn a_head_of_another_name_is_renamed_as_the_refusal_says() {
    let changed = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        rename("fc", "head")(shapes);
        shapes.insert("head.weight".into(), vec![5, 512]);
        shapes.insert("head.bias".into(), vec![5]);
        *shapes =
            std::mem::take(shapes)
                .into_iter()
                .map(|(name, shape)| {
                    if name.starts_with("head") { (name, shape) } else { (format!("backbone.{name}"), shape) }
                })
                .collect();
    };
    let error = edited("resnet18", changed).unwrap_err().to_string();
    assert!(error.contains("everything but the head 'fc' fits, and 'head' has its tensors: "), "{error}");
    assert!(error.contains("ImportRequest::rename = head=fc"), "{error}");
    let ask = |request| ImportRequest { rename: vec![("head".into(), "fc".into())], ..request };
    assert!(edited_as("resnet18", changed, ask).unwrap().diagnosis.is_clean());
    let narrow = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        changed(shapes);
        shapes.insert("head.weight".into(), vec![5, 256]);
    };
    let error = edited("resnet18", narrow).unwrap_err().to_string();
    assert!(!error.contains("rename"), "{error}");
}

/// `fc` as a linear layer to 64, something, a dropout, and a linear layer to 5.
fn two_layers(shapes: &mut BTreeMap<String, Vec<usize>>) {
    rename("fc", "fc.3")(shapes);
    shapes.insert("fc.3.weight".into(), vec![5, 64]);
    shapes.insert("fc.0.weight".into(), vec![64, 512]);
    shapes.insert("fc.0.bias".into(), vec![64]);
}

fn asked(head: HeadRequest) -> impl Fn(ImportRequest) -> ImportRequest {
    move |request| ImportRequest { head: Some(head), ..request }
}

fn owned((name, op): (&str, &str)) -> (String, String) {
    (name.to_owned(), op.to_owned())
}

/// Name and operation of the nodes from `flatten` on.
fn head_of(imported: &Imported) -> Vec<(String, String)> {
    let nodes = &imported.card.graph.as_ref().unwrap().nodes;
    let nodes = nodes.iter().skip_while(|node| node.name != "flatten").skip(1);
    nodes.map(|node| (node.name.clone(), node.op.name())).collect()
}

#[test]
fn a_head_of_two_layers_needs_the_function_between_them() {
    let error = edited("resnet18", two_layers).unwrap_err().to_string();
    let expected = "weights do not say what stands between 'fc.0' and 'fc.3': use ImportRequest::head = mlp:relu or another of \
                    relu, relu6,";
    assert!(error.contains(expected), "{error}");

    let imported =
        edited_as("resnet18", two_layers, asked(HeadRequest::Mlp(Some(Activation::Gelu)))).unwrap();
    let expected = [("fc.0", "linear"), ("fc.1", "gelu"), ("fc.3", "linear")];
    assert_eq!(head_of(&imported), expected.map(owned));
    let said = "the head 'fc' is taken for linear 'fc.0' to 64, gelu, linear 'fc.3' to 5";
    assert_eq!(imported.assumptions[0].to_string(), said);

    let imported = edited_as("resnet18", two_layers, asked(HeadRequest::Mlp(None))).unwrap();
    assert_eq!(head_of(&imported)[1], owned(("fc.1", "relu")));
    let said =
        "linear 'fc.3' to 5: weights do not say the function; ImportRequest::head = mlp:ACTIVATION does";
    assert!(imported.assumptions[0].to_string().ends_with(said), "{:?}", imported.assumptions);
}

#[test]
fn efficientnet_lite_takes_other_heads() {
    let two_layers = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        rename("_fc", "_fc.2")(shapes);
        shapes.insert("_fc.2.weight".into(), vec![5, 64]);
        shapes.insert("_fc.2.bias".into(), vec![5]);
        shapes.insert("_fc.0.weight".into(), vec![64, 1280]);
        shapes.insert("_fc.0.bias".into(), vec![64]);
    };
    let imported = edited_as("efficientnet_lite0", two_layers, asked(HeadRequest::Mlp(None))).unwrap();
    let expected = [("_dropout", "dropout"), ("_fc.0", "linear"), ("_fc.1", "relu"), ("_fc.2", "linear")];
    assert_eq!(head_of(&imported), expected.map(owned));
}

#[test]
fn a_head_in_the_place_of_a_whole_list_is_found() {
    let lone = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        shapes.retain(|name, _| !name.starts_with("classifier."));
        shapes.insert("classifier.weight".into(), vec![7, 960]);
        shapes.insert("classifier.bias".into(), vec![7]);
    };
    let imported = edited("mobilenet_v3_large", lone).unwrap();
    assert_eq!(head_of(&imported), [owned(("classifier", "linear"))]);
    assert_eq!(
        imported.assumptions[0].to_string(),
        "the head 'classifier' is taken for linear 'classifier' to 7"
    );

    let deep = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        shapes.retain(|name, _| !name.starts_with("classifier."));
        for (name, shape) in [
            ("0.weight", vec![64, 1280]),
            ("0.bias", vec![64]),
            ("1.weight", vec![64]),
            ("1.bias", vec![64]),
            ("1.running_mean", vec![64]),
            ("1.running_var", vec![64]),
            ("4.weight", vec![3, 64]),
        ] {
            shapes.insert(format!("classifier.{name}"), shape);
        }
    };
    let imported =
        edited_as("efficientnet_b0", deep, asked(HeadRequest::Mlp(Some(Activation::Silu)))).unwrap();
    let expected = [
        ("classifier.0", "linear"),
        ("classifier.1", "batch_norm"),
        ("classifier.2", "silu"),
        ("classifier.4", "linear"),
    ];
    assert_eq!(head_of(&imported), expected.map(owned));
}

#[test]
fn a_function_in_one_of_two_places_is_refused() {
    let two_gaps = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        two_layers(shapes);
        for role in ["weight", "bias", "running_mean", "running_var"] {
            shapes.insert(format!("fc.2.{role}"), vec![64]);
        }
        rename("fc.3", "fc.5")(shapes);
    };
    let error = edited_as("resnet18", two_gaps, asked(HeadRequest::Mlp(None))).unwrap_err().to_string();
    assert!(error.contains("everything but the head 'fc' fits"), "{error}");
}

#[test]
fn the_asked_number_of_classes_is_compared_with_the_changed_head() {
    let ask = |request| ImportRequest { num_classes: Some(9), ..asked(HeadRequest::Mlp(None))(request) };
    let error = edited_as("resnet18", two_layers, ask).unwrap_err().to_string();
    assert!(error.contains("'fc.3.weight' has shape [5, 64], expected [9, 64]"), "{error}");
}

#[test]
fn parts_of_names_are_replaced() {
    let ask = |from: &str, to: &str| {
        let rename = vec![(from.to_owned(), to.to_owned())];
        move |request| ImportRequest { rename: rename.clone(), ..request }
    };
    let imported = edited_as("resnet18", rename("fc", "head"), ask("head", "fc")).unwrap();
    assert!(imported.diagnosis.is_clean());
    let error = edited_as("resnet18", rename("fc", "head"), ask("heads", "fc")).unwrap_err().to_string();
    assert!(
        error.contains("has no tensor with 'heads' in its name (change ImportRequest::rename)"),
        "{error}"
    );
    let error = edited_as("resnet18", |_| (), ask("bn1", "bn2")).unwrap_err().to_string();
    assert!(error.contains("would have two tensors called 'layer1.0.bn2.bias'"), "{error}");
}

#[test]
fn an_architecture_is_recognised_by_its_tensors() {
    let auto = |request| ImportRequest { arch: Some("auto".into()), ..request };
    for arch in
        ["resnet34", "resnext50_32x4d", "mobilenet_v3_small", "shufflenet_v2_x1_0", "resnet20_cifar_a"]
    {
        let imported = edited_as(arch, |_| (), auto).unwrap_or_else(|error| panic!("{arch}: {error}"));
        let count = imported.tensors.len();
        let said = format!("the {count} tensors are those of {arch}: ImportRequest::arch says otherwise");
        assert_eq!(imported.assumptions[0].to_string(), said);
        let note = imported.card.source.unwrap().note.unwrap();
        assert_eq!(note, format!("recognised as {arch} by its tensors"));
    }
    let imported = edited_as("resnet18", rename("fc", "fc.1"), auto).unwrap();
    assert_eq!(imported.card.name, "resnet18");

    let error =
        edited_as("resnet18", |shapes| drop(shapes.remove("bn1.bias")), auto).unwrap_err().to_string();
    assert!(error.contains("the nearest is 'resnet18', 101 of whose 102 tensors fit"), "{error}");
}

#[test]
fn of_several_sets_of_weights_one_is_asked_for() {
    let twice = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        let own = std::mem::take(shapes);
        for set in ["model", "model_ema"] {
            shapes.extend(own.iter().map(|(name, shape)| (format!("{set}.{name}"), shape.clone())));
        }
    };
    let auto = |request| ImportRequest { arch: Some("auto".into()), ..request };
    let error = edited_as("resnet18", twice, auto).unwrap_err().to_string();
    assert!(
        error.contains("holds several sets of weights, under 'model', 'model_ema' (choose one with"),
        "{error}"
    );
    let chosen = |request| ImportRequest { key: Some("model_ema".into()), ..auto(request) };
    assert_eq!(edited_as("resnet18", twice, chosen).unwrap().card.name, "resnet18");
}

#[test]
fn auxiliary_classifiers_are_left_out_and_said() {
    let with_aux = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        shapes.insert("AuxLogits.fc.weight".into(), vec![5, 768]);
        shapes.insert("AuxLogits.fc.bias".into(), vec![5]);
    };
    let imported = edited("inception_v3", with_aux).unwrap();
    let said = "2 tensors of auxiliary classifiers are left out: only training uses them";
    assert_eq!(imported.assumptions[0].to_string(), said);
    let preprocess = imported.card.preprocess;
    assert_eq!((preprocess.output_size(), preprocess.mean), (Some([299, 299]), vec![0.5; 3]));
}

#[test]
fn a_request_for_a_head_is_read() {
    let read = |text: &str| text.parse::<HeadRequest>();
    assert_eq!(read("dropout-linear").unwrap(), HeadRequest::Linear);
    assert_eq!(read("mlp").unwrap(), HeadRequest::Mlp(None));
    assert_eq!(read("mlp:tanh").unwrap(), HeadRequest::Mlp(Some(Activation::Tanh)));
    let error = read("mlp:swish").unwrap_err().to_string();
    assert!(error.contains("activation 'swish' is not known"), "{error}");
    assert!(read("two").unwrap_err().to_string().contains("mlp:ACTIVATION"));
}

/// The file may have a linear layer as a convolution, and values of channels without axes of size 1.
#[test]
fn names_of_other_libraries_are_architectures_too() {
    let timm = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        for shape in shapes.iter_mut().filter(|(name, _)| name.ends_with(".gamma")).map(|(_, shape)| shape) {
            shape.truncate(1);
        }
    };
    let imported = edited("timm:convnext_tiny", timm).unwrap();
    let graph = imported.card.graph.unwrap();
    assert!(graph.nodes.iter().any(|node| node.name == "stages.3.blocks.2.mlp.fc2"));
    assert_eq!(graph.nodes.last().unwrap().name, "head.fc");

    let pooled = |shapes: &mut BTreeMap<String, Vec<usize>>| {
        shapes.insert("conv_head.weight".into(), vec![1024, 576, 1, 1]);
    };
    let auto = |name: &'static str| move |request| ImportRequest { arch: Some(name.into()), ..request };
    let imported =
        edited_as("timm:mobilenetv3_small_100", pooled, auto("timm:mobilenetv3_small_100.lamb_in1k"));
    assert_eq!(imported.unwrap().card.name, "timm:mobilenetv3_small_100");

    let imported = edited_as("hf:resnet34", |_| (), auto("hf:resnet")).unwrap();
    assert_eq!(imported.card.name, "hf:resnet34");

    // timm pads this one as TensorFlow does, or not: names and shapes are the same.
    let error = edited_as("timm:efficientnet_b0", |_| (), auto("auto")).unwrap_err().to_string();
    let expected =
        "its tensors are those of timm:efficientnet_b0 and timm:tf_efficientnet_b0, which compute different";
    assert!(error.contains(expected), "{error}");
    // The same graph under two names is no question.
    assert_eq!(edited_as("timm:resnet18", |_| (), auto("auto")).unwrap().card.name, "resnet18");
}
