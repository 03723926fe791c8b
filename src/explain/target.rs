//! The classes to explain: the most probable ones, an index, or a name.

use std::str::FromStr;

use crate::card::Task;
use crate::error::{Action, Error, OptionName, Phrase, Problem, Result};
use crate::model::Model;
use crate::record::Prediction;

/// A request for a class.
///
/// ```
/// use burncam::Target;
///
/// # fn main() -> burncam::Result<()> {
/// assert_eq!("top3".parse::<Target>()?, Target::Top(3));
/// assert_eq!("281".parse::<Target>()?, Target::Index(281));
/// assert_eq!("tabby cat".parse::<Target>()?, Target::Name("tabby cat".to_owned()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// The `n` most probable classes of each image.
    Top(usize),
    /// A class by its index.
    Index(usize),
    /// A class by its name.
    Name(String),
    /// The true classes of each image; see [`Subject::labels`](super::Subject::labels).
    Label,
    /// The most probable class of each image and its true ones; a single class if they are equal.
    Both,
    /// A box that a detector found in each image, by its number from 1, the surest first.
    Box(usize),
    /// Every class.
    All,
    /// The classes of each image whose probability, or share of the picture, is at least this.
    AtLeast(f64),
}

impl FromStr for Target {
    type Err = Error;

    /// `top`, `top5` (or `top-5`), `all`, `p>=0.5`, `box:1`, `label`, `both`, an integer, or a class name; `top0` and the empty string
    /// are refused.
    fn from_str(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::request(Problem::expected_but("an index, a name, top or topN", "nothing")));
        }
        match text {
            "top" => return Ok(Self::Top(1)),
            "label" => return Ok(Self::Label),
            "both" => return Ok(Self::Both),
            "all" => return Ok(Self::All),
            _ => {}
        }
        if let Some(number) = text.strip_prefix("box:") {
            let number = number.parse().ok().filter(|number| *number > 0);
            let problem = || Problem::expected_but("box: and a number from 1 on", format!("'{text}'"));
            return number.map(Self::Box).ok_or_else(|| Error::request(problem()));
        }
        if let Some(least) = text.strip_prefix("p>=") {
            let share = least.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
            let problem = || Problem::expected_but("p>= and a number from 0 to 1", format!("'{text}'"));
            return share.map(Self::AtLeast).ok_or_else(|| Error::request(problem()));
        }
        let count = text.strip_prefix("top").map(|count| count.trim_start_matches(['-', '_', ' ']).parse());
        match (count, text.parse()) {
            (Some(Ok(0)), _) => {
                let problem = Problem::new("asks for no class").expected("at least top1");
                Err(Error::request(problem.named("target", text)))
            }
            (Some(Ok(count)), _) => Ok(Self::Top(count)),
            (_, Ok(index)) => Ok(Self::Index(index)),
            _ => Ok(Self::Name(text.to_owned())),
        }
    }
}

impl Target {
    /// The classes, given all classes from the most probable to the least, and the image's true ones.
    pub(super) fn resolve(
        &self,
        model: &Model,
        ranked: &[Prediction],
        labels: &[usize],
    ) -> Result<Vec<usize>> {
        let first = |count: usize| ranked.iter().take(count).map(|class| class.target);
        match self {
            Self::Label => Ok(known(labels)?.to_vec()),
            Self::Both => Ok(first(1).chain(known(labels)?.iter().copied()).collect()),
            Self::Top(count) => Ok(first(*count).collect()),
            // Boxes are no classes; they are looked up where the image's are known.
            Self::Box(_) => Ok(vec![]),
            Self::All => Ok((0..ranked.len()).collect()),
            Self::AtLeast(least) => at_least(*least, ranked),
            Self::Index(index) if *index < ranked.len() => Ok(vec![*index]),
            Self::Index(index) if ranked.len() == 1 => {
                let problem = format!("class {index} is out of range: the model has one output, class 0");
                let hint = Phrase::from("import it with ").option(OptionName::Classes);
                let hint = hint.text(" and the names of no and yes, and both are classes");
                Err(Problem::new(problem).hint(hint).into())
            }
            Self::Index(index) => {
                let (count, last) = (ranked.len(), ranked.len() - 1);
                let problem = format!("class {index} is out of range: the model has {count} classes");
                Err(Problem::new(problem).hint(format!("0 to {last}")).into())
            }
            Self::Name(name) => class_called(name, &model.card().classes).map(|index| vec![index]),
        }
    }

