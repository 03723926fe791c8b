//! Metrics of several pictures together, on real networks: DiFull's oracle, the grid pointing game, the sanity column.

use burncam::check::{SanityRequest, check_sanity};
use burncam::evaluate::{Columns, EvaluationRequest, Evaluator, Gathered, merge};
use burncam::record::{EvaluatedMosaic, Evaluation};
use burncam::{Model, Request, Runtime, Subject};
use burncam_engine::Network;

use crate::messages::has_heading;
use crate::record::{assert_valid, schema};
use crate::support::{Made, picture_of_shapes, shapes};

const PICTURES: usize = 24;

fn picture(model: &Model, at: usize) -> Subject {
    Subject::open(&picture_of_shapes(at), &Request::default().reading, model).unwrap()
}

fn evaluator(methods: &[&str], metrics: &[&str], change: impl FnOnce(&mut EvaluationRequest)) -> Evaluator {
    let mut explain = Request::default();
    explain.methods = methods.iter().map(|name| name.parse().unwrap()).collect();
    let mut request = EvaluationRequest::new(explain);
    request.metrics = Some(metrics.iter().map(|name| name.parse().unwrap()).collect());
    request.mosaics = Some(6);
    change(&mut request);
    Evaluator::new(shapes(|_| ()).model, request).unwrap()
}

/// The part K of N, counted from 0.
fn part(evaluator: &Evaluator, share: (usize, usize)) -> Evaluation {
    let read = |at| Some(picture(evaluator.explainer().model(), at));
    let pictures = Gathered { count: PICTURES, read: &read, share, progress: &|_| None };
    let mut evaluation = evaluator.header().unwrap();
    evaluator.together(&pictures).unwrap().put_into(&mut evaluation);
    Columns::new(&evaluation).unwrap().summarise(evaluation).unwrap().with_targets(vec![])
}

fn evaluated(methods: &[&str], metrics: &[&str], change: impl FnOnce(&mut EvaluationRequest)) -> Evaluation {
    part(&evaluator(methods, metrics, change), (0, 1))
}

/// Per row of an evaluation the leaks of its mosaics.
fn leaks(evaluation: &Evaluation, row: usize) -> Vec<Option<f64>> {
    evaluation.mosaics.iter().map(|mosaic| mosaic.leaks[row]).collect()
}

#[test]
fn gradients_find_no_evidence_outside_of_the_only_cell_that_the_score_reads() {
    let local = [
        "hirescam",
        "layercam",
        "gradient",
        "inputxgradient",
        "integratedgradients",
        "guidedbackprop",
        "deconvolution",
        "gradcam",
    ];
    let evaluation = evaluated(&local, &["difull"], |request| {
        request.explain.layers = vec!["l3.1.2".parse().unwrap()];
        request.explain.options.samples = Some(4);
    });
    assert_eq!(evaluation.mosaics.len(), 6);
    for (row, name) in local.iter().enumerate().take(7) {
        assert_eq!(leaks(&evaluation, row), [Some(0.0); 6], "{name}");
    }
    // Grad-CAM's weights are means over all cells and multiply the activations of all: it shows evidence where there can be none.
    assert!(leaks(&evaluation, 7).iter().all(|leak| leak.unwrap() > 0.2), "{:?}", leaks(&evaluation, 7));
    assert_eq!(leaks(&evaluation, 8), [None; 6], "a baseline explains no score");
}

#[test]
fn a_network_taken_apart_gives_the_scores_of_its_first_cell_whatever_the_others_show() {
    let Made { model, .. } = &shapes(|_| ());
    let layer = model.graph().position("l3.1.2").unwrap();
    let (apart, name) = model.disconnected(layer, 2).unwrap();
    assert_eq!(apart.shapes()[apart.graph().position(name).unwrap()], [1, 64, 16, 16]);
    let parts: Vec<Subject> = (0..6).map(|at| picture(model, at)).collect();
    let side = 64;
    let grid = burncam_metrics::localisation::Grid::new(2, 2 * side, 2 * side).unwrap();
    let mosaic = |chosen: [usize; 4]| {
        let parts: Vec<&[f32]> = chosen.iter().map(|at| &parts[*at].values[..]).collect();
        grid.mosaic(&parts, 3, [side, side]).unwrap()
    };
    let runtime = Runtime::default();
    let network = Network::load(&apart, &[], &runtime).unwrap();
    let found = network.logits(mosaic([0, 1, 2, 3])).unwrap();
    assert_eq!(found, network.logits(mosaic([0, 4, 5, 1])).unwrap());
    assert_ne!(found, network.logits(mosaic([1, 0, 2, 3])).unwrap());
    let own = Network::load(model, &[], &runtime).unwrap().logits(parts[0].values.clone()).unwrap();
    assert_eq!(found.len(), own.len());
    for (found, own) in found.iter().zip(own) {
        assert!((found - own).abs() < 1e-4, "{found}, alone {own}");
    }
}

#[test]
fn mosaics_show_different_classes_and_random_maps_have_the_share_of_the_area() {
    let of = |seed| evaluated(&["gradcam"], &["gridpg"], |request| request.explain.options.seed = seed);
    let evaluation = of(3);
    for EvaluatedMosaic { paths, cells, .. } in &evaluation.mosaics {
        let mut classes: Vec<usize> = cells.iter().map(|cell| cell.target).collect();
        classes.sort_unstable();
        assert_eq!((paths.len(), classes), (4, vec![0, 1, 2, 3]));
        assert!(cells.iter().all(|cell| (cell.area - 0.25).abs() < 1e-12));
    }
    let settings = evaluation.settings.mosaics.as_ref().unwrap();
    assert_eq!((settings.side, settings.wanted, settings.seed, settings.classes), (2, 6, 3, 4));
    let [gradcam, random] = [0, 1].map(|row| evaluation.rows[row].figures[0]);
    assert_eq!((random.count, evaluation.rows[1].name.as_str()), (24, "random"));
    assert!((random.mean.unwrap() - 0.25).abs() < 0.01, "{random:?}");
    assert!(gradcam.interval.unwrap()[0] > 0.3, "{gradcam:?}");
    assert_eq!(of(3).mosaics, evaluation.mosaics);
    assert_ne!(of(4).mosaics, evaluation.mosaics);
    let refused = merge(vec![evaluation.clone(), evaluation]).unwrap_err().to_string();
    assert!(refused.contains("metric 'gridpg' is of all pictures together"), "{refused}");
    assert!(has_heading(&refused), "{refused}");
}

