//! XML of Pascal VOC and ILSVRC: one file per picture.

use burncam_graph::error::Problem;
use roxmltree::{Document, Node, ParsingOptions};

use super::object::{Entry, Format, Object, number, object, required};

/// Most nodes of a file: a picture has some dozen objects with some dozen nodes each.
const MAX_NODES: u32 = 1_000_000;

/// The objects of a file, with the stem of its own name as the picture's: `filename` in it is often out of date, in ILSVRC even `%s`.
pub(super) fn read(text: &str, stem: String) -> Result<(Format, Entry), Problem> {
    // No document types, whose entities can grow without limit.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| Problem::new(format!("cannot be read as XML: {error}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "annotation" {
        let found = format!("<{}>", root.tag_name().name().chars().take(40).collect::<String>());
        return Err(Problem::new("is not Pascal VOC's XML").expected("<annotation>").found(found));
    }
    let format = format(root);
    let objects = children(root, "object").enumerate();
    let objects =
        objects.map(|(at, node)| of_node(node, format).map_err(|problem| problem.named("object", at + 1)));
    let entry = Entry {
        picture: stem,
        is_stem: true,
        size: child(root, "size").and_then(size),
        is_share: false,
        objects: objects.collect::<Result<_, _>>()?,
    };
    Ok((format, entry))
}

/// ILSVRC names its database; its corners count from 0 (an object as wide as a picture of 500 goes from 0 to 499).
fn format(root: Node) -> Format {
    let database = child(root, "source").and_then(|source| child(source, "database"));
    let database = database.map_or("", |node| words(node));
    if database.contains("ILSVRC") || database.contains("ImageNet") { Format::Ilsvrc } else { Format::Voc }
}

fn of_node(node: Node, format: Format) -> Result<Object, Problem> {
    let name = child(node, "name").map_or("", |node| words(node));
    let corners = child(node, "bndbox").ok_or_else(|| Problem::new("has no box").expected("<bndbox>"))?;
    let corner = |name: &'static str| required(name, child(corners, name).map_or("", |node| words(node)));
    let (left, top, right, bottom) = (corner("xmin")?, corner("ymin")?, corner("xmax")?, corner("ymax")?);
    let edges = if format == Format::Voc {
        [left - 1.0, top - 1.0, right, bottom]
    } else {
        [left, top, right + 1.0, bottom + 1.0]
    };
    let is_difficult = child(node, "difficult").is_some_and(|node| !matches!(words(node), "0" | ""));
    object(name, edges, is_difficult)
}

/// Tools that do not know the size write 0.
fn size(node: Node) -> Option<[f64; 2]> {
    let side = |name| child(node, name).and_then(|node| number(words(node)));
    let (height, width) = (side("height")?, side("width")?);
    (height > 0.0 && width > 0.0).then_some([height, width])
}

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn child<'a>(node: Node<'a, 'a>, name: &'static str) -> Option<Node<'a, 'a>> {
    children(node, name).next()
}

fn words<'a>(node: Node<'a, 'a>) -> &'a str {
    node.text().unwrap_or_default().trim()
}
