//! Single deletion: each part of the picture removed alone, and whether the map ranks the parts as the drops of the score do.

use burncam_graph::error::{Error, Problem};

use super::baseline::Baseline;
use super::picture::Picture;
use crate::map::Map;
use crate::scorer::Scorer;
use crate::similarity::rank_correlation;

/// Relevance and effect of each part.
///
/// Spearman's correlation between the sum of a map in each patch of a grid, patches not overlapping, and the drop of the score when
/// this patch alone is removed (Hesse, Schaub-Meyer and Roth 2024, *Benchmarking the Attribution Quality of Vision Models*,
/// arXiv:2407.11910, figure 1). From -1 to 1, higher is better.
///
/// The paper first fine-tunes the network on pictures without patches, so that these are in its domain, and calls the result the in-domain
/// single deletion score (IDSDS). This is the same without fine-tuning, which its code calls the single deletion score: part of each drop
/// may come from the hole itself. The paper has 4 by 4 patches, zeros in their place, and the logit as the score.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleDeletion {
    /// The sum of the map in each patch, row by row.
    pub relevances: Vec<f64>,
    /// The drop of the score without it; negative where the score rose.
    pub drops: Vec<f64>,
    /// Spearman's rank correlation of the two; `None` where one of them is constant.
    pub correlation: Option<f64>,
}

impl SingleDeletion {
    /// Removes each patch of a grid of `side` by `side`. Where that does not divide the picture, patches differ by one pixel.
    ///
    /// # Errors
    ///
    /// When the map has another size, the grid has fewer than 2 or more patches along a side than pixels, and what the scorer reports.
    pub fn new(
        picture: &Picture,
        map: &Map,
        side: usize,
        baseline: Baseline,
        scorer: &mut dyn Scorer,
    ) -> Result<Self, Error> {
        picture.check(map)?;
        let [_, height, width] = picture.shape();
        if side < 2 || side > height.min(width) {
            let problem = Problem::new("grid of patches does not fit the picture").found(side.to_string());
            return Err(problem.expected(format!("2 to {} patches along a side", height.min(width))).into());
        }
        let replaced = baseline.of(picture);
        let patches: Vec<Vec<usize>> =
            (0..side * side).map(|patch| pixels(patch, side, height, width)).collect();
        let scores = picture.scores(scorer, patches.len(), |index, values| {
            for channel in 0..picture.shape()[0] {
                let first = channel * picture.pixels();
                patches[index].iter().for_each(|pixel| values[first + pixel] = replaced[first + pixel]);
            }
        })?;
        let sum = |patch: &Vec<usize>| patch.iter().map(|pixel| f64::from(map.values()[*pixel])).sum();
        let relevances: Vec<f64> = patches.iter().map(sum).collect();
        let drops: Vec<f64> = scores.iter().map(|score| picture.score() - score).collect();
        let correlation = rank_correlation(&relevances, &drops);
        Ok(Self { relevances, drops, correlation })
    }
}

/// Indices of a patch's pixels.
fn pixels(patch: usize, side: usize, height: usize, width: usize) -> Vec<usize> {
    let range = |place: usize, length: usize| place * length / side..(place + 1) * length / side;
    let columns = range(patch % side, width);
    range(patch / side, height)
        .flat_map(|row| columns.clone().map(move |column| row * width + column))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: [f64; 16] =
        [4.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -3.0];

    fn linear(input: &[f32]) -> f64 {
        WEIGHTS.iter().zip(input).map(|(weight, value)| weight * f64::from(*value)).sum()
    }

    fn deletion(map: [f32; 16], side: usize) -> Result<SingleDeletion, Error> {
        let picture = Picture::new([1, 4, 4], vec![1.0; 16], vec![0.0], &mut linear).unwrap();
        let map = Map::new(4, 4, map.to_vec()).unwrap();
        SingleDeletion::new(&picture, &map, side, Baseline::Zero, &mut linear)
    }

    #[test]
    fn the_best_map_of_a_linear_network_is_its_products() {
        let found = deletion(WEIGHTS.map(|weight| weight as f32), 2).unwrap();
        assert_eq!(found.drops, [4.0, 2.0, 1.0, -3.0]);
        assert_eq!(found.relevances, found.drops);
        assert_eq!(found.correlation, Some(1.0));
    }

    #[test]
    fn ranks_count_and_not_sizes() {
        let mut map = [0.0; 16];
        (map[5], map[6], map[12], map[15]) = (0.1, 0.3, 0.2, 0.0);
        let found = deletion(map, 2).unwrap();
        // Ranks 2 4 3 1 against 4 3 2 1: 1 - 6 (4 + 1 + 1) / (4 * 15).
        assert!((found.correlation.unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(deletion([0.5; 16], 2).unwrap().correlation, None);
    }

    #[test]
    fn a_patch_goes_from_all_channels() {
        let mut sum = |input: &[f32]| input.iter().map(|value| f64::from(*value)).sum();
        let values = vec![1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0];
        let picture = Picture::new([2, 2, 2], values, vec![0.0; 2], &mut sum).unwrap();
        let map = Map::new(2, 2, vec![0.1, 0.2, 0.3, 0.4]).unwrap();
        let found = SingleDeletion::new(&picture, &map, 2, Baseline::Zero, &mut sum).unwrap();
        assert_eq!(found.drops, [11.0, 22.0, 33.0, 44.0]);
    }

    #[test]
    fn patches_cover_each_pixel_once() {
        let mut all: Vec<usize> = (0..9).flat_map(|patch| pixels(patch, 3, 5, 7)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..35).collect::<Vec<_>>());
    }

    #[test]
    fn a_grid_that_does_not_fit_is_refused() {
        for side in [0, 1, 5] {
            let expected = format!(
                "grid of patches does not fit the picture, expected 2 to 4 patches along a side, got {side}"
            );
            assert_eq!(deletion([0.0; 16], side).unwrap_err().to_string(), expected);
        }
    }
}
