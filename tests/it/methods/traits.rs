//! What definitions say of methods, held against what the methods do.

use burncam::internal::Scene;
use burncam::{Method as M, Reads};

use super::networks::{Asked, everywhere, picture};

/// Another value of an option than [`Asked::new`] has.
fn changed(asked: &Asked, option: Reads) -> Asked {
    asked.but(|asked| {
        let options = &mut asked.options;
        match option {
            Reads::Samples => options.samples = Some(5),
            Reads::Noise => options.noise = Some(0.4),
            Reads::Patch => options.patch = Some(4),
            Reads::Stride => options.stride = Some(2),
            Reads::Channels => options.channels = Some(3),
            Reads::Seed => options.seed = 7,
            Reads::BatchSize => options.batch_size = 3,
            Reads::Rollout => options.rollout = Some("max".parse().unwrap()),
            Reads::Composite => options.composite = Some("epsilon".parse().unwrap()),
            other => panic!("{} is not tested", other.name()),
        }
    })
}

#[test]
fn options_change_the_maps_of_methods_that_read_them_and_no_others() {
    everywhere(|what, network, asked, _| {
        // Squares of three, so that there is room for other steps.
        let asked = asked.but(|asked| asked.options.patch = (asked.method == M::Occlusion).then_some(3));
        let map = |asked: &Asked| {
            let input = picture();
            asked.of(&mut Scene::new(network, &input).unwrap()).unwrap()
        };
        let before = map(&asked);
        for option in Reads::ALL.iter().filter(|option| **option != Reads::BatchSize) {
            let in_vain = match asked.method {
                // Behind a mean the gradient of a logit is the same for every picture, with noise and without.
                M::SmoothGradCamPlusPlus => !what.ends_with("dense"),
                // No convolution is behind these layers, and linear layers have one rule in every composite.
                M::LayerLrp => true,
                _ => false,
            };
            let differs = map(&changed(&asked, *option)) != before;
            let reads = asked.method.reads(*option) && !in_vain;
            assert_eq!(differs, reads, "{what}: {}", option.name());
        }
    });
}
