//! YOLO's text: one file per picture, one object per line.

use burncam_graph::error::Problem;

use super::object::{Entry, Object, number, object};

/// Numbers of a line with a box: class, centre across and down, width, height.
const BOX: usize = 5;

/// Whether a line may be one of YOLO's: numbers and nothing else.
pub(super) fn is_line(line: &str) -> bool {
    line.split_whitespace().count() >= BOX && line.split_whitespace().all(|word| number(word).is_some())
}

/// The objects of a file, as shares of the picture. Without `names` labels are the indices.
pub(super) fn read(text: &str, stem: String, names: Option<&[String]>) -> Result<Entry, Problem> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let objects =
        lines.map(|(at, line)| of_line(line, names).map_err(|problem| problem.named("line", at + 1)));
    Ok(Entry {
        picture: stem,
        is_stem: true,
        size: None,
        is_share: true,
        objects: objects.collect::<Result<_, _>>()?,
    })
}

fn of_line(line: &str, names: Option<&[String]>) -> Result<Object, Problem> {
    let numbers: Option<Vec<f64>> = line.split_whitespace().map(number).collect();
    let numbers = numbers.ok_or_else(|| Problem::new("has words").expected("numbers alone"))?;
    let count = numbers.len();
    // Corners of an outline are pairs after the class: an odd count.
    if count != BOX && (count < 7 || count % 2 == 0) {
        return Err(Problem::new(format!("has {count} numbers"))
            .expected("5 (class, centre x, centre y, width, height), or a class and three or more corners")
            .hint("6 are a detection with its confidence, which is no truth"));
    }
    let class = numbers[0];
    if class < 0.0 || class.fract() != 0.0 || class > f64::from(u32::MAX) {
        return Err(Problem::new("has no class").expected("a whole number from 0").found(class.to_string()));
    }
    let label = match names {
        None => (class as usize).to_string(),
        Some(names) => names.get(class as usize).cloned().ok_or_else(|| {
            let last = format!("an index up to {}", names.len().saturating_sub(1));
            Problem::new("has a class without name").expected(last).found(class.to_string())
        })?,
    };
    let edges = edges(&numbers[1..]);
    // A little outside comes from rounding and is clipped; pixels would be far outside.
    if numbers[1..].iter().any(|share| !(-1.0..=2.0).contains(share)) {
        return Err(Problem::new("is not in shares of the picture")
            .expected("numbers from 0 to 1")
            .found(format!("'{}'", line.trim().chars().take(80).collect::<String>()))
            .hint("divide pixels by the picture's width and height"));
    }
    object(&label, edges, false)
}

/// Left, top, right and bottom of a centre and a size, or around an outline.
fn edges(numbers: &[f64]) -> [f64; 4] {
    if let [x, y, width, height] = numbers {
        return [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
    }
    let corners = numbers.chunks_exact(2);
    corners.fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[left, top, right, bottom], corner| {
        [left.min(corner[0]), top.min(corner[1]), right.max(corner[0]), bottom.max(corner[1])]
    })
}
