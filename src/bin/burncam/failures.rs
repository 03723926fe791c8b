//! Images that failed, grouped by reason. Receives their errors; prints each at once, or, where a bar stands for images, all at the end.

use burncam::record::Failure;

use crate::progress::Progress;
use crate::{failure, text};

/// From more failures on, a list of them is grouped at the end even if each was printed: the first may have scrolled away.
const FEW: usize = 10;

/// Names shown per reason.
const SHOWN: usize = 3;

/// Width of the lines.
const WIDTH: usize = 76;

/// The failures of a run.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    groups: Vec<Group>,
    count: usize,
    /// Whether any was not printed when it happened.
    are_unsaid: bool,
}

/// Images that failed for one reason.
#[derive(Debug)]
struct Group {
    /// The reason without the image's name and without numbers, which differ from image to image.
    key: String,
    /// The reason of the first one.
    reason: String,
    count: usize,
    /// The first of them.
    paths: Vec<String>,
}

impl Failures {
    /// Counts a failure, and prints it unless the bar stands for images. Gives it as lists have it.
    pub(crate) fn take(&mut self, path: &str, error: &anyhow::Error, progress: &Progress) -> Failure {
        let failure = failure::listed(path, error);
        if progress.stands_for_images() {
            self.are_unsaid = true;
        } else {
            progress.aside(|| text::error(error));
        }
        self.count(&failure);
        failure
    }

    /// Number of failures.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn count(&mut self, failure: &Failure) {
        self.count += 1;
        let reason = reason(failure);
        let key: String = reason.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let at = self.groups.iter().position(|group| group.key == key).unwrap_or_else(|| {
            self.groups.push(Group { key, reason, count: 0, paths: vec![] });
            self.groups.len() - 1
        });
        let group = &mut self.groups[at];
        group.count += 1;
        if group.paths.len() < SHOWN {
            group.paths.push(failure.path.clone());
        }
    }

    /// At the end of a run: all by reason, where they were not printed, or were many.
    pub(crate) fn print(&self) {
        if self.are_unsaid || self.count > FEW {
            self.lines().iter().for_each(|line| text::note(line));
        }
    }

    /// The most frequent reason first.
    fn lines(&self) -> Vec<String> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        let width = groups.first().map_or(0, |group| group.count.to_string().len());
        let mut lines = vec![format!("{} failed:", text::counted(self.count, "image"))];
        for group in groups {
            let more = match group.count - group.paths.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = format!("{}{more}", group.paths.join(", "));
            let indent = width + 4;
            let texts = [&group.reason, &names].map(|text| text::wrapped(text, WIDTH - indent));
            for (at, line) in texts.concat().into_iter().enumerate() {
                let count = if at == 0 { group.count.to_string() } else { String::new() };
                lines.push(format!("  {count:>width$}  {line}"));
            }
        }
        lines
    }
}

/// The message without the image, whose name may stand at its beginning or inside.
fn reason(failure: &Failure) -> String {
    let named = format!("'{}'", failure.path);
    let message = failure.error.replace(&format!("image {named}: "), "");
    message.replace(&format!(" {named}"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_grouped_by_reason_and_named() {
        let mut failures = Failures::default();
        let mut fail = |path: &str, error: &str| {
            let (path, error) = (path.to_owned(), error.replace("PATH", path));
            failures.count(&Failure { path, error, kind: None, hint: None });
        };
        fail("gone.png", "cannot read 'PATH': No such file or directory (os error 2)");
        for name in ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"] {
            fail(
                name,
                "image 'PATH': not a picture: expected PNG, JPEG, JPEG XL, WebP, GIF, BMP, TIFF or PNM (is the file what its name says?)",
            );
        }
        fail("x.png", "image 'PATH': 100000x1 pixels is more than the limit");
        fail("y.png", "image 'PATH': 200x200000 pixels is more than the limit");
        let expected = "\
8 images failed:
  5  not a picture: expected PNG, JPEG, JPEG XL, WebP, GIF, BMP, TIFF or PNM
     (is the file what its name says?)
     a.txt, b.txt, c.txt and 2 more
  2  100000x1 pixels is more than the limit
     x.png, y.png
  1  cannot read: No such file or directory (os error 2)
     gone.png";
        assert_eq!(failures.lines().join("\n"), expected);
    }
}
