//! What the mathematics says of methods, and no other library is needed for.

use burncam::{DeviceName, Library, Method, Method as M};
use burncam_engine::Network;

use super::networks::{Asked, SIDE, Sketch, doubled, gated, loaded, picture, plain, ranked};
use crate::support::{Made, card, distance, made, magnitude, seeded, tensor};

/// The signed map, as it is.
fn signed(network: &Network, method: Method, class: usize) -> Vec<f32> {
    Asked::new(method, class).but(|asked| asked.options.signed = true).map(network, &picture())
}

fn at_late(made: &Made) -> Network {
    loaded(made, &["late"], &DeviceName::default())
}

fn logit(network: &Network, input: &[f32], class: usize) -> f64 {
    f64::from(network.logits(input.to_vec()).unwrap()[class])
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

#[track_caller]
fn same(what: &str, found: &[f32], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
    let gap = distance(found, &expected) / magnitude(&expected);
    assert!(gap < 1e-5, "{what}: {gap:e}");
}

/// The two networks that end in a mean of 8x8 positions and a linear layer, without that layer's bias.
fn averaging() -> [Made; 2] {
    let silent = |values: &mut Vec<f32>| values.fill(0.0);
    [plain().with("fc.bias", silent).made("fc"), gated().with("fc.bias", silent).made("softmax")]
}

#[test]
fn four_methods_are_one_behind_a_mean_and_a_linear_layer() {
    for made in averaging() {
        let network = at_late(&made);
        for class in 0..2 {
            let cam = signed(&network, M::Cam, class);
            let of_cells = || cam.iter().map(|value| f64::from(*value) / 64.0);
            for method in [M::GradCam, M::HiResCam, M::XGradCam, M::ShapleyCam] {
                same(method.info().name, &signed(&network, method, class), of_cells());
            }
        }
    }
}

#[test]
fn maps_add_up_to_the_logit_without_its_bias() {
    for made in averaging() {
        let network = at_late(&made);
        for class in 0..2 {
            let whole = logit(&network, &picture(), class);
            for method in [M::HiResCam, M::XGradCam, M::GradCam] {
                let found = sum(&signed(&network, method, class));
                assert!((found - whole).abs() < 1e-5 * whole.abs().max(1.0), "{found} of {whole}");
            }
        }
    }
}

#[test]
fn xgrad_cam_and_hires_cam_add_up_to_the_same_anywhere() {
    let made = super::networks::dense().made("fc");
    for layer in ["early", "late"] {
        let network = loaded(&made, &[layer], &DeviceName::default());
        let (a, b) = (signed(&network, M::XGradCam, 1), signed(&network, M::HiResCam, 1));
        assert!(distance(&a, &b) > 0.01 * magnitude(&a), "the maps are the same");
        assert!((sum(&a) - sum(&b)).abs() < 1e-5 * sum(&b).abs().max(1.0));
    }
}

#[test]
fn ablation_weighs_a_channel_by_what_it_adds_to_the_logit() {
    // y = sum_k w_k mean(A_k), so without channel k it is less by w_k mean(A_k).
    for made in averaging() {
        let network = at_late(&made);
        let trunk = network.trunk(picture()).unwrap();
        let activations = network.activations(&trunk).unwrap();
        let channels = || activations.values.chunks(64);
        for class in 0..2 {
            let weights = network.classifier_weights(0, class).unwrap().unwrap();
            let whole = logit(&network, &picture(), class).abs();
            let shares: Vec<f64> =
                channels().zip(&weights).map(|(a, w)| f64::from(*w) * sum(a) / 64.0 / whole).collect();
            let cell = |at: usize| channels().zip(&shares).map(|(a, share)| share * f64::from(a[at])).sum();
            same("ablationcam", &signed(&network, M::AblationCam, class), (0..64).map(cell));
        }
    }
}

#[test]
fn recipro_cam_is_hires_cam_above_its_least_behind_a_mean() {
    // One position alone gives y_ij = sum_k w_k A_ij / 64; the bias goes with the least.
    for made in [plain().made("fc"), gated().made("softmax")] {
        let network = at_late(&made);
        for class in 0..2 {
            let hires = signed(&network, M::HiResCam, class);
            let least = hires.iter().copied().fold(f32::INFINITY, f32::min);
            let expected = hires.iter().map(|value| f64::from(*value) - f64::from(least));
            same("reciprocam", &signed(&network, M::ReciproCam, class), expected);
        }
    }
}

#[test]
fn vit_recipro_cam_is_hires_cam_blurred_above_its_least_behind_a_mean() {
    // The head is linear, so a soft mask gives the mean of the scores of its positions, weighted as they are.
    let network = at_late(&plain().made("fc"));
    let hires = signed(&network, M::HiResCam, 0);
    let weight = [1.0, 2.0, 1.0];
    let blurred = |at: usize| -> f64 {
        let (row, column) = ((at / 8) as i64, (at % 8) as i64);
        let around = (-1..2_i64).flat_map(|down| (-1..2_i64).map(move |across| (down, across)));
        around
            .filter(|(down, across)| (0..8).contains(&(row + down)) && (0..8).contains(&(column + across)))
            .map(|(down, across)| {
                let share = weight[(down + 1) as usize] * weight[(across + 1) as usize] / 16.0;
                share * f64::from(hires[((row + down) * 8 + column + across) as usize])
            })
            .sum()
    };
    let blurred: Vec<f64> = (0..64).map(blurred).collect();
    let least = blurred.iter().copied().fold(f64::INFINITY, f64::min);
    let expected = blurred.iter().map(|value| value - least);
    same("vitreciprocam", &signed(&network, M::VitReciproCam, 0), expected);
}

#[test]
fn of_one_channel_the_one_that_varies_most_is_taken() {
    let network = at_late(&plain().made("fc"));
    let activations = network.activations(&network.trunk(picture()).unwrap()).unwrap();
    let variance = |channel: &[f32]| {
        let mean = sum(channel) / 64.0;
        channel.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>()
    };
    let channels: Vec<&[f32]> = activations.values.chunks(64).collect();
    let most = (0..8).max_by(|a, b| variance(channels[*a]).total_cmp(&variance(channels[*b]))).unwrap();
    let limited = |method, channels| {
        Asked::new(method, 0)
            .but(|asked| (asked.options.signed, asked.options.channels) = (true, Some(channels)))
            .map(&network, &picture())
    };
    // The softmax of one score is one.
    for method in [M::ScoreCam, M::SsCam, M::IsCam] {
        let expected = channels[most].iter().map(|value| f64::from(*value));
        same(method.info().name, &limited(method, 1), expected);
    }
    let weights = network.classifier_weights(0, 0).unwrap().unwrap();
    let share = f64::from(weights[most]) * sum(channels[most]) / 64.0 / logit(&network, &picture(), 0).abs();
    let expected = channels[most].iter().map(|value| share * f64::from(*value));
    same("ablationcam", &limited(M::AblationCam, 1), expected);
    for method in [M::ScoreCam, M::SsCam, M::IsCam, M::AblationCam] {
        assert_eq!(limited(method, 8), signed(&network, method, 0), "{}", method.info().name);
    }
}

#[test]
fn score_cam_of_equal_channels_is_the_channel() {
    // The weights of all channels are those of a softmax, which sum to one.
    let copied = |values: &mut Vec<f32>| {
        let first = values[..values.len() / 8].to_vec();
        *values = first.repeat(8);
    };
    let made = plain().with("c2.weight", copied).with("c2.bias", copied).made("fc");
    let network = at_late(&made);
    let activations = network.activations(&network.trunk(picture()).unwrap()).unwrap();
    for method in [M::ScoreCam, M::SsCam, M::IsCam] {
        let channel = activations.values[..64].iter().map(|value| f64::from(*value));
        same(method.info().name, &signed(&network, method, 0), channel);
    }
}

#[test]
fn eigen_cam_of_one_pattern_is_the_pattern() {
    // One channel is alive: A = p in it. Centred, the first component is p less its mean, with the sign of p.
    let one = |values: &mut Vec<f32>| {
        let share = values.len() / 8;
        values[share..].fill(0.0);
    };
    let made = plain().with("c2.weight", one).with("c2.bias", one).made("fc");
    let network = at_late(&made);
    let activations = network.activations(&network.trunk(picture()).unwrap()).unwrap();
    let pattern = &activations.values[..64];
    let mean = sum(pattern) / 64.0;
    assert!(magnitude(pattern) > 0.0);
    let expected = pattern.iter().map(|value| f64::from(*value) - mean);
    same("eigencam", &signed(&network, M::EigenCam, 0), expected);
}

#[test]
fn integrated_gradients_add_up_to_the_rise_of_the_score() {
    // Fifty points integrate what is smooth to the last digits of f32, and kinks of ReLUs to a hundredth.
    let smooth = gated().made("softmax");
    let kinked = plain().made("fc");
    for (made, allowed) in [(smooth, 1e-5), (kinked, 1e-2)] {
        let network = loaded(&made, &[], &DeviceName::default());
        for class in 0..3 {
            let asked = Asked::new(M::IntegratedGradients, class).but(|asked| {
                asked.options.samples = None;
                asked.options.signed = true;
            });
            let found = sum(&asked.map(&network, &picture()));
            let nothing = vec![0.0; picture().len()];
            let rise = logit(&network, &picture(), class) - logit(&network, &nothing, class);
            assert!((found - rise).abs() < allowed * rise.abs().max(1.0), "{found} for a rise of {rise}");
        }
    }
}

#[test]
fn gradient_methods_are_exact_for_a_linear_network() {
    // y = <w, x> + b: input times gradient and integrated gradients are w x, pixel by pixel, the gradient is w.
    let weights: Vec<f32> =
        (0..3 * SIDE * SIDE * 2).map(|at| ((at * 37 % 101) as f32 - 50.0) / 50.0).collect();
    let made = Sketch::default()
        .op("flat", "flatten", &["input"], "")
        .linear("fc", "flat", [3 * SIDE * SIDE, 2])
        .with("fc.weight", |values| values.copy_from_slice(&weights))
        .made("fc");
    let network = loaded(&made, &[], &DeviceName::default());
    let input = picture();
    let cells = SIDE * SIDE;
    let of_colours = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..cells).map(|cell| (0..3).map(|colour| value(colour * cells + cell)).sum()).collect()
    };
    let weight = |at: usize| f64::from(weights[at * 2 + 1]);
    let products = of_colours(&|at| weight(at) * f64::from(input[at]));
    for method in [M::InputXGradient, M::IntegratedGradients] {
        same(method.info().name, &signed(&network, method, 1), products.clone());
    }
    for method in [M::Gradient, M::SmoothGrad] {
        same(method.info().name, &signed(&network, method, 1), of_colours(&weight));
        let unsigned = Asked::new(method, 1).map(&network, &input);
        let greatest = |cell: usize| (0..3).map(|c| weight(c * cells + cell).abs()).fold(0.0, f64::max);
        same(method.info().name, &unsigned, (0..cells).map(greatest));
    }
    // Each square removes its contents.
    let occlusion = Asked::new(M::Occlusion, 1).but(|asked| {
        asked.options.signed = true;
        asked.options.patch = Some(4);
        asked.options.stride = Some(4);
    });
    let square = |cell: usize| {
        let (top, left) = (cell / SIDE / 4 * 4, cell % SIDE / 4 * 4);
        (0..16).map(|at| products[(top + at / 4) * SIDE + left + at % 4]).sum::<f64>()
    };
    same("occlusion", &occlusion.map(&network, &input), (0..cells).map(square));
    // captum gives that to each of three colours, and its pictures sum them.
    let summed = occlusion.but(|asked| {
        asked.options.signed = false;
        asked.options.library = Some(Library::Captum);
    });
    same("occlusion of captum", &summed.map(&network, &input), (0..cells).map(|cell| 3.0 * square(cell)));
}

