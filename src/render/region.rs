//! The largest connected region of heat, and the box around it.

use super::{PixelBox, Placed};

/// A horizontal run of hot pixels, `start..end` in one row, and the region that it belongs to.
struct Run {
    start: usize,
    end: usize,
    region: usize,
}

/// What is known of a region while rows are read.
#[derive(Clone, Copy)]
struct Region {
    parent: usize,
    pixels: usize,
    bounds: PixelBox,
}

/// The box around the largest region of pixels that are at least `threshold`, connected along sides.
///
/// Of two regions of the same size the one that begins higher is taken. `None` when no pixel is that hot.
#[must_use]
pub fn largest_region(placed: &Placed, threshold: f32) -> Option<PixelBox> {
    let mut regions: Vec<Region> = Vec::new();
    let mut above: Vec<Run> = Vec::new();
    for (y, row) in placed.values.chunks_exact(placed.width).enumerate() {
        let mut runs = runs_of(row, threshold);
        for run in &mut runs {
            run.region = regions.len();
            regions.push(Region {
                parent: run.region,
                pixels: run.end - run.start,
                bounds: PixelBox { left: run.start, top: y, right: run.end, bottom: y + 1 },
            });
            for other in above.iter().filter(|other| other.start < run.end && run.start < other.end) {
                join(&mut regions, other.region, run.region);
            }
        }
        above = runs;
    }
    let roots = regions.iter().enumerate().filter(|(at, region)| region.parent == *at);
    roots.rev().max_by_key(|(_, region)| region.pixels).map(|(_, region)| region.bounds)
}

fn runs_of(row: &[f32], threshold: f32) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (x, _) in row.iter().enumerate().filter(|(_, value)| **value >= threshold) {
        match runs.last_mut() {
            Some(run) if run.end == x => run.end = x + 1,
            _ => runs.push(Run { start: x, end: x + 1, region: 0 }),
        }
    }
    runs
}

fn root(regions: &[Region], mut at: usize) -> usize {
    while regions[at].parent != at {
        at = regions[at].parent;
    }
    at
}

/// Makes one region of two; the older one stays the root.
fn join(regions: &mut [Region], a: usize, b: usize) {
    let (a, b) = (root(regions, a), root(regions, b));
    let (keep, gone) = (a.min(b), a.max(b));
    if keep == gone {
        return;
    }
    let other = regions[gone];
    regions[gone].parent = keep;
    let kept = &mut regions[keep];
    kept.pixels += other.pixels;
    kept.bounds.left = kept.bounds.left.min(other.bounds.left);
    kept.bounds.top = kept.bounds.top.min(other.bounds.top);
    kept.bounds.right = kept.bounds.right.max(other.bounds.right);
    kept.bounds.bottom = kept.bounds.bottom.max(other.bounds.bottom);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(rows: &[&str]) -> Option<(usize, usize, usize, usize)> {
        let (width, height) = (rows[0].len(), rows.len());
        let values = rows.concat().chars().map(|c| if c == '#' { 1.0 } else { 0.0 }).collect();
        let seen = PixelBox { left: 0, top: 0, right: width, bottom: height };
        let placed = Placed { width, height, values, seen };
        largest_region(&placed, 0.5).map(|found| (found.left, found.top, found.right, found.bottom))
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
}
