//! Overlays held against those that the libraries themselves draw (`fixtures/scripts/overlay_parity.py`).

use burncam::Heatmap;
use burncam_picture::input::{Array, Npz, Placement};
use burncam_picture::render::compat::{
    Captum, CaptumSign, CompatOverlay, Eli5, PytorchGradCam, TfKerasVis, Torchcam, Xplique, compat_overlay,
};
use burncam_picture::render::{Colormap, Interpolation};
use image::RgbImage;

use crate::support::fixture;

fn picture(array: Array) -> RgbImage {
    let [height, width, 3] = array.shape[..] else { panic!("not a picture: {:?}", array.shape) };
    let levels = array.values.into_iter().map(|level| level as u8).collect();
    RgbImage::from_raw(width as u32, height as u32, levels).unwrap()
}

/// Every level of every case is what the library drew.
#[track_caller]
#[expect(clippy::print_stdout, reason = "--nocapture shows the differences")]
fn agree(library: &str, cases: &[(&str, CompatOverlay)]) {
    let mut archive = Npz::open(&fixture(&format!("parity/pictures-{library}.npz"))).unwrap();
    let mut array = |name: &str| archive.array(name, |_| Ok(())).unwrap();
    let photo = picture(array("picture"));
    for (case, style) in cases {
        let map = array(&format!("{case}.map"));
        let map = Heatmap::new(map.shape[0], map.shape[1], map.values).unwrap();
        let expected = picture(array(&format!("{case}.overlay")));
        let placement = Placement::whole(photo.width() as usize, photo.height() as usize);
        let drawn = compat_overlay(&photo, &map, &placement, style);
        let differences = || drawn.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b));
        let worst = differences().max().unwrap();
        let equal = differences().filter(|difference| *difference == 0).count() as f64 / drawn.len() as f64;
        println!("{library} {case}: worst {worst} levels, {:.2} % equal", equal * 100.0);
        assert!(worst == 0, "{library} {case}: worst {worst} levels, {equal} equal");
        assert_ne!(expected == photo, *case != "clear", "{library} {case} shows something");
    }
}

#[test]
fn eli5_overlays_are_pillows_to_the_bit() {
    let with = |change: fn(&mut Eli5)| {
        let mut style = Eli5::default();
        change(&mut style);
        CompatOverlay::Eli5(style)
    };
    let cases = [
        ("default", with(|_| {})),
        ("wide", with(|_| {})),
        ("shrunk", with(|_| {})),
        ("opaque", with(|style| (style.alpha_limit, style.colormap) = (1.0, Colormap::Cividis))),
        ("bicubic", with(|style| style.interpolation = Interpolation::Bicubic)),
        ("nearest", with(|style| style.interpolation = Interpolation::Nearest)),
        ("clear", with(|style| style.alpha_limit = 0.0)),
    ];
    agree("eli5", &cases);
}

#[test]
fn pytorch_grad_cam_overlays_agree() {
    let default = CompatOverlay::PytorchGradCam(PytorchGradCam::default());
    let weight = PytorchGradCam { image_weight: 0.3, ..PytorchGradCam::default() };
    let cases = [
        ("default", default),
        ("wide", default),
        ("shrunk", default),
        ("weight", CompatOverlay::PytorchGradCam(weight)),
    ];
    agree("pytorch-grad-cam", &cases);
}

#[test]
fn torchcam_overlays_agree() {
    let default = CompatOverlay::Torchcam(Torchcam::default());
    let alpha = CompatOverlay::Torchcam(Torchcam { alpha: 0.5, ..Torchcam::default() });
    agree("torchcam", &[("default", default), ("wide", default), ("shrunk", default), ("alpha", alpha)]);
}

#[test]
fn captum_overlays_agree() {
    let default = CompatOverlay::Captum(Captum::default());
    let of = |sign| CompatOverlay::Captum(Captum { sign, ..Captum::default() });
    let alpha = Captum { sign: CaptumSign::All, alpha: 0.7, outlier_percent: 10.0 };
    let cases = [
        ("default", default),
        ("wide", default),
        ("fine", default),
        ("all", of(CaptumSign::All)),
        ("positive", of(CaptumSign::Positive)),
        ("negative", of(CaptumSign::Negative)),
        ("alpha", CompatOverlay::Captum(alpha)),
    ];
    agree("captum", &cases);
}

#[test]
fn tf_keras_vis_overlays_agree() {
    agree("tf-keras-vis", &[("default", CompatOverlay::TfKerasVis(TfKerasVis::default()))]);
}

#[test]
fn xplique_overlays_agree() {
    let default = CompatOverlay::Xplique(Xplique::default());
    let jet = Xplique { colormap: Colormap::Jet, ..Xplique::default() };
    let clip = Xplique { clip_percentile: 5.0, alpha: 0.3, ..Xplique::default() };
    let cases = [
        ("default", default),
        ("jet", CompatOverlay::Xplique(jet)),
        ("shrunk", default),
        ("clip", CompatOverlay::Xplique(clip)),
    ];
    agree("xplique", &cases);
}