/// A network whose logit is one pixel's colours, and that pixel.
fn of_one_pixel() -> (Made, usize) {
    let pixel = 5 * SIDE + 9;
    let only = move |values: &mut Vec<f32>| {
        values.fill(0.0);
        (0..3).for_each(|colour| values[colour * SIDE * SIDE + pixel] = 1.0);
    };
    let sketch = Sketch::default().op("flat", "flatten", &["input"], "");
    (sketch.linear("fc", "flat", [3 * SIDE * SIDE, 1]).with("fc.weight", only).made("fc"), pixel)
}

#[test]
fn occlusion_and_rise_find_the_one_pixel_that_counts() {
    let (made, pixel) = of_one_pixel();
    let network = loaded(&made, &[], &DeviceName::default());
    let input = vec![0.5; 3 * SIDE * SIDE];
    let (row, column) = (pixel / SIDE, pixel % SIDE);
    let occlusion = Asked::new(M::Occlusion, 0).but(|asked| asked.options.patch = Some(4)).but(|asked| {
        asked.options.stride = Some(4);
    });
    for (at, value) in occlusion.map(&network, &input).into_iter().enumerate() {
        let inside = at / SIDE / 4 == row / 4 && at % SIDE / 4 == column / 4;
        assert_eq!(value > 0.0, inside, "pixel {at}: {value}");
    }
    let rise = Asked::new(M::Rise, 0).but(|asked| asked.options.samples = Some(2000));
    let map = rise.map(&network, &input);
    let hottest = (0..map.len()).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
    // A cell of its masks is three pixels wide.
    let far = (hottest / SIDE).abs_diff(row).max((hottest % SIDE).abs_diff(column));
    assert!(far <= 1, "the hottest pixel is {far} pixels off");
    let elsewhere = map.iter().enumerate().filter(|(at, _)| (at / SIDE).abs_diff(row) > 6);
    assert!(elsewhere.map(|(_, value)| *value).fold(0.0, f32::max) < 0.3 * map[hottest]);
}

