//! XRAI.
//!
//! Kapishnikov et al., "XRAI: Better Attributions Through Regions", ICCV 2019, arXiv:1906.02825, algorithm 1: integrated gradients
//! from black and from white, and of overlapping regions of the picture always the one that adds the densest attribution.
//!
//! ```text
//! a_ij  = max_colour  mean of  (x - b) int_0^1 dy^c/dx(b + t (x - b)) dt  over the baselines b: the least and the greatest input
//! S     = segments at six scales (Felzenszwalb and Huttenlocher), each widened by five pixels
//! M     = on the pixels that S_n adds to S_1 .. S_n-1 the mean of a over them; S_n has the greatest mean of all that are left
//! ```
//!
//! The maximum over colours, the scales and the sizes are those of the authors' library, saliency. That resizes the picture to 224 x 224
//! before it is divided; here the smallest segment has the same share of the picture instead.

use super::integrated_gradients::gauss_legendre;
use crate::cam::definition::{Definition, MethodInfo, PixelMaps, Reads, Run, Traits};
use crate::cam::pixels;
use crate::cam::question::Question;
use crate::cam::segments::{segments, smoothed};
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "xrai",
        title: "XRAI",
        summary: "regions of the picture by their integrated gradients",
        formula: "mean of integrated gradients over each region",
        paper: "Kapishnikov et al., ICCV 2019, arXiv:1906.02825",
        cost: "2 N forwards and backwards (N = 50)",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits { reads: &[Reads::Samples, Reads::BatchSize], ..Traits::PLAIN },
};

/// Points on each path, as for integrated gradients.
const STEPS: usize = 50;

/// How much segments may differ inside, in the 255ths that the authors of the segmentation count in.
const SCALES: [f64; 6] = [50.0, 100.0, 150.0, 250.0, 500.0, 1200.0];

/// Pixels of the smallest segment of a picture of 224 x 224.
const LEAST: f64 = 150.0;

/// Pixels by which a region goes beyond its segment, so that it has the edges that the segment ends at.
const MARGIN: isize = 5;

/// A region that adds fewer pixels is left out.
const FEWEST: usize = 50;

fn maps(question: &Question) -> Result<PixelMaps> {
    let regions = regions(question.values(), question.network().input());
    let attributions = attributions(question)?;
    let ranked = |attribution: &Vec<f64>| {
        let map = ranked(attribution, &regions);
        map.into_iter().map(|density| density as f32).collect()
    };
    Ok(attributions.iter().map(ranked).collect())
}

/// For each class integrated gradients from both baselines, `[height, width]`.
fn attributions(question: &Question) -> Result<Vec<Vec<f64>>> {
    let (values, cells) = (question.values(), question.network().input()[1] * question.network().input()[2]);
    let points = gauss_legendre(question.options.samples_or(STEPS));
    let baseline = |end: usize, at: usize| question.network().bounds[end][at / cells];
    let on_the_way = |at: usize| {
        let (end, t) = (at / points.len(), points[at % points.len()].0 as f32);
        let place = |(at, value): (usize, &f32)| baseline(end, at) + t * (value - baseline(end, at));
        values.iter().enumerate().map(place).collect()
    };
    // One pass for the gradients from black and one for those from white.
    let of_end = |end: usize| {
        let first = end * points.len();
        pixels::weighted_gradients(question, points.len(), |at| on_the_way(first + at), |at| points[at].1)
    };
    let (black, white) = (of_end(0)?, of_end(1)?);
    let of_class = |(black, white): (&Vec<f32>, &Vec<f32>)| {
        let value = |at: usize| {
            let part = |end: usize, mean: f32| f64::from(values[at] - baseline(end, at)) * f64::from(mean);
            (part(0, black[at]) + part(1, white[at])) / 2.0
        };
        let greatest = |cell: usize| (cell..values.len()).step_by(cells).map(value).fold(f64::MIN, f64::max);
        (0..cells).map(greatest).collect()
    };
    Ok(black.iter().zip(&white).map(of_class).collect())
}

/// Overlapping regions of a picture.
struct Regions {
    /// The pixels of each.
    pixels: Vec<Vec<usize>>,
    /// The regions of each pixel.
    of_pixels: Vec<Vec<usize>>,
}

/// The regions of the network's input.
fn regions(values: &[f32], size: [usize; 3]) -> Regions {
    let [_, height, width] = size;
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let range = f64::from(pixels::range(values)).max(f64::MIN_POSITIVE);
    // From -1 to 1, as in the authors' library: the scales are relative to it.
    let picture: Vec<f64> = values.iter().map(|value| f64::from(value - least) / range * 2.0 - 1.0).collect();
    let picture = smoothed(&picture, size);
    let smallest = (LEAST * (height * width) as f64 / (224.0 * 224.0)).round() as usize;
    let labels = SCALES.map(|scale| segments(&picture, size, scale / 255.0, smallest));
    widened(&labels, [height, width])
}

/// All segments, each with the pixels around it.
fn widened(labels: &[Vec<usize>], [height, width]: [usize; 2]) -> Regions {
    let disc: Vec<(isize, isize)> = (-MARGIN..=MARGIN)
        .flat_map(|down| (-MARGIN..=MARGIN).map(move |right| (down, right)))
        .filter(|(down, right)| down * down + right * right <= MARGIN * MARGIN)
        .collect();
    let mut pixels: Vec<Vec<usize>> = Vec::new();
    let mut of_pixels = vec![Vec::new(); height * width];
    for labels in labels {
        let first = pixels.len();
        pixels.resize(first + labels.iter().max().map_or(0, |most| most + 1), vec![]);
        for (at, own) in of_pixels.iter_mut().enumerate() {
            let before = own.len();
            for (down, right) in &disc {
                let row = (at / width).checked_add_signed(*down).filter(|row| *row < height);
                let column = (at % width).checked_add_signed(*right).filter(|column| *column < width);
                let Some((row, column)) = row.zip(column) else { continue };
                let region = first + labels[row * width + column];
                if !own[before..].contains(&region) {
                    own.push(region);
                    pixels[region].push(at);
                }
            }
        }
    }
    Regions { pixels, of_pixels }
}