#[test]
fn shards_measure_every_nth_mosaic_and_image_of_all_pictures_and_merge_to_the_whole_byte_for_byte() {
    let metrics = ["gridpg", "difull", "sanity"];
    let evaluator = evaluator(&["gradcam", "layercam"], &metrics, |_| ());
    let whole = part(&evaluator, (0, 1));
    assert_eq!((whole.mosaics.len(), whole.sanity.len()), (6, 8));
    // Of seven shards the last has an image and no mosaic.
    for of in [2, 7] {
        let shard = |at: usize| {
            let shard = Some(format!("{}/{of}", at + 1));
            Evaluation { shard, ..part(&evaluator, (at, of)) }
        };
        let parts: Vec<Evaluation> = (0..of).map(shard).collect();
        assert_eq!(parts[1].mosaics[0], whole.mosaics[1]);
        assert_eq!(parts[of - 1].mosaics.len(), 6 / of);
        // As files are found, by their names.
        let mut unordered = parts.clone();
        unordered.reverse();
        let merged = merge(unordered).unwrap();
        assert_eq!(merged.to_json().unwrap(), whole.to_json().unwrap(), "{of} shards");
        let mut interrupted = parts.clone();
        interrupted[1].interrupted = true;
        let mut other = parts;
        other[1].settings.mosaics.as_mut().unwrap().pictures -= 1;
        let ends = ["is missing in a shard that was interrupted", "is of different pictures in the shards"];
        for (parts, end) in [interrupted, other].into_iter().zip(ends) {
            let refused = merge(parts).unwrap_err().to_string();
            assert!(refused.contains(end) && has_heading(&refused), "{refused}");
        }
    }
}

#[test]
fn the_sanity_column_has_the_similarities_of_the_check_and_baselines_have_one() {
    let evaluation = evaluated(&["gradcam", "guidedbackprop"], &["sanity"], |_| ());
    let Made { model, .. } = &shapes(|_| ());
    let pictures: Vec<Subject> = (0..8).map(|at| picture(model, at)).collect();
    let explain = Request::with(|request| {
        request.methods = ["gradcam", "guidedbackprop"].map(|name| name.parse().unwrap()).to_vec();
    });
    let request = SanityRequest { explain: explain.clone(), ..SanityRequest::default() };
    let report = check_sanity(model, &pictures, &request).unwrap();
    for (at, method) in report.methods.iter().enumerate() {
        let images: Vec<Option<f64>> = evaluation.sanity.iter().map(|image| image.similarities[at]).collect();
        assert_eq!(images, method.similarity_by_picture);
        // Every picture has as many pairs, so that the mean of their means is that of all.
        let (mean, all) = (evaluation.rows[at].figures[0].mean.unwrap(), method.similarity.unwrap());
        assert!((mean - all).abs() < 1e-9, "{mean}, of all pairs {all}");
        assert!(evaluation.rows[at].figures[0].interval.is_some());
    }
    let found: Vec<Option<f64>> = evaluation.rows.iter().map(|row| row.figures[0].mean).collect();
    assert_eq!(found[2..], [Some(1.0); 3]);
    assert_eq!(evaluation.settings.sanity.unwrap().pictures, 8);
    let one = check_sanity(model, &pictures[3..4], &SanityRequest { explain, ..SanityRequest::default() });
    let one = one.unwrap();
    for (alone, together) in one.methods.iter().zip(&report.methods) {
        assert_eq!(alone.similarity_by_picture[0], together.similarity_by_picture[3], "others count");
        assert_eq!(alone.similarity, alone.similarity_by_picture[0]);
    }
}

#[test]
fn evaluations_of_several_pictures_fit_the_schema_and_come_back() {
    let evaluation = evaluated(&["gradcam", "cam"], &["gridpg", "difull", "sanity"], |_| ());
    assert_eq!(leaks(&evaluation, 1), [None; 6], "cam wants an average and a linear layer");
    let text = evaluation.to_json().unwrap();
    assert_valid(&schema("evaluation.schema.json"), &serde_json::from_str(&text).unwrap());
    assert_eq!(Evaluation::from_json(text.as_bytes()).unwrap(), evaluation);
}

#[test]
fn what_has_no_sure_classes_or_no_signs_is_refused_before_any_picture() {
    let refused = |methods: &[&str], metric: &str, library: Option<&str>| {
        let mut explain = Request::default();
        explain.methods = methods.iter().map(|name| name.parse().unwrap()).collect();
        explain.options.library = library.map(|name| name.parse().unwrap());
        let mut request = EvaluationRequest::new(explain);
        request.metrics = Some(vec![metric.parse().unwrap()]);
        Evaluator::new(shapes(|_| ()).model, request).unwrap_err().to_string()
    };
    assert!(refused(&["refinecam"], "difull", None).contains("no signs to compare"));
    assert_eq!(
        refused(&["gradcam"], "sanity", Some("torchcam")),
        "metric 'sanity' is not in torchcam (leave it out)"
    );
}