#[test]
fn finer_cam_takes_the_nearest_classes_off() {
    // Behind a mean and a linear layer maps are linear in the score: L_c - 0.6 mean_d L_d.
    for made in averaging() {
        let network = at_late(&made);
        let logits = network.logits(picture()).unwrap();
        let class = ranked(&network, &picture())[1];
        let mut rivals: Vec<usize> = (0..logits.len()).filter(|other| *other != class).collect();
        rivals.sort_by(|a, b| {
            (logits[*a] - logits[class]).abs().total_cmp(&(logits[*b] - logits[class]).abs())
        });
        let own = signed(&network, M::GradCam, class);
        let others: Vec<Vec<f32>> =
            rivals[..3].iter().map(|rival| signed(&network, M::GradCam, *rival)).collect();
        let expected = (0..64).map(|at| {
            let mean = others.iter().map(|map| f64::from(map[at])).sum::<f64>() / 3.0;
            f64::from(own[at]) - 0.6 * mean
        });
        same("finercam", &signed(&network, M::FinerCam, class), expected);
    }
}

#[test]
fn guided_grad_cam_is_guided_backpropagation_times_grad_cam() {
    let network = at_late(&plain().made("fc"));
    let class = ranked(&network, &picture())[0];
    let map = |method| Asked::new(method, class).map(&network, &picture());
    let coarse = doubled(&map(M::GradCam));
    let products = map(M::GuidedBackprop).into_iter().zip(coarse).map(|(a, b)| f64::from(a) * f64::from(b));
    same("guidedgradcam", &map(M::GuidedGradCam), products);
}

