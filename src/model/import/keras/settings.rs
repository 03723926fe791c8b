//! Settings of a layer, as its configuration has them.

use serde_json::{Map, Value};

use crate::error::Problem;

/// The configuration of a layer, a JSON object. A setting that is null counts as missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Settings<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Problem> {
        self.get(key).map_or(Ok(default), |value| truth(key, value))
    }

    /// A number, or `None` when it is missing.
    pub(super) fn optional(&self, key: &str) -> Result<Option<f64>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        // Early versions wrote numbers as arrays without axes.
        let bare = value.get("value").unwrap_or(value);
        bare.as_f64().map(Some).ok_or_else(|| odd(key, value, "a number"))
    }

    pub(super) fn number(&self, key: &str, default: f64) -> Result<f64, Problem> {
        Ok(self.optional(key)?.unwrap_or(default))
    }

    pub(super) fn count(&self, key: &str, default: usize) -> Result<usize, Problem> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => count(value).ok_or_else(|| odd(key, value, "a whole number")),
        }
    }

    /// Two numbers, for height and width; one number is for both.
    pub(super) fn pair(&self, key: &str, default: [usize; 2]) -> Result<[usize; 2], Problem> {
        let Some(value) = self.get(key) else { return Ok(default) };
        pair(value).ok_or_else(|| odd(key, value, "two whole numbers"))
    }

    /// `[top, bottom, left, right]`, from one number, two, or two pairs.
    pub(super) fn sides(&self, key: &str, default: usize) -> Result<[usize; 4], Problem> {
        let Some(value) = self.get(key) else { return Ok([default; 4]) };
        let sides = match value.as_array().map(Vec::as_slice) {
            Some([rows, columns]) if rows.is_array() => pair(rows).zip(pair(columns)),
            _ => pair(value).map(|[height, width]| ([height; 2], [width; 2])),
        };
        let ([top, bottom], [left, right]) = sides.ok_or_else(|| odd(key, value, "two pairs of numbers"))?;
        Ok([top, bottom, left, right])
    }

    pub(super) fn text(&self, key: &str, default: &'a str) -> Result<&'a str, Problem> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| odd(key, value, "a word")),
        }
    }

    /// Whole numbers, of any sign; one number is a list of one.
    pub(super) fn list(&self, key: &str) -> Result<Option<Vec<i64>>, Problem> {
        self.get(key).map(|value| integers(key, value)).transpose()
    }

    /// Numbers; one number is a list of one. Nested lists are joined.
    pub(super) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        numbers(value).map(Some).ok_or_else(|| odd(key, value, "numbers"))
    }

    /// Refuses pictures with channels first: Keras computes them only on some of its back ends.
    pub(super) fn channels_last(&self) -> Result<(), Problem> {
        match self.text("data_format", "channels_last")? {
            "channels_last" => Ok(()),
            other => Err(Problem::new(format!("has 'data_format' '{other}'")).expected("channels_last")),
        }
    }
}

pub(super) fn truth(key: &str, value: &Value) -> Result<bool, Problem> {
    value.as_bool().ok_or_else(|| odd(key, value, "true or false"))
}

/// An axis that may be counted from the end, counted from the front.
pub(super) fn front(axis: i64, rank: usize) -> i64 {
    if axis < 0 { axis + rank as i64 } else { axis }
}

/// A number that is whole and not negative.
pub(super) fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

fn pair(value: &Value) -> Option<[usize; 2]> {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second]) => Some([count(first)?, count(second)?]),
        Some([both]) => count(both).map(|both| [both; 2]),
        Some(_) => None,
        None => count(value).map(|both| [both; 2]),
    }
}

/// The numbers of nested lists, in order.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) => {
            let lists = values.iter().map(numbers).collect::<Option<Vec<_>>>()?;
            Some(lists.concat())
        }
        single => single.as_f64().map(|number| vec![number]),
    }
}

/// Whole numbers, of any sign; one number is a list of one.
pub(super) fn integers(key: &str, value: &Value) -> Result<Vec<i64>, Problem> {
    let list = match value {
        Value::Array(values) => values.iter().map(Value::as_i64).collect(),
        single => single.as_i64().map(|number| vec![number]),
    };
    list.ok_or_else(|| odd(key, value, "whole numbers"))
}

fn odd(key: &str, value: &Value, expected: &'static str) -> Problem {
    Problem::new(format!("its '{key}' is {value}")).expected(expected)
}
