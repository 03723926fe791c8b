//! Several layers made one, worked again by hand.

use burncam::internal::Scene;
use burncam::{Aggregate, DeviceName, Method};

use super::networks::{Asked, doubled, gated, loaded, picture, plain, ranked};
use crate::support::{distance, magnitude};

fn over_greatest(map: &[f32]) -> Vec<f32> {
    let most = magnitude(map);
    map.iter().map(|value| value / most).collect()
}

fn cell_by_cell(a: &[f32], b: &[f32], how: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| how(*a, *b)).collect()
}

#[test]
fn two_layers_become_one_as_by_hand() {
    let input = picture();
    for made in [plain().made("fc"), gated().made("softmax")] {
        let network = |layers: &[&str]| loaded(&made, layers, &DeviceName::default());
        let (both, early, late) = (network(&["late", "early"]), network(&["early"]), network(&["late"]));
        let class = ranked(&both, &input)[0];
        for method in [Method::GradCam, Method::HiResCam, Method::EigenCam, Method::AblationCam] {
            for (signed, normalize) in [(false, true), (true, true), (false, false)] {
                let asked = Asked::new(method, class).but(|asked| {
                    asked.options.signed = signed;
                    asked.finish.normalize = normalize;
                });
                let scaled = |map: Vec<f32>| if normalize { over_greatest(&map) } else { map };
                let a = scaled(asked.map(&early, &input));
                let b = doubled(&scaled(asked.map(&late, &input)));
                let farther = |a: f32, b: f32| if b.abs() > a.abs() { b } else { a };
                let by_hand = [
                    (Aggregate::Mean, cell_by_cell(&a, &b, |a, b| (a + b) / 2.0)),
                    (Aggregate::Max, cell_by_cell(&a, &b, farther)),
                    (Aggregate::Product, cell_by_cell(&a, &b, |a, b| a * b)),
                ];
                for (aggregate, expected) in by_hand {
                    let found =
                        asked.but(|asked| asked.finish.aggregate = Some(aggregate)).map(&both, &input);
                    let gap = distance(&found, &expected) / magnitude(&expected);
                    let what = format!("{} by {}, signed: {signed}", method.info().name, aggregate.name());
                    assert!(gap < 2e-6, "{what}: {gap:e}");
                }
            }
        }
    }
}

#[test]
fn refinecam_is_the_product_of_grad_cam_plus_plus() {
    let input = picture();
    let made = plain().made("fc");
    let both = loaded(&made, &["early", "late"], &DeviceName::default());
    let class = ranked(&both, &input)[0];
    let one = |layer: &str| {
        let network = loaded(&made, &[layer], &DeviceName::default());
        over_greatest(&Asked::new(Method::GradCamPlusPlus, class).map(&network, &input))
    };
    let expected = cell_by_cell(&one("early"), &doubled(&one("late")), |a, b| a * b);
    let refined = Asked::new(Method::RefineCam, class);
    // Regardless of the aggregation of several layers.
    for aggregate in [Aggregate::Mean, Aggregate::Max] {
        let found = refined.but(|asked| asked.finish.aggregate = Some(aggregate)).map(&both, &input);
        assert!(distance(&found, &expected) < 1e-6 * magnitude(&expected));
    }
    let plusplus = Asked::new(Method::GradCamPlusPlus, class);
    let product = plusplus.but(|asked| asked.finish.aggregate = Some(Aggregate::Product)).map(&both, &input);
    assert_eq!(product, refined.map(&both, &input));
    let one_layer = loaded(&made, &["late"], &DeviceName::default());
    let error = refined.of(&mut Scene::new(&one_layer, &input).unwrap()).unwrap_err().to_string();
    assert!(error.contains("multiplies the maps of several layers, got one"), "{error}");
}

#[test]
fn each_of_several_layers_counts_as_when_it_is_alone() {
    let input = picture();
    let made = gated().made("softmax");
    let both = loaded(&made, &["early", "late"], &DeviceName::default());
    let class = ranked(&both, &input)[0];
    for method in Method::ALL.iter().filter(|method| method.info().uses_layer) {
        // CAM and the methods of rectifiers do not fit, RefineCAM has no map of one layer, and the random weights of
        // two layers are two streams.
        let not_here =
            [Method::Cam, Method::GuidedGradCam, Method::RefineCam, Method::Random].contains(method);
        if not_here {
            continue;
        }
        let asked = Asked::new(*method, class).but(|asked| {
            asked.options.signed = true;
            asked.finish.normalize = false;
        });
        let one = |layer: &str| asked.map(&loaded(&made, &[layer], &DeviceName::default()), &input);
        let (early, late) = (one("early"), doubled(&one("late")));
        let expected = cell_by_cell(&early, &late, |a, b| (a + b) / 2.0);
        let gap = distance(&asked.map(&both, &input), &expected) / magnitude(&expected);
        assert!(gap < 1e-5, "{}: {gap:e}", method.info().name);
    }
}
