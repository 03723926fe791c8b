//! The page of a comparison: plain HTML with both overlays of each picture side by side, without a script.
//!
//! Receives a comparison and the overlays of its pictures; gives one file that works from a file system. Small comparisons hold their pictures,
//! larger ones link to the files of the runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::record::{ComparedMap, ComparedPicture, Comparison, LimitRecord};

use super::maps::Source;
use super::words::{class, figure};
use crate::html::{self, text};
use crate::report::{link, small};

const STYLE: &str = include_str!("page.css");

/// Pictures shown: those that moved most. A longer page would be slow to open.
const MOST_SHOWN: usize = 500;

/// Up to this many pictures of overlays are embedded, at about 15 kB each.
const MOST_EMBEDDED: usize = 200;

/// For each pair of records of a picture the overlays of both, if the runs wrote any.
pub(super) type Shown = Vec<(Option<PathBuf>, Option<PathBuf>)>;

/// The file that shows the first target of a record: its overlay, or what else there is.
pub(super) fn overlay(source: Source) -> Option<PathBuf> {
    let files = &source.record.targets.first()?.artifacts;
    let kinds = ["overlay", "boxes", "side-by-side", "heatmap"];
    let found = kinds.iter().find_map(|kind| files.iter().find(|file| file.kind == *kind))?;
    Some(source.directory.join(&found.file))
}

/// What the page is made of.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) comparison: &'a Comparison,
    /// As many as the comparison has pictures.
    pub(super) shown: &'a [Shown],
}

impl Page<'_> {
    /// The page that will be the file `to`.
    ///
    /// # Errors
    /// When the current directory is unknown.
    pub(super) fn document(&self, to: &Path) -> Result<String> {
        let folder = link::folder_of(to).with_context(|| format!("page '{}'", to.display()))?;
        let mut page = html::head("burncam comparison", STYLE, "'self' file: data:");
        self.head(&mut page);
        let count = self.comparison.pictures.len().min(MOST_SHOWN);
        let overlays: usize = self.shown.iter().take(count).map(|shown| 2 * shown.len()).sum();
        let place = Place { folder: &folder, embedded: overlays <= MOST_EMBEDDED };
        for (picture, shown) in self.comparison.pictures.iter().zip(self.shown).take(count) {
            place.picture(&mut page, picture, shown);
        }
        if count < self.comparison.pictures.len() {
            let all = self.comparison.pictures.len();
            page.push_str(&format!(
                "<p class=\"quiet\">The {count} pictures that moved most of {all}; comparison.json has all.</p>\n"
            ));
        }
        page.push_str("</body>\n</html>\n");
        Ok(page)
    }

    fn head(&self, page: &mut String) {
        let Comparison { first, second, .. } = self.comparison;
        let titles =
            [first, second].map(|run| text(&format!("{} ({})", run.models.join(", "), run.directory)));
        let _ = writeln!(page, "<h1>{} and {}</h1>", titles[0], titles[1]);
        let methods = [first, second].map(|run| text(&run.methods.join(", ")));
        let _ =
            writeln!(page, "<p class=\"quiet\">First run: {}. Second run: {}.</p>", methods[0], methods[1]);
        page.push_str("<ul class=\"figures\">\n");
        for (name, value) in self.figures() {
            let _ = writeln!(
                page,
                "<li><b>{}</b><span class=\"quiet\">{}</span></li>",
                text(&value),
                text(&name)
            );
        }
        page.push_str("</ul>\n");
        self.limits(page);
        self.differences(page);
        for (paths, which) in
            [(&self.comparison.only_first, "first"), (&self.comparison.only_second, "second")]
        {
            if !paths.is_empty() {
                let items: String =
                    paths.iter().take(MOST_SHOWN).map(|path| format!("<li>{}</li>", text(path))).collect();
                let count = paths.len();
                let _ = writeln!(
                    page,
                    "<section><details><summary>{count} only in the {which} run</summary><ul>{items}</ul></details></section>"
                );
            }
        }
        page.push_str(
            "<p class=\"choice\"><input type=\"checkbox\" id=\"changed\"><label for=\"changed\">Only pictures whose class changed</label></p>\n",
        );
    }

    fn figures(&self) -> Vec<(String, String)> {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let comparison = self.comparison;
        let mut figures = vec![("pictures in both".to_owned(), comparison.both.to_string())];
        figures.push((
            "same class".to_owned(),
            comparison.agreement.map_or_else(|| "not known".to_owned(), percent),
        ));
        let accuracy = comparison.accuracy.map_or_else(
            || "not known".to_owned(),
            |found| format!("{} \u{2192} {}", percent(found.first), percent(found.second)),
        );
        figures.push(("accuracy".to_owned(), accuracy));
        for maps in &comparison.maps {
            let methods = match maps.first == maps.second {
                true => maps.first.clone(),
                false => format!("{}, {}", maps.first, maps.second),
            };
            figures.push((format!("mean Spearman, {methods}"), figure(maps.spearman)));
            figures.push((format!("overlap, {methods}"), figure(maps.iou)));
        }
        figures
    }

    fn limits(&self, page: &mut String) {
        if self.comparison.limits.is_empty() {
            return;
        }
        page.push_str("<table><tr><th>limit</th><th>drop</th><th>at most</th><th></th></tr>\n");
        for LimitRecord { of, most, drop, passed } in &self.comparison.limits {
            let drop = drop.map_or_else(|| "not known".to_owned(), |drop| format!("{drop:.4}"));
            let (class, word) = if *passed { ("right", "kept") } else { ("wrong", "exceeded") };
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td>{drop}</td><td>{most}</td><td class=\"{class}\">{word}</td></tr>",
                text(of)
            );
        }
        page.push_str("</table>\n");
    }

    fn differences(&self, page: &mut String) {
        if self.comparison.differences.is_empty() {
            return;
        }
        page.push_str("<section><details open><summary>Models and settings</summary>\n<table><tr><th></th><th>first</th><th>second</th></tr>\n");
        for found in &self.comparison.differences {
            let [name, first, second] =
                [&found.name, &found.first.to_string(), &found.second.to_string()].map(|cell| text(cell));
            let _ = writeln!(page, "<tr><th>{name}</th><td>{first}</td><td>{second}</td></tr>");
        }
        page.push_str("</table></details></section>\n");
    }
}

