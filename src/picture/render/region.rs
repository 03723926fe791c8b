//! Connected regions of heat.
//!
//! Receives a placed map and a threshold; returns boxes and statistics in the picture's pixels, and the pixels of
//! each region. [`draw_boxes`](super::draw_boxes) and [`mask`](super::mask) draw them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::hot::runs_of;
use super::placed::{PixelBox, Placed, greatest};
use super::threshold::Threshold;
use crate::error::{Error, Result};

/// Which regions are selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Components {
    /// The region with the most pixels; the first in reading order among equals.
    #[default]
    Largest,
    /// Every region.
    All,
}

/// Pixels that reach the threshold, connected along their sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// The box around it.
    pub bounds: PixelBox,
    /// Number of pixels.
    pub area: usize,
    /// The greatest value.
    pub peak: f32,
    /// The arithmetic mean.
    pub mean: f32,
}

impl Components {
    /// The largest, or all.
    pub const ALL: [Self; 2] = [Self::Largest, Self::All];

    /// The name that parsing takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Largest => "largest",
            Self::All => "all",
        }
    }
}

impl FromStr for Components {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        super::by_name("component choice", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Components {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The regions whose values are above zero and reach the threshold, largest first, equals in reading order.
///
/// On a signed map only positive values count. Empty when nothing is above zero.
#[must_use]
pub fn regions(placed: &Placed, threshold: Threshold, components: Components) -> Vec<Region> {
    let Some(level) = threshold.level(placed) else { return Vec::new() };
    let labels = Labels::new(placed, level);
    labels.chosen(components).into_iter().map(|root| labels.parts[root].region()).collect()
}

/// The pixel runs of the selected regions, row by row: a row, and columns in it.
pub(super) fn runs(placed: &Placed, level: f32, components: Components) -> Vec<(usize, Range<usize>)> {
    let labels = Labels::new(placed, level);
    let mut chosen = vec![false; labels.parts.len()];
    for root in labels.chosen(components) {
        chosen[root] = true;
    }
    // A part always has a larger index than its parent, so the parent is already decided.
    for part in 0..chosen.len() {
        chosen[part] = chosen[labels.parts[part].parent];
    }
    let belongs = |run: &&Run| chosen[run.part];
    let place = |run: &Run| (run.y, run.start..run.end);
    labels.runs.iter().filter(belongs).map(place).collect()
}

/// A horizontal run of hot pixels, `start..end` of row `y`, and its part.
#[derive(Clone, Copy)]
struct Run {
    y: usize,
    start: usize,
    end: usize,
    part: usize,
}

/// A region, or a piece of one that was merged into the part `parent`.
#[derive(Clone, Copy)]
struct Part {
    parent: usize,
    area: usize,
    bounds: PixelBox,
    peak: f32,
    sum: f64,
}

/// Connected components of the hot pixels, found in one pass over the rows (union-find).
struct Labels {
    runs: Vec<Run>,
    parts: Vec<Part>,
}

impl Labels {
    fn new(placed: &Placed, level: f32) -> Self {
        let mut labels = Self { runs: Vec::new(), parts: Vec::new() };
        let mut above = 0..0;
        let PixelBox { left, top, right, bottom } = placed.seen;
        let mut row = vec![0.0; right - left];
        for y in top..bottom {
            let first = labels.runs.len();
            // Most rows of most maps are cold.
            if placed.bound(y) >= level {
                placed.fill(y, left, &mut row);
                for (start, end) in runs_of(&row, level) {
                    labels.add(y, left + start, &row[start..end], above.clone());
                }
            }
            above = first..labels.runs.len();
        }
        labels
    }

    /// Adds the run that starts at column `start`, and joins it with the runs it touches in the row `above`.
    fn add(&mut self, y: usize, start: usize, heat: &[f32], above: Range<usize>) {
        let (end, part) = (start + heat.len(), self.parts.len());
        self.runs.push(Run { y, start, end, part });
        self.parts.push(Part {
            parent: part,
            area: heat.len(),
            bounds: PixelBox { left: start, top: y, right: end, bottom: y + 1 },
            peak: greatest(heat),
            // In double precision: a region may have millions of pixels.
            sum: heat.iter().map(|value| f64::from(*value)).sum(),
        });
        // All runs of the row above: a search would gain little, because a row has few.
        for other in &self.runs[above] {
            if other.start < end && start < other.end {
                join(&mut self.parts, other.part, part);
            }
        }
    }

    /// The roots of the selected regions, largest first, equals in reading order.
    fn chosen(&self, components: Components) -> Vec<usize> {
        let mut roots: Vec<usize> =
            (0..self.parts.len()).filter(|at| self.parts[*at].parent == *at).collect();
        // Stable, so that of equal regions the higher comes first, in which order roots are found.
        roots.sort_by_key(|root| std::cmp::Reverse(self.parts[*root].area));
        if components == Components::Largest {
            roots.truncate(1);
        }
        roots
    }
}

impl Part {
    fn region(&self) -> Region {
        let mean = (self.sum / self.area as f64) as f32;
        Region { bounds: self.bounds, area: self.area, peak: self.peak, mean }
    }
}

/// The root of a part. Halves the path for later calls.
fn root(parts: &mut [Part], mut at: usize) -> usize {
    while parts[at].parent != at {
        parts[at].parent = parts[parts[at].parent].parent;
        at = parts[at].parent;
    }
    at
}

/// Merges two regions. The older root stays, so that a parent's index is always the smaller one.
fn join(parts: &mut [Part], a: usize, b: usize) {
    let (a, b) = (root(parts, a), root(parts, b));
    let (keep, gone) = (a.min(b), a.max(b));
    if keep == gone {
        return;
    }
    let other = parts[gone];
    parts[gone].parent = keep;
    let kept = &mut parts[keep];
    kept.area += other.area;
    kept.peak = kept.peak.max(other.peak);
    kept.sum += other.sum;
    kept.bounds.left = kept.bounds.left.min(other.bounds.left);
    kept.bounds.top = kept.bounds.top.min(other.bounds.top);
    kept.bounds.right = kept.bounds.right.max(other.bounds.right);
    kept.bounds.bottom = kept.bounds.bottom.max(other.bounds.bottom);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(rows: &[&str]) -> Placed {
        let heat =
            |c: char| if c == '#' { 1.0 } else { c.to_digit(10).map_or(0.0, |digit| digit as f32 / 10.0) };
        Placed::of_values(rows[0].len(), &rows.concat().chars().map(heat).collect::<Vec<f32>>())
    }

    fn region(rows: &[&str]) -> Option<(usize, usize, usize, usize)> {
        let labels = Labels::new(&placed(rows), 0.5);
        let found = labels.chosen(Components::Largest).first().map(|root| labels.parts[*root].bounds);
        found.map(|found| (found.left, found.top, found.right, found.bottom))
    }

    #[test]
    fn a_ring_is_one_region() {
        assert_eq!(region(&["###..", "#.#..", "#.#.#", "###.."]), Some((0, 0, 3, 4)));
    }

    #[test]
    fn corners_do_not_connect() {
        assert_eq!(region(&["#..", ".##", "..."]), Some((1, 1, 3, 2)));
    }

    #[test]
    fn two_arms_that_meet_below_are_one() {
        assert_eq!(region(&["#.#", "#.#", "###"]), Some((0, 0, 3, 3)));
    }

    #[test]
    fn of_equals_the_higher_is_taken_and_of_nothing_none() {
        assert_eq!(region(&["#..", "...", "..#"]), Some((0, 0, 1, 1)));
        assert_eq!(region(&["...", "..."]), None);
    }

    #[test]
    fn all_regions_come_the_largest_first_with_their_figures() {
        let heat = placed(&["8..5", "...5", "44.#", "4..."]);
        let all = regions(&heat, Threshold::Fraction(0.15), Components::All);
        let areas: Vec<usize> = all.iter().map(|region| region.area).collect();
        // Two of the three pixels: the higher one is first.
        assert_eq!(areas, [3, 3, 1]);
        assert_eq!(all[0].bounds, PixelBox { left: 3, top: 0, right: 4, bottom: 3 });
        assert_eq!(all[1].bounds, PixelBox { left: 0, top: 2, right: 2, bottom: 4 });
        assert_eq!((all[0].peak, all[1].peak, all[2].peak), (1.0, 0.4, 0.8));
        assert!((all[0].mean - 2.0 / 3.0).abs() < 1e-6 && (all[1].mean - 0.4).abs() < 1e-6);
        assert_eq!(regions(&heat, Threshold::Fraction(0.15), Components::Largest), all[..1]);
        // From 0.6 on only two single pixels remain.
        assert_eq!(regions(&heat, Threshold::Fraction(0.6), Components::All).len(), 2);
    }

    #[test]
    fn what_is_negative_or_zero_is_no_region() {
        let heat = Placed::of_values(2, &[1.0, 0.0, 0.0, -1.0]);
        for threshold in [Threshold::Fraction(0.0), Threshold::Percentile(0.0), Threshold::Otsu] {
            let found = regions(&heat, threshold, Components::All);
            assert_eq!(found.iter().map(|region| region.area).collect::<Vec<_>>(), [1], "{threshold}");
        }
        assert!(regions(&placed(&["..", ".."]), Threshold::default(), Components::All).is_empty());
    }

    #[test]
    fn the_runs_of_a_region_are_its_pixels() {
        let heat = placed(&["##.#", "#..#", "..##"]);
        assert_eq!(runs(&heat, 0.5, Components::Largest), [(0, 3..4), (1, 3..4), (2, 2..4)]);
        assert_eq!(runs(&heat, 0.5, Components::All).len(), 5);
        assert_eq!("largest".parse::<Components>().unwrap(), Components::Largest);
        assert_eq!("All".parse::<Components>().unwrap(), Components::All);
    }
}