    /// Refuses targets that no image can satisfy, before any image is read.
    ///
    /// # Errors
    /// When the class is not one of the model's.
    pub fn check(&self, model: &Model) -> Result<()> {
        match (self, model.output().is_regression() || model.output().task == Task::Embedding) {
            (Self::AtLeast(_), true) => {
                let problem = Problem::new("the model gives no probabilities, but 'p>=' compares them");
                Err(problem.hint(Phrase::from("use ").set(OptionName::Target, "all")).into())
            }
            (Self::AtLeast(_), false) => Ok(()),
            (Self::Box(number), _) if model.output().task != Task::Detection => {
                let problem = Problem::new(format!("target 'box:{number}' is of detectors"));
                let found = format!("the task '{}'", model.output().task.name());
                Err(problem.found(found).hint("name a class").into())
            }
            (Self::Box(_), _) => model.output().form.check_boxes().map_err(Error::from),
            // Any order and label will do: only indices and names are checked.
            _ => self.resolve(model, &unranked(model), &[0]).map(|_| ()),
        }
    }

    /// The class of an index or a name, without an image.
    ///
    /// # Errors
    /// When the class is not one of the model's, and for targets that depend on the image.
    pub fn class(&self, model: &Model) -> Result<usize> {
        match self {
            Self::Index(_) | Self::Name(_) => {
                let classes = self.resolve(model, &unranked(model), &[])?;
                classes.first().copied().ok_or_else(|| Error::internal("a name means no class"))
            }
            Self::Top(_) | Self::Label | Self::Both | Self::All | Self::AtLeast(_) | Self::Box(_) => {
                Err(Error::request(
                    Problem::new("the class differs from image to image").expected("an index or a name"),
                ))
            }
        }
    }
}

/// All classes in the order of their indices.
fn unranked(model: &Model) -> Vec<Prediction> {
    (0..model.num_classes()).map(|index| Prediction::new(index, String::new())).collect()
}

fn known(labels: &[usize]) -> Result<&[usize]> {
    if labels.is_empty() {
        return Err(Error::request(
            Problem::new("the image has no label, but its true class is to be explained")
                .hint(Phrase::from("give it one, or ").set(OptionName::Target, "top")),
        ));
    }
    Ok(labels)
}

/// The classes with at least this probability or share, at least one.
fn at_least(least: f64, ranked: &[Prediction]) -> Result<Vec<usize>> {
    let of = |class: &Prediction| class.proba.or(class.share).unwrap_or_default();
    let found: Vec<usize> =
        ranked.iter().filter(|class| of(class) >= least).map(|class| class.target).collect();
    match ranked.first() {
        Some(first) if found.is_empty() => {
            let what = format!("no class has a probability of {least} or more");
            let problem = Problem::new(what).found(format!("{:.3} for '{}'", of(first), first.class_name));
            Err(problem.hint(Phrase::from("use ").set(OptionName::Target, "top")).into())
        }
        _ => Ok(found),
    }
}

/// Matches a name in full, then ignoring case, then as one of its synonyms, then as a unique word.
fn class_called(wanted: &str, classes: &[String]) -> Result<usize> {
    if classes.is_empty() {
        return Err(Error::request(
            Problem::new("cannot be looked up: the model names no classes")
                .named("class", wanted)
                .hint("use its index"),
        ));
    }
    let lower = wanted.to_lowercase();
    let stages: [&dyn Fn(&str) -> bool; 4] = [
        // In full first: a class `tiger` is not `tiger cat`, although it is a word of it.
        &|name| name == wanted,
        &|name| name.to_lowercase() == lower,
        &|name| name.to_lowercase().split(',').any(|synonym| synonym.trim() == lower),
        &|name| name.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == lower),
    ];
    for fits in stages {
        let found: Vec<usize> = (0..classes.len()).filter(|index| fits(&classes[*index])).collect();
        match found[..] {
            [] => {}
            [index] => return Ok(index),
            _ => return Err(ambiguous(wanted, &found, classes)),
        }
    }
    let synonyms = classes.iter().flat_map(|name| name.split(", "));
    Err(Error::request(
        Problem::new(format!("is not one of the model's {} classes", classes.len()))
            .near(wanted, synonyms)
            .remark(Phrase::from("`").action(Action::ListClasses).text("` lists them"))
            .named("class", wanted),
    ))
}

