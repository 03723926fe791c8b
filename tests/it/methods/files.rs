//! Files of numbers: `.npy` and `.full.npy` hold the map as the method made it, at two sizes. Only pictures are clipped.

use burncam::record::InputRecord;
use burncam::{ArtifactKind, Explanation, Heatmap, Method, Model, Request, Scale, Style, Subject, Target};
use burncam_picture::input::Placement;

use super::networks::{all, fitting, layers, plain};
use super::table::{explained, settings, subject};
use crate::support::{distance, magnitude};

/// The same numbers on a photo with three pixels for each of a map's cells, so that each cell has a pixel in its middle.
fn on_three_times(map: &Heatmap, model: &Model) -> Subject {
    let (width, height) = (3 * map.width(), 3 * map.height());
    let own = subject(model);
    Subject {
        picture: image::RgbImage::new(width as u32, height as u32),
        placement: Placement::whole(width, height),
        file: InputRecord { width, height, ..own.file },
        ..own
    }
}

/// Both files of the first class.
fn files(explanation: &Explanation, model: &Model) -> [Vec<f32>; 2] {
    let target = &explanation.targets[0];
    let (on, style) = (on_three_times(&target.map, model), Style::default());
    let canvas = explanation.canvas(target, &on, &style);
    let read = |bytes: Vec<u8>| npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    [ArtifactKind::Npy, ArtifactKind::NpyFull].map(|kind| read(canvas.draw(kind).unwrap()))
}

fn with_scale(method: Method, scale: Scale) -> Request {
    let layers = if method.info().uses_layer { layers(method) } else { &["auto"] };
    let mut request = settings(method, layers, false);
    request.scale = scale;
    request.targets = vec![Target::Top(1)];
    request
}

#[test]
fn both_files_hold_the_map_as_it_was_computed() {
    for (network, sketch, output) in all() {
        let made = sketch.made(output);
        for method in fitting(network) {
            // The greatest value of every map here is far above the last.
            for scale in [Scale::Own, Scale::Raw, Scale::Fixed(1e-6)] {
                let what = format!("{} of {network}, {scale:?}", method.info().name);
                let explanation = explained(&made.model, with_scale(*method, scale)).unwrap();
                let map = &explanation.targets[0].map;
                let divisor = match scale {
                    Scale::Own => map.magnitude(),
                    Scale::Raw => 1.0,
                    Scale::Fixed(divisor) => divisor,
                    other => panic!("{other:?} is not tested here"),
                };
                let computed: Vec<f32> = map.values().iter().map(|value| value / divisor).collect();
                let [small, full] = files(&explanation, &made.model);
                assert_eq!(small, computed, "{what}");
                let middle = |cell: usize| {
                    let (row, column) = (cell / map.width(), cell % map.width());
                    full[(3 * row + 1) * 3 * map.width() + 3 * column + 1]
                };
                let middles: Vec<f32> = (0..small.len()).map(middle).collect();
                let most = magnitude(&small);
                assert!(most > 0.0, "{what}: a blank map shows nothing");
                assert!(distance(&middles, &small) <= 1e-6 * most, "{what}");
                assert!((magnitude(&full) - most).abs() <= 1e-6 * most, "{what}");
            }
        }
    }
}

#[test]
fn the_pointing_game_finds_the_one_hottest_pixel_of_a_fine_map() {
    let made = plain().made("fc");
    for method in Method::ALL.iter().filter(|method| method.is_fine()) {
        let explanation = explained(&made.model, with_scale(*method, Scale::Own)).unwrap();
        let map = &explanation.targets[0].map;
        let [small, full] = files(&explanation, &made.model);
        let hottest = |values: &[f32]| {
            let most = magnitude(values);
            let all: Vec<usize> = (0..values.len()).filter(|at| values[*at] == most).collect();
            assert_eq!(all.len(), 1, "{}", method.info().name);
            all[0]
        };
        let (cell, pixel) = (hottest(&small), hottest(&full));
        let width = map.width();
        let below = (pixel / (3 * width) / 3) * width + pixel % (3 * width) / 3;
        assert_eq!(below, cell, "{}", method.info().name);
    }
}

#[test]
fn pictures_of_a_fine_map_are_still_brightest_from_the_99th_percentile_on() {
    let made = plain().made("fc");
    let grey = |scale| {
        let explanation = explained(&made.model, with_scale(Method::Gradient, scale)).unwrap();
        let target = &explanation.targets[0];
        let on = on_three_times(&target.map, &made.model);
        let mut style = Style::default();
        style.interpolation = burncam_picture::render::Interpolation::Nearest;
        let drawn = explanation.canvas(target, &on, &style).draw(ArtifactKind::Grey).unwrap();
        image::load_from_memory(&drawn).unwrap().into_luma8()
    };
    // Of 256 cells the 99th percentile is the 253rd: four reach it, each with nine pixels.
    let own = grey(Scale::Own);
    assert_eq!(own.pixels().filter(|pixel| pixel.0 == [255]).count(), 36);
    assert_eq!(grey(Scale::Raw), own, "values that are not divided are drawn alike");
}