/// Where the page is, and whether it holds its pictures.
struct Place<'a> {
    folder: &'a Path,
    embedded: bool,
}

impl Place<'_> {
    fn picture(&self, page: &mut String, picture: &ComparedPicture, shown: &Shown) {
        let kind = if picture.same_class == Some(false) { "picture" } else { "picture same" };
        let _ = writeln!(page, "<section class=\"{kind}\"><h2>{}</h2>", text(&picture.path));
        let labels: Vec<&str> = picture.labels.iter().map(|label| label.class_name.as_str()).collect();
        if !labels.is_empty() {
            let _ = writeln!(page, "<p class=\"quiet\">true class: {}</p>", text(&labels.join(", ")));
        }
        for (at, (first, second)) in shown.iter().enumerate() {
            page.push_str("<div class=\"pair\">\n");
            for (file, top, right, which) in [
                (first, &picture.first, picture.first_right, "first"),
                (second, &picture.second, picture.second_right, "second"),
            ] {
                let verdict = match right {
                    Some(true) => " <span class=\"right\">right</span>",
                    Some(false) => " <span class=\"wrong\">wrong</span>",
                    None => "",
                };
                let caption = format!("{which}: {}{verdict}", text(&class(top.as_ref())));
                let image = self.image(file.as_deref());
                let _ = writeln!(page, "<figure>{image}<figcaption>{caption}</figcaption></figure>");
            }
            page.push_str("</div>\n");
            // Maps come in the order of the pairs of records; of several classes the overlay shows the first.
            if let Some(map) = map_of(picture, at) {
                let _ = writeln!(page, "<p class=\"quiet\">{}</p>", text(&caption(map)));
            }
        }
        page.push_str("</section>\n");
    }

    fn image(&self, file: Option<&Path>) -> String {
        let none = |words: &str| format!("<div class=\"none\">{words}</div>");
        let Some(file) = file else {
            return none("the run wrote no overlay (explain with --save overlay,record)");
        };
        let address = link::relative(self.folder, file);
        let source =
            if self.embedded { small::data_uri(file) } else { address.clone().filter(|_| file.is_file()) };
        match (source, address) {
            (None, _) => none("the overlay cannot be read"),
            (Some(source), Some(address)) => {
                format!("<a href=\"{address}\"><img loading=\"lazy\" alt=\"overlay\" src=\"{source}\"></a>")
            }
            (Some(source), None) => format!("<img loading=\"lazy\" alt=\"overlay\" src=\"{source}\">"),
        }
    }
}

/// The first map of the pair of records with this number.
fn map_of(picture: &ComparedPicture, number: usize) -> Option<&ComparedMap> {
    let methods = |map: &ComparedMap| (map.first_method.clone(), map.second_method.clone());
    let mut chunks = picture.maps.chunk_by(|one, other| methods(one) == methods(other));
    chunks.nth(number)?.first()
}

fn caption(map: &ComparedMap) -> String {
    let methods = match map.first_method == map.second_method {
        true => map.first_method.clone(),
        false => format!("{}, {}", map.first_method, map.second_method),
    };
    let classes = match map.same_class {
        true => format!("maps of {}", map.first_class.class_name),
        false => format!("maps of {} and {}", map.first_class.class_name, map.second_class.class_name),
    };
    match &map.problem {
        Some(problem) => format!("{methods}: {classes}; {problem}"),
        None => format!(
            "{methods}: {classes}; Spearman {}, Pearson {}, overlap {}",
            figure(map.spearman),
            figure(map.pearson),
            figure(map.iou)
        ),
    }
}
