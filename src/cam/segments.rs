//! Segments of a picture: pixels that are more alike than what is around them.
//!
//! Receives a picture, gives a label per pixel. Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV
//! 2004, doi:10.1023/B:VISI.0000022288.19776.77, section 3: edges between neighbours, the most alike first, join two segments where they
//! differ no more than either does inside, plus a slack that shrinks as segments grow.

/// Standard deviation of the Gaussian that the picture is smoothed with, in pixels: the authors' 0.8.
const SIGMA: f64 = 0.8;

/// The picture smoothed, `[channels, height, width]`, with mirrored edges.
pub(super) fn smoothed(picture: &[f64], [channels, height, width]: [usize; 3]) -> Vec<f64> {
    // Four standard deviations, beyond which nothing is left.
    let reach = (4.0 * SIGMA + 0.5) as isize;
    let weight = |at: isize| (-0.5 * (at as f64 / SIGMA).powi(2)).exp();
    let total: f64 = (-reach..=reach).map(weight).sum();
    let along = |values: &[f64], step: usize, side: usize| -> Vec<f64> {
        let one = |at: usize| {
            let place = (at / step) % side;
            let start = at - place * step;
            let tap = |by: isize| weight(by) * values[start + mirrored(place as isize + by, side) * step];
            (-reach..=reach).map(tap).sum::<f64>() / total
        };
        (0..channels * height * width).map(one).collect()
    };
    along(&along(picture, width, height), 1, width)
}

/// A place beyond an edge as the one that it mirrors, the edge's own included.
fn mirrored(place: isize, side: usize) -> usize {
    let side = side as isize;
    let around = place.rem_euclid(2 * side);
    (if around < side { around } else { 2 * side - 1 - around }) as usize
}

/// A label per pixel of a smoothed picture, from 0 on. `slack` is the difference that a segment of one pixel may have, `least`
/// the pixels of the smallest segment.
pub(super) fn segments(picture: &[f64], size: [usize; 3], slack: f64, least: usize) -> Vec<usize> {
    let edges = edges(picture, size);
    let mut forest = Forest::new(size[1] * size[2]);
    let mut inside = vec![0.0_f64; size[1] * size[2]];
    for &(difference, a, b) in &edges {
        let (a, b) = (forest.root(a), forest.root(b));
        let allowed = |root: usize, forest: &Forest| inside[root] + slack / forest.sizes[root] as f64;
        if a != b && difference < allowed(a, &forest).min(allowed(b, &forest)) {
            let root = forest.join(a, b);
            // Edges come in ascending order, so that this is the greatest inside.
            inside[root] = difference;
        }
    }
    for &(_, a, b) in &edges {
        let (a, b) = (forest.root(a), forest.root(b));
        if a != b && forest.sizes[a].min(forest.sizes[b]) < least {
            forest.join(a, b);
        }
    }
    let roots: Vec<usize> = (0..inside.len()).map(|pixel| forest.root(pixel)).collect();
    let mut labels = vec![usize::MAX; inside.len()];
    let mut count = 0;
    let label = |root: usize| {
        if labels[root] == usize::MAX {
            labels[root] = count;
            count += 1;
        }
        labels[root]
    };
    roots.into_iter().map(label).collect()
}

/// The difference in colour, and the pixels, of each pair of the eight neighbours, the most alike first.
fn edges(picture: &[f64], [channels, height, width]: [usize; 3]) -> Vec<(f64, usize, usize)> {
    let cells = height * width;
    let difference = |a: usize, b: usize| {
        let square = |channel: usize| (picture[channel * cells + a] - picture[channel * cells + b]).powi(2);
        (0..channels).map(square).sum::<f64>().sqrt()
    };
    let mut edges = Vec::with_capacity(4 * cells);
    // Right, down, and the two diagonals to the right: each pair once.
    for (down, right) in [(0, 1), (1, 0), (1, 1), (-1, 1)] {
        for at in 0..cells {
            let (row, column) = ((at / width).checked_add_signed(down), at % width + right);
            if let Some(row) = row.filter(|row| *row < height && column < width) {
                let other = row * width + column;
                edges.push((difference(at, other), at, other));
            }
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    edges
}

/// Disjoint sets of pixels.
struct Forest {
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl Forest {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect(), sizes: vec![1; count] }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            // Halves the way for the next time.
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// Joins two sets by their roots, and gives the root of both.
    fn join(&mut self, a: usize, b: usize) -> usize {
        let (root, other) = if self.sizes[a] < self.sizes[b] { (b, a) } else { (a, b) };
        self.parents[other] = root;
        self.sizes[root] += self.sizes[other];
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_one_segment_by_hand() {
        // Two halves that differ by one, with steps of 0.1 inside.
        let picture = [0.0, 0.1, 1.1, 1.2, 0.0, 0.1, 1.1, 1.2];
        assert_eq!(segments(&picture, [1, 2, 4], 0.3, 1), [0, 0, 1, 1, 0, 0, 1, 1]);
        // Halves of four pixels may differ by 0.1 + 8/4.
        assert_eq!(segments(&picture, [1, 2, 4], 8.0, 1), [0; 8]);
        // Without slack only equal pixels are joined, until they are as many as asked for.
        assert_eq!(segments(&picture, [1, 2, 4], 1e-9, 1), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(segments(&picture, [1, 2, 4], 1e-9, 3), [0, 0, 1, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn smoothing_keeps_what_is_even_and_mirrors_at_edges() {
        let even = smoothed(&[2.0; 12], [2, 2, 3]);
        assert!(even.iter().all(|value| (value - 2.0).abs() < 1e-12), "{even:?}");
        assert_eq!((-4..7).map(|at| mirrored(at, 3)).collect::<Vec<_>>(), [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
        // A point in the middle of one row: the taps of the Gaussian, as SciPy has them.
        let row = smoothed(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [1, 1, 9]);
        assert!((row[4] - 0.498_676_452).abs() < 1e-9 && (row[5] - 0.228_310_716).abs() < 1e-9, "{row:?}");
    }
}