/// The density of attribution that each pixel's region had when it was taken.
fn ranked(attribution: &[f64], regions: &Regions) -> Vec<f64> {
    // Of each region the sum and the number of pixels that no other has yet.
    let sum = |pixels: &Vec<usize>| pixels.iter().map(|at| attribution[*at]).sum::<f64>();
    let mut left: Vec<(f64, usize)> =
        regions.pixels.iter().map(|pixels| (sum(pixels), pixels.len())).collect();
    let mut map: Vec<Option<f64>> = vec![None; attribution.len()];
    loop {
        let open = left.iter().enumerate().filter(|(_, (_, count))| *count >= FEWEST);
        let densities = open.map(|(region, (sum, count))| (region, sum / *count as f64));
        // The first of equals.
        let densest = densities.reduce(|best, other| if other.1 > best.1 { other } else { best });
        let Some((region, density)) = densest else { break };
        for &at in &regions.pixels[region] {
            if map[at].is_none() {
                map[at] = Some(density);
                for other in &regions.of_pixels[at] {
                    left[*other].0 -= attribution[at];
                    left[*other].1 -= 1;
                }
            }
        }
    }
    let rest: Vec<f64> =
        map.iter().zip(attribution).filter(|(taken, _)| taken.is_none()).map(|(_, a)| *a).collect();
    let mean = rest.iter().sum::<f64>() / rest.len().max(1) as f64;
    map.into_iter().map(|density| density.unwrap_or(mean)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(name: &str) -> Vec<f32> {
        let path = format!("{}/fixtures/xrai/{name}.npy", env!("CARGO_MANIFEST_DIR"));
        npyz::NpyFile::new(&std::fs::read(path).unwrap()[..]).unwrap().into_vec().unwrap()
    }

    /// scikit-image's segments of the picture, `[scales][height, width]`.
    fn labels() -> Vec<Vec<usize>> {
        let path = format!("{}/fixtures/xrai/labels.npy", env!("CARGO_MANIFEST_DIR"));
        let labels = npyz::NpyFile::new(&std::fs::read(path).unwrap()[..]).unwrap().into_vec::<u8>().unwrap();
        labels
            .chunks(72 * 96)
            .map(|labels| labels.iter().map(|label| usize::from(*label)).collect())
            .collect()
    }

    #[test]
    fn regions_are_ranked_as_by_the_authors_library() {
        let attribution: Vec<f64> = floats("attribution").into_iter().map(f64::from).collect();
        let found = ranked(&attribution, &widened(&labels(), [72, 96]));
        let expected = floats("map");
        let most = expected.iter().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
        let far = found.iter().zip(&expected).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max);
        assert!(far < 1e-6 * most, "{far} of {most}");
        // What is taken adds up: the map moves attribution and loses none.
        let sums = [found.iter().sum::<f64>(), attribution.iter().sum()];
        assert!((sums[0] - sums[1]).abs() < 1e-9 * attribution.len() as f64, "{sums:?}");
    }

    #[test]
    fn segments_are_those_of_scikit_image() {
        let image = floats("image");
        let (least, most) = image.iter().fold((1.0_f32, 0.0_f32), |(l, m), v| (l.min(*v), m.max(*v)));
        let span = |value: &f32| f64::from(value - least) / f64::from(most - least) * 2.0 - 1.0;
        let picture = smoothed(&image.iter().map(span).collect::<Vec<f64>>(), [3, 72, 96]);
        for (scale, expected) in SCALES.iter().zip(labels()) {
            let found = segments(&picture, [3, 72, 96], scale / 255.0, 21);
            // Each of ours stands for the one of theirs that most of its pixels are in.
            let theirs = expected.iter().max().unwrap() + 1;
            let mut counts = vec![vec![0_usize; theirs]; found.iter().max().unwrap() + 1];
            found.iter().zip(&expected).for_each(|(a, b)| counts[*a][*b] += 1);
            let same: usize = counts.iter().map(|row| row.iter().max().unwrap()).sum();
            assert_eq!((same, counts.len()), (found.len(), theirs), "{scale}");
        }
    }

    #[test]
    fn the_densest_region_comes_first_and_the_rest_has_its_mean_by_hand() {
        // In rows of 100 pixels 25 have 3, 25 have 1, and 50 nothing; the last of four rows is in no region.
        let attribution: Vec<f64> =
            (0..400).map(|at| if at % 100 < 25 { 3.0 } else { f64::from(at % 100 < 50) }).collect();
        let of = |columns: std::ops::Range<usize>| -> Vec<usize> {
            (0..300).filter(|at| columns.contains(&(at % 100))).collect()
        };
        let pixels = vec![of(0..50), of(0..25), of(50..100)];
        let of_pixels =
            (0..400).map(|at| (0..3).filter(|region| pixels[*region].contains(&at)).collect()).collect();
        let map = ranked(&attribution, &Regions { pixels, of_pixels });
        // The first quarter, then what is left of the half, then the other half; a mean of the last row.
        assert_eq!([map[0], map[24], map[25], map[49], map[50], map[99]], [3.0, 3.0, 1.0, 1.0, 0.0, 0.0]);
        assert!(map[300..].iter().all(|value| *value == 1.0), "{:?}", &map[300..]);
    }
}
