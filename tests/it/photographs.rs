//! Real photographs through real trained networks: the class is right, and the heat is on the object.

use burncam::{
    ArtifactKind, Explainer, Explanation, LayerRequest, Library, Model, Picture, Request, Style, Subject,
};
use burncam_picture::render::{self, Interpolation};

use crate::support::{fixture, share_inside};

/// Both networks, each at the layer that `auto` picks, and SqueezeNet also at its last Fire module.
fn explainers() -> Vec<Explainer> {
    let squeezenet = || Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let fire = Request::with(|request| request.layers = vec![LayerRequest::Name("features.12".into())]);
    vec![
        Explainer::new(Model::embedded().unwrap(), Request::default()).unwrap(),
        Explainer::new(squeezenet(), Request::default()).unwrap(),
        Explainer::new(squeezenet(), fire).unwrap(),
    ]
}

fn explain(explainer: &Explainer, name: &str) -> (Subject, Explanation) {
    let picture = Picture::open(&fixture("images").join(name), [255; 3]).unwrap();
    let subject = Subject::from_picture(picture, name, explainer.model()).unwrap();
    let explanation = explainer.explain(&subject).unwrap().remove(0);
    (subject, explanation)
}

#[test]
fn the_classes_are_right() {
    for explainer in explainers() {
        for (picture, expected) in
            [("coffee.png", "espresso"), ("camera.png", "tripod"), ("chelsea.png", "cat")]
        {
            let (_, explanation) = explain(&explainer, picture);
            let found = &explanation.predictions[0].class_name;
            assert!(found.contains(expected), "{}: {picture} is {found}", explainer.model().name());
        }
    }
}

#[test]
fn most_of_the_heat_lies_on_the_object() {
    let boxes = [("coffee.png", [172, 18, 410, 310]), ("camera.png", [230, 138, 410, 512])];
    for explainer in explainers() {
        for (picture, object) in boxes {
            let (subject, explanation) = explain(&explainer, picture);
            let (width, height) = subject.picture.dimensions();
            let map = &explanation.heatmap(&explanation.targets[0]);
            let placed = render::place(
                map,
                &subject.placement,
                width as usize,
                height as usize,
                Interpolation::Bilinear,
            );
            let share = share_inside(&placed, object);
            let layer = &explainer.layers()[0].name;
            assert!(share >= 0.6, "{} at {layer}: {share:.3} of {picture}", explainer.model().name());
        }
    }
}

/// The overlay of the first class, out of its file.
fn overlay(subject: &Subject, explanation: &Explanation) -> image::RgbImage {
    let style = Style::default();
    let canvas = explanation.canvas(&explanation.targets[0], subject, &style);
    image::load_from_memory(&canvas.draw(ArtifactKind::Overlay).unwrap()).unwrap().to_rgb8()
}

#[test]
fn overlays_have_the_size_of_the_photo_and_touch_only_what_the_network_saw() {
    let explainer = &explainers()[0];
    let (subject, explanation) = explain(explainer, "coffee.png");
    let overlay = overlay(&subject, &explanation);
    assert_eq!(overlay.dimensions(), (600, 400));
    // The middle 350x350 of 600x400 went in, so the outer columns are the photo's own, in grey.
    for (x, y) in (0..400).flat_map(|y| [(20, y), (580, y)]) {
        let [red, green, blue] = subject.picture.get_pixel(x, y).0.map(f64::from);
        let grey = ((5.0 * red + 9.0 * green + 2.0 * blue) / 16.0).round() as u8;
        assert!(overlay.get_pixel(x, y).0.iter().all(|level| level.abs_diff(grey) <= 1), "{x},{y}");
    }
    assert_ne!(overlay, subject.picture);
}

#[test]
fn the_overlay_of_coffee_is_the_one_that_was_looked_at() {
    let explainer = &explainers()[0];
    let (subject, explanation) = explain(explainer, "coffee.png");
    crate::golden::check(&overlay(&subject, &explanation), "coffee.gradcam.png");
}

#[test]
fn the_look_of_0_1_can_still_be_had() {
    let explainer = &explainers()[0];
    let (subject, explanation) = explain(explainer, "coffee.png");
    let mut style = Style::default();
    style.photo = "colour".parse().unwrap();
    style.colormap = "viridis".parse().unwrap();
    style.crop_edge = false;
    let canvas = explanation.canvas(&explanation.targets[0], &subject, &style);
    crate::golden::check(canvas.overlay(), "coffee.gradcam.0-1.png");
}

#[test]
fn an_overlay_on_a_small_photo_is_the_small_overlay_of_the_photo() {
    let explainer = &explainers()[0];
    for name in ["coffee.png", "chelsea.png"] {
        let (subject, explanation) = explain(explainer, name);
        for library in [None, Some(Library::Eli5)] {
            let mut style = Style::default();
            style.library = library;
            // A line has its own width at every size.
            style.crop_edge = false;
            let canvas = explanation.canvas(&explanation.targets[0], &subject, &style);
            let drawn = canvas.overlay_on(&render::preview(&subject.picture, 240).unwrap());
            let reduced = render::preview(canvas.overlay(), 240).unwrap();
            assert_eq!(drawn.dimensions(), reduced.dimensions());
            let apart = |(one, other): (&u8, &u8)| f64::from(one.abs_diff(*other));
            let mean = drawn.iter().zip(reduced.iter()).map(apart).sum::<f64>() / drawn.len() as f64;
            assert!(mean < 1.5, "{name} {library:?}: {mean} levels on average");
            // It is the map that is drawn: the photo alone is further off.
            let photo = render::preview(&subject.picture, 240).unwrap();
            let plain = photo.iter().zip(reduced.iter()).map(apart).sum::<f64>() / photo.len() as f64;
            assert!(plain > 5.0, "{name} {library:?}: {plain}");
        }
    }
}
