//! Figures of many pictures as one: mean, standard error, intervals, and two methods compared picture by picture.
//!
//! Receives one value per picture; pictures without one are left out, and counted, by the caller. Seeded: the same values give the same
//! intervals everywhere.

use crate::noise::Noise;

/// The stream of random numbers that is the bootstrap's.
const PURPOSE: u64 = 6 << 32;

/// Resamples of the bootstrap: the ends of a 95 % interval then stand on 50 resamples each.
const RESAMPLES: usize = 2000;

/// What is left outside of the interval on each side.
const TAIL: f64 = 0.025;

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Higher ones.
    Higher,
    /// Lower ones.
    Lower,
}

/// Values of one method over pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation of the mean, from the sample's variance with `count - 1`. `None` for a single value.
    pub standard_error: Option<f64>,
    /// 95 % bootstrap interval of the mean, lower end first: percentiles over 2000 seeded resamples. `None` for a single value.
    pub interval: Option<[f64; 2]>,
}

/// Two methods over the same pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Pictures on which the first method is better.
    pub wins: usize,
    /// Pictures on which both have exactly the same value.
    pub ties: usize,
    /// Pictures on which the second method is better.
    pub losses: usize,
    /// First minus second: mean, and its interval. An interval on one side of zero says that the order of the methods is no chance of these
    /// pictures.
    pub difference: Summary,
}

/// Mean of values over pictures with its error and interval.
///
/// `None` without values, and when one is not finite.
///
/// ```
/// use burncam_metrics::summary;
///
/// let found = summary(&[1.0, 2.0, 3.0, 4.0], 0).unwrap();
/// assert_eq!(found.mean, 2.5);
/// assert!((found.standard_error.unwrap() - (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn summary(values: &[f64], seed: u64) -> Option<Summary> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = || (squares / (count - 1) as f64 / count as f64).sqrt();
    Some(Summary {
        count,
        mean,
        standard_error: (count > 1).then(error),
        interval: (count > 1).then(|| interval(values, seed)).flatten(),
    })
}

/// Two methods compared picture by picture. `first[i]` and `second[i]` are of the same picture.
///
/// `None` for lists of different lengths, without values, and when one is not finite.
#[must_use]
pub fn paired(first: &[f64], second: &[f64], better: Better, seed: u64) -> Option<Comparison> {
    if first.len() != second.len() {
        return None;
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| first - second).collect();
    let difference = summary(&differences, seed)?;
    let count = |sign: f64| differences.iter().filter(|difference| **difference * sign > 0.0).count();
    let (higher, lower) = (count(1.0), count(-1.0));
    let (wins, losses) = match better {
        Better::Higher => (higher, lower),
        Better::Lower => (lower, higher),
    };
    Some(Comparison { wins, ties: differences.len() - wins - losses, losses, difference })
}

/// A figure of all pictures together, which is no mean of single values, with its interval: `figure` gets the indices of pictures, first
/// each once and then those of each resample, in which some come several times.
///
/// `None` without pictures, and where the figure of all is not defined; without an interval for a single picture, and where that of a resample
/// is not defined.
#[must_use]
pub fn figure_of_all(count: usize, seed: u64, figure: impl Fn(&[usize]) -> Option<f64>) -> Option<Summary> {
    let all: Vec<usize> = (0..count).collect();
    let mean = figure(&all).filter(|mean| mean.is_finite())?;
    let interval = (count > 1).then(|| bootstrap(count, seed, figure)).flatten();
    Some(Summary { count, mean, standard_error: None, interval })
}

/// The interval of the mean.
fn interval(values: &[f64], seed: u64) -> Option<[f64; 2]> {
    let mean = |drawn: &[usize]| drawn.iter().map(|at| values[*at]).sum::<f64>() / drawn.len() as f64;
    bootstrap(values.len(), seed, |drawn| Some(mean(drawn)))
}

