//! How the numbers of a record are written for people: on a sheet, on a terminal.

use super::{Prediction, TargetRecord};

/// A probability as people read it: `95.1 %`.
#[must_use]
pub fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    match percent {
        _ if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

impl Prediction {
    /// What people call it, with the number of a box before it. Of synonyms, which a comma follows, the first is enough; without a name it
    /// is called by its index.
    pub(crate) fn title(&self, box_number: Option<usize>) -> String {
        let kind = if self.number.is_some() { "number" } else { "class" };
        let class = match &self.class_name {
            name if *name == self.target.to_string() => format!("{kind} {name}"),
            name => name.split(", ").next().unwrap_or_default().to_owned(),
        };
        box_number.map_or_else(|| class.clone(), |number| format!("box {number}, {class}"))
    }

    /// What people read of it: the probability, the share of the picture, or the number.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.proba, self.share, self.number.unwrap_or_default())
    }
}

impl TargetRecord {
    /// What file names call it: the class's index, or `box1`.
    #[must_use]
    pub fn tag(&self) -> String {
        self.box_number.map_or_else(|| self.target.to_string(), |number| format!("box{number}"))
    }

    /// What people call it: its class, with the number of a box before it.
    #[must_use]
    pub fn title(&self) -> String {
        // A number is neither a probability nor a share of the picture.
        let number = (self.proba.is_none() && self.share.is_none()).then_some(self.score);
        let class = Prediction { number, ..Prediction::new(self.target, self.class_name.clone()) };
        class.title(self.box_number)
    }

    /// As [`Prediction::shown`].
    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.proba, self.share, self.score)
    }
}

fn shown(probability: Option<f64>, share: Option<f64>, value: f64) -> String {
    match (probability, share) {
        (Some(probability), _) => percent(probability),
        (None, Some(share)) => format!("{} of the picture", percent(share)),
        (None, None) => plain_number(value),
    }
}

/// A number to five digits, with an exponent where it is very small or large.
pub(crate) fn plain_number(value: f64) -> String {
    const DIGITS: i32 = 5;
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        1e-4..1e7 => {
            let decimals = (DIGITS - 1 - size.log10().floor() as i32).max(0);
            format!("{value:.*}", decimals as usize)
        }
        _ => format!("{value:.4e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_called_by_their_class_and_the_number_of_a_box() {
        let class = |index, name: &str| Prediction::new(index, name.to_owned());
        assert_eq!(class(281, "tabby, tabby cat").title(None), "tabby");
        assert_eq!(class(4, "4").title(None), "class 4");
        assert_eq!(Prediction { number: Some(2.5), ..class(0, "0") }.title(None), "number 0");
        assert_eq!(class(1, "face").title(Some(2)), "box 2, face");
    }

    #[test]
    fn numbers_of_any_size_have_five_digits() {
        let found =
            [0.0, -2.05, 1234.56789, 0.000_123_456, 98_765_432.1, -3e-9, 1_234_567.8].map(plain_number);
        assert_eq!(found, ["0", "-2.0500", "1234.6", "0.00012346", "9.8765e7", "-3.0000e-9", "1234568"]);
        let share = shown(None, Some(0.25), 9.0);
        assert_eq!(
            [shown(Some(0.5), None, 7.0), shown(None, None, 7.0), share],
            ["50.0 %", "7.0000", "25.0 % of the picture"]
        );
    }
}