#[test]
fn the_regions_of_xrai_add_up_to_what_sets_the_picture_apart_from_black_and_white() {
    // Of one colour nothing is lost to the maximum over colours, and regions only move attribution.
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "w" } },
        { "name": "silu", "op": "silu", "inputs": ["conv"] },
        { "name": "flat", "op": "flatten", "inputs": ["silu"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "v" } }"#;
    let tensors = [("w", vec![2, 1, 3, 3]), ("v", vec![2 * 18 * 22, 2])]
        .map(|(name, shape)| tensor(name, &shape, &seeded(&format!("{name}.weight"), &shape)));
    let made = made(&card(20, 24, nodes, "fc"), tensors.into());
    let network = loaded(&made, &[], &DeviceName::default());
    let picture: Vec<f32> = seeded("xrai.input", &[20 * 24]).iter().map(|value| 0.5 + value / 4.0).collect();
    let logit = |input: Vec<f32>| network.logits(input).unwrap()[1];
    let expected = logit(picture.clone()) - (logit(vec![0.0; 480]) + logit(vec![1.0; 480])) / 2.0;
    let asked = Asked::new(Method::Xrai, 1).but(|asked| {
        asked.options.signed = true;
        asked.options.samples = Some(20);
    });
    let sum: f32 = asked.map(&network, &picture).iter().sum();
    assert!((sum - expected).abs() < 1e-4 * expected.abs().max(1.0), "{sum} {expected}");
}