/// Efron's percentile interval of a figure; `None` where that of a resample is not defined.
fn bootstrap(count: usize, seed: u64, figure: impl Fn(&[usize]) -> Option<f64>) -> Option<[f64; 2]> {
    let mut noise = Noise::new(seed, PURPOSE);
    let mut drawn = vec![0; count];
    let mut resample = || {
        drawn.iter_mut().for_each(|at| *at = noise.below(count));
        figure(&drawn)
    };
    let mut found = (0..RESAMPLES).map(|_| resample()).collect::<Option<Vec<f64>>>()?;
    found.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let at = share * (RESAMPLES - 1) as f64;
        let (below, part) = (at as usize, at.fract());
        found[below] + part * (found[(below + 1).min(RESAMPLES - 1)] - found[below])
    };
    Some([quantile(TAIL), quantile(1.0 - TAIL)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_textbooks() {
        let found = summary(&[2.0, 4.0, 4.0, 6.0], 0).unwrap();
        assert_eq!((found.count, found.mean), (4, 4.0));
        // Squares 4 + 4 over 3, over 4.
        assert!((found.standard_error.unwrap() - (8.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        let one = summary(&[3.0], 0).unwrap();
        assert_eq!((one.mean, one.standard_error, one.interval), (3.0, None, None));
        assert_eq!(summary(&[], 0), None);
        assert_eq!(summary(&[1.0, f64::NAN], 0), None);
    }

    #[test]
    fn the_interval_of_many_values_is_nearly_the_normal_one() {
        let mut noise = Noise::new(1, 0);
        let values: Vec<f64> = (0..400).map(|_| noise.uniform()).collect();
        let found = summary(&values, 3).unwrap();
        let (error, [low, high]) = (found.standard_error.unwrap(), found.interval.unwrap());
        for (end, expected) in [(low, found.mean - 1.96 * error), (high, found.mean + 1.96 * error)] {
            assert!((end - expected).abs() < 0.15 * error, "{end}, expected {expected}");
        }
        assert_eq!(summary(&values, 3).unwrap(), found);
        assert_ne!(summary(&values, 4).unwrap().interval, found.interval);
    }

    #[test]
    fn a_figure_of_all_pictures_that_is_their_mean_is_the_summary() {
        let values = [0.25, 1.0, 0.5, 0.75, 0.0];
        let mean =
            |drawn: &[usize]| Some(drawn.iter().map(|at| values[*at]).sum::<f64>() / drawn.len() as f64);
        let found = figure_of_all(values.len(), 7, mean).unwrap();
        let expected = summary(&values, 7).unwrap();
        assert_eq!((found.mean, found.interval), (expected.mean, expected.interval));
        assert_eq!(figure_of_all(0, 0, |_| None), None);
        let sometimes = |drawn: &[usize]| (drawn == [0, 1, 2]).then_some(1.0);
        assert_eq!(figure_of_all(3, 0, sometimes).unwrap().interval, None);
    }

    #[test]
    fn a_constant_has_an_interval_of_no_width() {
        assert_eq!(summary(&[0.5; 7], 0).unwrap().interval, Some([0.5, 0.5]));
    }

    #[test]
    fn the_interval_covers_the_mean_as_often_as_it_says() {
        let mut noise = Noise::new(2, 0);
        let trials = 200;
        let mut covers = || {
            let values: Vec<f64> = (0..40).map(|_| noise.uniform()).collect();
            let [low, high] = summary(&values, 0).unwrap().interval.unwrap();
            (low..=high).contains(&0.5)
        };
        let covered = (0..trials).filter(|_| covers()).count();
        // 95 % of 200 is 190, with a deviation of 3.
        assert!((180..=199).contains(&covered), "{covered} of {trials}");
    }

    #[test]
    fn methods_are_compared_picture_by_picture() {
        let (first, second) = ([0.9, 0.5, 0.4, 0.8], [0.1, 0.5, 0.6, 0.2]);
        let found = paired(&first, &second, Better::Higher, 0).unwrap();
        assert_eq!((found.wins, found.ties, found.losses), (2, 1, 1));
        assert!((found.difference.mean - 0.3).abs() < 1e-12);
        let lower = paired(&first, &second, Better::Lower, 0).unwrap();
        assert_eq!((lower.wins, lower.ties, lower.losses), (1, 1, 2));
        assert_eq!(lower.difference, found.difference);
        let swapped = paired(&second, &first, Better::Higher, 0).unwrap();
        assert_eq!((swapped.wins, swapped.losses), (1, 2));
        assert_eq!(paired(&first, &second[..3], Better::Higher, 0), None);
    }
}
