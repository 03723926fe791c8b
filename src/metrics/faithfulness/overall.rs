//! Several properties of a map in one figure: ADCC and ARCC, and the parts that they are made of.

use crate::convention::Convention;
use crate::map::Map;
use crate::similarity::pearson;

/// How much a map stays the same when the picture is multiplied by it and explained again: `(r + 1) / 2` of Pearson's `r` between the two
/// maps (Poppi et al. 2021, arXiv:2104.10252, eq. 2). From 0 to 1, higher is better.
///
/// `None` for maps of different sizes and where one of them is constant; pytorch-grad-cam has 0.5 for a constant one, for which it takes
/// `r` as 0. (Its `1e-8` in the denominator is left out: it changes figures by less than 1e-6.)
#[must_use]
pub fn coherency(map: &Map, again: &Map, convention: Convention) -> Option<f64> {
    let is_same_size = map.height() == again.height() && map.width() == again.width();
    let found = match convention {
        Convention::PytorchGradCam if is_same_size => pearson(map, again).or(Some(0.0)),
        _ => pearson(map, again),
    };
    found.map(|correlation| (correlation + 1.0) / 2.0)
}

/// Mean absolute value of a map from 0 to 1, the L1 norm of the same paper (eq. 3). Lower is better: less of the picture is marked.
///
/// It is not Bhatt's complexity, which is an [`entropy`](crate::entropy).
#[must_use]
pub fn mean_size(map: &Map) -> f64 {
    map.values().iter().map(|value| f64::from(value.abs())).sum::<f64>() / map.values().len() as f64
}

/// The harmonic mean of coherency, 1 - complexity and 1 - drop (Poppi et al. 2021, eq. 4). From 0 to 1, higher is better.
///
/// Complexity is the map's [`mean_size`], the drop is [`Masked::drop`](crate::Masked::drop), as a fraction. `None` where one is not from
/// 0 to 1.
#[must_use]
pub fn adcc(coherency: f64, complexity: f64, drop: f64) -> Option<f64> {
    harmonic_mean([coherency, 1.0 - complexity, 1.0 - drop], 0.0)
}

/// The harmonic mean of coherency, 1 - complexity and twice [`Road::combined`](crate::Road::combined), the latter limited to 0 to 1
/// (arXiv:2605.14641). From 0 to 1, higher is better; 0 where ROAD is not positive. The paper has ROAD at 20, 40, 60 and 80 per cent.
///
/// pytorch-grad-cam adds `1e-8` to each part. `None` where coherency or complexity is not from 0 to 1.
#[must_use]
pub fn arcc(coherency: f64, complexity: f64, road: f64, convention: Convention) -> Option<f64> {
    let constant = if convention == Convention::PytorchGradCam { 1e-8 } else { 0.0 };
    harmonic_mean([coherency, 1.0 - complexity, (2.0 * road).clamp(0.0, 1.0)], constant)
}

/// The harmonic mean of shares, `constant` added to each in its reciprocal. One of 0 makes it 0.
fn harmonic_mean(shares: [f64; 3], constant: f64) -> Option<f64> {
    let are_shares = shares.iter().all(|share| (0.0..=1.0).contains(share));
    are_shares.then(|| 3.0 / shares.iter().map(|share| 1.0 / (share + constant)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: [f32; 4]) -> Map {
        Map::new(2, 2, values.to_vec()).unwrap()
    }

    #[track_caller]
    fn assert_near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?}, expected {expected}");
    }

    #[test]
    fn coherency_is_that_of_pytorch_grad_cam() {
        let [a, b, c] = [[0.0, 0.25, 0.5, 1.0], [0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 0.0]].map(map);
        for convention in [Convention::Paper, Convention::PytorchGradCam] {
            assert_near(coherency(&a, &a, convention), 1.0);
            assert_near(coherency(&a, &b, convention), (0.885_714_2 + 1.0) / 2.0);
            assert_near(coherency(&a, &b, convention), 0.942_857_1);
            assert_near(coherency(&a, &c, convention), 0.028_571_5);
        }
        let constant = map([0.5; 4]);
        assert_near(coherency(&a, &constant, Convention::PytorchGradCam), 0.5);
        assert_eq!(coherency(&a, &constant, Convention::Paper), None);
        let other = Map::new(1, 2, vec![0.0, 1.0]).unwrap();
        assert_eq!(coherency(&a, &other, Convention::PytorchGradCam), None);
    }

    #[test]
    fn mean_size_is_the_complexity_of_pytorch_grad_cam() {
        assert_eq!(mean_size(&map([1.0, 0.0, 0.0, 0.5])), 0.375);
        assert_eq!(mean_size(&map([-1.0, 0.0, 0.0, 0.5])), 0.375);
    }

    #[test]
    fn arcc_is_harmonic_and_that_of_pytorch_grad_cam() {
        for convention in [Convention::Paper, Convention::PytorchGradCam] {
            assert_near(arcc(0.9, 0.25, 0.2, convention), 0.606_741_6);
            assert_near(arcc(1.0, 0.0, 0.5, convention), 1.0);
            assert_near(arcc(1.0, 0.0, 0.9, convention), 1.0);
        }
        assert!((arcc(0.9, 0.25, -0.1, Convention::PytorchGradCam).unwrap() - 3e-8).abs() < 1e-12);
        assert_eq!(arcc(0.9, 0.25, -0.1, Convention::Paper), Some(0.0));
        assert_eq!(arcc(0.9, 1.5, 0.2, Convention::Paper), None);
    }

    #[test]
    fn adcc_is_one_for_a_perfect_map_and_zero_where_a_part_is_nothing() {
        assert_near(adcc(1.0, 0.0, 0.0), 1.0);
        assert_eq!(adcc(1.0, 0.5, 1.0), Some(0.0));
        // 3 / (1 / 0.9 + 1 / 0.75 + 1 / 0.4), as with ROAD in the place of the drop.
        assert_near(adcc(0.9, 0.25, 0.6), 0.606_741_6);
        assert_eq!(adcc(0.9, 0.25, -0.1), None);
    }

    #[test]
    fn arcc_of_the_shapes_is_that_of_pytorch_grad_cam() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cases/shapes/metrics.json");
        let text = std::fs::read_to_string(path).unwrap();
        let methods: serde_json::Value = serde_json::from_str(&text).unwrap();
        let pictures: Vec<_> =
            methods.as_object().unwrap().values().flat_map(|all| all.as_array().unwrap()).collect();
        assert_eq!(pictures.len(), 48);
        for picture in pictures {
            let [coherency, complexity, road, expected] =
                ["coherency", "complexity", "road", "arcc"].map(|name| picture[name].as_f64().unwrap());
            assert_near(arcc(coherency, complexity, road, Convention::PytorchGradCam), expected);
        }
    }
}
