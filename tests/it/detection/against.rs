//! Classes and boxes of a detector compared with another class, at the same anchor.

use super::*;

/// The class that box 1 is not of, the anchor of that box, and the explained numbers.
fn other_of_the_surest_box(model: &Model) -> (usize, usize, Vec<f32>) {
    let output = output(model);
    let surest = (0..160).fold(0, |best, at| if output[320 + at] > output[320 + best] { at } else { best });
    (1 - surest / 80, surest % 80, output)
}

fn against(model: &Model, rival: usize, targets: Vec<Target>) -> (Explanation, Record) {
    explained(model, |request| {
        request.targets = targets;
        request.against = Some(Target::Index(rival));
        request.methods = vec!["hirescam".parse().unwrap()];
        request.options.signed = true;
        request.scale = Scale::Raw;
    })
}

#[test]
fn a_box_less_the_logit_of_another_class_at_its_anchor() {
    let Made { model, .. } = &detector();
    let (rival, anchor, output) = other_of_the_surest_box(model);
    let logit = |class: usize| f64::from(output[320 + 80 * class + anchor]);
    let (explanation, record) = against(model, rival, vec![Target::Box(1), Target::Index(1 - rival)]);
    let [of_box, of_class] = &explanation.targets[..] else { panic!("{explanation:?}") };
    // The class's surest anchor is the box's.
    for target in [of_box, of_class] {
        near(target.score, logit(1 - rival) - logit(rival));
    }
    assert_eq!(of_box.map, of_class.map);
    assert_eq!(record.settings.request.as_ref().unwrap().against, Some(rival));
    assert_eq!(record.settings.score, "margin");
    // Probabilities and logits stay those of the class itself.
    near(record.targets[0].proba.unwrap(), sigmoid(logit(1 - rival) as f32));
    near(explanation.targets[0].class.logit.unwrap(), logit(1 - rival));
}

#[test]
fn the_map_of_a_difference_is_the_difference_of_maps_at_one_cell() {
    let Made { model, .. } = &detector();
    let (rival, anchor, output) = other_of_the_surest_box(model);
    let layer = if anchor < 64 { "f1" } else { "f2" };
    let (explanation, _) = explained(model, |request| {
        request.targets = vec![Target::Box(1)];
        request.against = Some(Target::Index(rival));
        request.layers = vec![LayerRequest::Name(layer.into())];
        request.methods = vec!["hirescam".parse().unwrap()];
        request.options.signed = true;
        request.scale = Scale::Raw;
    });
    let map = explanation.targets[0].map.values();
    let cell = if anchor < 64 { anchor } else { anchor - 64 };
    assert!(map.iter().enumerate().all(|(at, value)| at == cell || *value == 0.0), "{map:?}");
    // The class convolutions have no bias, so that the cell's value is the whole difference.
    let difference = output[320 + 80 * (1 - rival) + anchor] - output[320 + 80 * rival + anchor];
    assert!((map[cell] - difference).abs() < 1e-4, "{} {difference}", map[cell]);
}

#[test]
fn a_method_that_takes_a_share_of_the_other_logit_is_refused() {
    let request = Request::with(|request| {
        request.targets = vec![Target::Box(1)];
        request.against = Some(Target::Index(0));
        request.methods = vec!["finercam".parse().unwrap()];
    });
    let error = Explainer::new(detector().model, request).unwrap_err().to_string();
    assert!(
        error.contains("is of no use to finercam on a detector") && error.ends_with("(drop it)"),
        "{error}"
    );
}

#[test]
fn boxes_of_the_class_itself_are_left_out_or_refused() {
    let Made { model, .. } = &detector();
    let (rival, ..) = other_of_the_surest_box(model);
    let (explanation, _) = against(model, 1 - rival, vec![Target::Box(1), Target::Index(rival)]);
    assert_eq!(explanation.targets.iter().map(|target| target.class.target).collect::<Vec<_>>(), [rival]);
    let warning = explanation.warnings.join("\n");
    assert!(warning.contains("left out, because the others are compared with it"), "{warning}");
    let request = Request::with(|request| {
        request.targets = vec![Target::Box(1)];
        request.against = Some(Target::Index(1 - rival));
    });
    let explainer = Explainer::new(model.clone(), request).unwrap();
    let error = explainer.explain(&explainer.read(fixture(PICTURE)).unwrap()).unwrap_err().to_string();
    assert!(error.contains("is to be explained against itself"), "{error}");
}
