//! `--where`: which images of a run are explained, by what the network says about them.
//!
//! Receives a condition as text, and predictions; says whether it holds. An image about which it says nothing, because it has no label or the network gives no
//! probability, does not meet it.

use std::fmt;
use std::str::FromStr;

use burncam::record::PredictionRecord;
use burncam_graph::error::Problem;

/// A condition on the prediction of an image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    quantity: Quantity,
    order: Order,
    limit: f64,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// Probability of the most probable class.
    Proba,
    /// That less the probability of the second.
    Margin,
    /// Probability of the true class.
    LabelProba,
    /// Rank of the true class.
    LabelRank,
    /// 1 where the most probable class is the true one, else 0.
    Right,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Quantities that are compared with a number, by name.
const QUANTITIES: &[(&str, Quantity)] = &[
    ("p", Quantity::Proba),
    ("margin", Quantity::Margin),
    ("label_p", Quantity::LabelProba),
    ("label_rank", Quantity::LabelRank),
];

/// Signs, the longer first: `<=` begins as `<`.
const ORDERS: &[(&str, Order)] =
    &[("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::More)];

impl Condition {
    /// The most probable class is not the true one.
    const MISTAKE: Self = Self { quantity: Quantity::Right, order: Order::Less, limit: 1.0 };
    const RIGHT: Self = Self { order: Order::AtLeast, ..Self::MISTAKE };

    /// Whether it holds for an image, given the two most probable classes at least.
    pub(crate) fn holds(&self, prediction: &PredictionRecord) -> bool {
        // The share of the picture stands for the probability of a segmentation's class, as for `--target 'p>=0.5'`.
        let proba = |at: usize| prediction.predictions.get(at).and_then(|class| class.proba.or(class.share));
        let value = match self.quantity {
            Quantity::Proba => proba(0),
            Quantity::Margin => proba(0).zip(proba(1)).map(|(first, second)| first - second),
            Quantity::LabelProba => prediction.label_proba,
            Quantity::LabelRank => prediction.label_rank.map(|rank| rank as f64),
            Quantity::Right => prediction.correct.map(|correct| f64::from(u8::from(correct))),
        };
        value.is_some_and(|value| match self.order {
            Order::Less => value < self.limit,
            Order::AtMost => value <= self.limit,
            Order::More => value > self.limit,
            Order::AtLeast => value >= self.limit,
        })
    }

    /// Whether it needs to know the true class.
    pub(crate) fn needs_labels(&self) -> bool {
        !matches!(self.quantity, Quantity::Proba | Quantity::Margin)
    }

    /// Whether it compares probabilities.
    pub(crate) fn needs_probabilities(&self) -> bool {
        matches!(self.quantity, Quantity::Proba | Quantity::Margin | Quantity::LabelProba)
    }
}

impl FromStr for Condition {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let plain = text.replace(' ', "").to_lowercase();
        match plain.as_str() {
            "label!=top" | "top!=label" | "mistake" | "mistakes" | "wrong" => return Ok(Self::MISTAKE),
            "label=top" | "label==top" | "top=label" | "top==label" | "right" | "correct" => {
                return Ok(Self::RIGHT);
            }
            _ => {}
        }
        let comparison = ORDERS.iter().find_map(|(sign, order)| {
            let (name, limit) = plain.split_once(sign)?;
            let (_, quantity) = QUANTITIES.iter().find(|(known, _)| *known == name)?;
            let limit = limit.parse().ok().filter(|limit: &f64| limit.is_finite())?;
            Some(Self { quantity: *quantity, order: *order, limit })
        });
        comparison.ok_or_else(|| {
            let expected = "label!=top, label=top, or p, margin, label_p or label_rank compared with a number, such as 'p<0.6'";
            Problem::expected_but(expected, format!("'{text}'"))
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = QUANTITIES.iter().find(|(_, quantity)| *quantity == self.quantity);
        let sign = ORDERS.iter().find(|(_, order)| *order == self.order);
        match (name, sign) {
            (Some((name, _)), Some((sign, _))) => write!(formatter, "{name}{sign}{}", self.limit),
            _ if *self == Self::MISTAKE => formatter.write_str("label!=top"),
            _ => formatter.write_str("label=top"),
        }
    }
}

/// All conditions, each of which an image must meet.
pub(crate) fn in_words(conditions: &[Condition]) -> String {
    conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use burncam::record::{LabelRecord, Prediction};

    use super::*;

    fn condition(text: &str) -> Condition {
        text.parse().unwrap()
    }

    #[test]
    fn a_condition_is_read_as_it_is_written() {
        for text in
            ["label!=top", "label=top", "p<0.6", "p>=0.6", "margin<=0.1", "label_p<0.05", "label_rank>5"]
        {
            assert_eq!(condition(text).to_string(), text);
        }
        assert_eq!(condition("mistakes"), condition("label != top"));
        assert_eq!(condition(" P < 0.60 ").to_string(), "p<0.6");
        for text in ["", "p", "p<", "p<x", "p<nan", "p=0.5", "q<1", "label<top"] {
            let error = text.parse::<Condition>().unwrap_err().to_string();
            assert!(error.contains("such as 'p<0.6'"), "{text}: {error}");
        }
    }

    #[test]
    fn a_condition_holds_for_what_is_known() {
        let class = |(target, proba)| Prediction { proba, ..Prediction::new(target, String::new()) };
        let ranked: Vec<Prediction> = [(2, Some(0.55)), (0, Some(0.4)), (1, Some(0.05))].map(class).into();
        let label = |target| LabelRecord { target, class_name: String::new() };
        let of = |labels: &[LabelRecord]| PredictionRecord::new("net", "a.png", &ranked, labels, 2);
        let (wrong, right, unknown) = (of(&[label(1)]), of(&[label(2)]), of(&[]));
        let holds = |text: &str| [&wrong, &right, &unknown].map(|image| condition(text).holds(image));
        assert_eq!(holds("label!=top"), [true, false, false], "without a label nothing is a mistake");
        assert_eq!(holds("label=top"), [false, true, false]);
        assert_eq!(holds("p<0.6"), [true; 3]);
        assert_eq!(holds("p<0.55"), [false; 3]);
        assert_eq!(holds("p<=0.55"), [true; 3]);
        assert_eq!(holds("margin<0.2"), [true; 3]);
        assert_eq!(holds("label_p<0.1"), [true, false, false]);
        assert_eq!(holds("label_rank>2"), [true, false, false]);
        let none = [class((0, None))];
        assert!(!condition("p<0.6").holds(&PredictionRecord::new("net", "a.png", &none, &[], 2)));
    }
}