fn ambiguous(wanted: &str, found: &[usize], classes: &[String]) -> Error {
    const SHOWN: usize = 5;
    let list: Vec<String> =
        found.iter().take(SHOWN).map(|index| format!("{index} '{}'", classes[*index])).collect();
    let more = if found.len() > SHOWN { format!(" and {} more", found.len() - SHOWN) } else { String::new() };
    Error::request(
        Problem::new(format!("class '{wanted}' could be {}{more}", list.join(", "))).hint("use the index"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(wanted: &str) -> Result<usize> {
        let classes = ["tabby, tabby cat", "tiger cat", "tiger", "crane", "crane", "Espresso"];
        class_called(wanted, &classes.map(str::to_owned))
    }

    #[test]
    fn names_are_matched_from_strict_to_lenient() {
        for (wanted, class) in [("tiger", 2), ("TIGER CAT", 1), ("tabby cat", 0), ("espresso", 5)] {
            assert_eq!(find(wanted).unwrap(), class);
        }
    }

    #[test]
    fn two_candidates_are_an_error_that_lists_them() {
        let refused = |wanted| find(wanted).unwrap_err().to_string();
        assert_eq!(refused("crane"), "class 'crane' could be 3 'crane', 4 'crane' (use the index)");
        assert!(refused("cat").contains("0 'tabby, tabby cat', 1 'tiger cat'"));
    }

    #[test]
    fn an_unknown_name_is_met_with_the_nearest() {
        assert_eq!(find("expresso").unwrap_err().nearest(), Some("Espresso"));
    }

    #[test]
    fn an_index_or_a_name_is_a_class_of_itself() {
        let squeezenet = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/models/squeezenet1_1.bpk");
        let model = Model::open(squeezenet.as_ref(), None).unwrap();
        let class =
            |text: &str| text.parse::<Target>().unwrap().class(&model).map_err(|error| error.to_string());
        assert_eq!([class("espresso"), class("967")], [Ok(967), Ok(967)]);
        assert!(class("1000").unwrap_err().contains("out of range"));
        for text in ["top", "top2", "label", "both", "all", "p>=0.5"] {
            assert!(class(text).unwrap_err().contains("differs from image to image"), "{text}");
        }
    }

    #[test]
    fn classes_from_a_probability_on_are_at_least_one() {
        let class =
            |(index, proba)| Prediction { proba: Some(proba), ..Prediction::new(index, format!("c{index}")) };
        let ranked: Vec<Prediction> = [(2, 0.9), (0, 0.5), (1, 0.1)].map(class).into();
        assert_eq!(at_least(0.5, &ranked).unwrap(), [2, 0]);
        let error = at_least(0.95, &ranked).unwrap_err().to_string();
        assert!(
            error.starts_with("no class has a probability of 0.95 or more, got 0.900 for 'c2'"),
            "{error}"
        );
    }

    #[test]
    fn top_is_a_count_and_a_number_an_index() {
        assert_eq!("top".parse::<Target>().unwrap(), Target::Top(1));
        for text in ["top5", "top-5", "top_5", "top 5"] {
            assert_eq!(text.parse::<Target>().unwrap(), Target::Top(5));
        }
        assert_eq!("label".parse::<Target>().unwrap(), Target::Label);
        assert_eq!("281".parse::<Target>().unwrap(), Target::Index(281));
        assert_eq!("box:2".parse::<Target>().unwrap(), Target::Box(2));
        assert!("box:0".parse::<Target>().is_err());
        assert_eq!("all".parse::<Target>().unwrap(), Target::All);
        assert_eq!("p>=0.25".parse::<Target>().unwrap(), Target::AtLeast(0.25));
        assert!(["p>=", "p>=2", "p>=x"].iter().all(|text| text.parse::<Target>().is_err()));
        assert_eq!("topaz".parse::<Target>().unwrap(), Target::Name("topaz".into()));
        assert!("top0".parse::<Target>().is_err());
    }
}
