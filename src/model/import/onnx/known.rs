//! Inputs that are the same for every picture.
//!
//! Receives what the caller says of them; gives constants of the types that the file wants. The picture is in
//! [`input`](super::input).

use std::collections::HashMap;

use ndarray::ArrayD;

use super::cast::is_real;
use super::constant::{Constant, both};
use super::input::spelled;
use super::messages::GraphProto;
use super::site::Value;
use crate::error::Problem;
use crate::import::request::KnownInput;

/// The values of inputs that are the same for every picture, as the file's types want them.
pub(super) fn known(graph: &GraphProto, inputs: &[KnownInput]) -> Result<HashMap<String, Value>, Problem> {
    let mut values = HashMap::new();
    for KnownInput { name, shape, values: numbers } in inputs {
        let names = graph.input.iter().map(|input| input.name.as_str());
        let Some(info) = graph.input.iter().find(|input| input.name == *name) else {
            return Err(Problem::new(format!("has no input '{name}'"))
                .near(name, names.clone())
                .known("its inputs are", names.collect::<Vec<_>>()));
        };
        let tensor =
            info.tensor().ok_or_else(|| Problem::new(format!("its input '{name}' is not a tensor")))?;
        let dim = tensor.shape.iter().flat_map(|shape| &shape.dim);
        let sides: Vec<Option<i64>> = dim.map(|side| side.dim_value.filter(|side| *side > 0)).collect();
        let fits = sides.len() == shape.len()
            && sides
                .iter()
                .zip(shape)
                .all(|(wanted, side)| wanted.is_none_or(|wanted| wanted == *side as i64));
        if !fits {
            return Err(
                Problem::new(format!("its input '{name}' was given as {shape:?}")).expected(spelled(&sides))
            );
        }
        let array = ArrayD::from_shape_vec(shape.clone(), numbers.clone());
        let array = array.map_err(|cause| Problem::new(cause.to_string()))?;
        let constant = match is_real(i64::from(tensor.elem_type)) {
            Some(false) => Constant::Int(array.mapv(|number| both(number as i64))),
            _ => Constant::Float(array),
        };
        values.insert(name.clone(), constant.into());
    }
    Ok(values)
}
