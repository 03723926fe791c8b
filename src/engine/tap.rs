//! A tapped layer as a map `[batch, channels, height, width]`, whichever the order of its axes.
//!
//! Receives a layer's tensor, gives the cells of its grid channels first, and puts changed cells back: channels that come
//! last are moved, tokens before the grid keep their values. Nothing else in this room knows tokens.

use burn::tensor::Tensor;

use super::value::Value;
use crate::card::ValueId;
use crate::error::{Error, Problem, Result};
use burncam_graph::layout::{Form, Grid};

/// A tapped layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    /// Its tensor.
    pub(super) id: ValueId,
    pub(super) grid: Grid,
}

/// A layer's tensor taken apart.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// The grid, `[batch, channels, height, width]`.
    pub(super) map: Tensor<4>,
    /// Tokens before it, `[batch, prefix, channels]`.
    prefix: Option<Tensor<3>>,
    form: Form,
    /// The shape of a tensor of another rank than four, of one picture.
    shape: Option<Vec<usize>>,
}

impl Tap {
    /// Takes the layer's tensor apart.
    ///
    /// # Errors
    /// When it has another rank than its grid says.
    pub(super) fn cells(&self, value: Value) -> Result<Cells> {
        let Grid { form, channels, height, width, .. } = self.grid;
        let shape = (form == Form::ChannelsFirst && value.shape().len() != 4).then(|| value.shape());
        let (map, prefix) = match (form, value) {
            (Form::ChannelsFirst, Value::R4(map)) => (map, None),
            (Form::ChannelsLast, Value::R4(map)) => (map.permute([0, 3, 1, 2]), None),
            (Form::Tokens { prefix }, Value::R3(tokens)) => {
                let [batch, count, _] = tokens.dims();
                let cells = tokens.clone().narrow(1, prefix, count - prefix);
                let map = cells.reshape([batch, height, width, channels]).permute([0, 3, 1, 2]);
                (map, (prefix > 0).then(|| tokens.narrow(1, 0, prefix)))
            }
            // Heads of attention that the batch is one axis with.
            (Form::ChannelsFirst, other)
                if other.shape().iter().product::<usize>() == channels * height * width =>
            {
                (other.reshape(&[1, channels, height, width])?.into_rank4()?, None)
            }
            (form, other) => {
                let found = format!("{:?}", other.shape());
                return Err(Error::internal(Problem::expected_but(format!("a layer of {form:?}"), found)));
            }
        };
        Ok(Cells { map, prefix, form, shape })
    }
}

impl Cells {
    /// The layer's tensor with these cells in the place of its own, for one or several variants of the picture.
    ///
    /// # Errors
    /// When the layer's shape is not that of the cells.
    pub(super) fn with(&self, map: Tensor<4>) -> Result<Value> {
        Ok(match self.form {
            Form::ChannelsFirst => match &self.shape {
                Some(shape) => Value::R4(map).reshape(shape)?,
                None => map.into(),
            },
            Form::ChannelsLast => map.permute([0, 2, 3, 1]).into(),
            Form::Tokens { .. } => {
                let [batch, channels, height, width] = map.dims();
                let tokens = map.permute([0, 2, 3, 1]).reshape([batch, height * width, channels]);
                match &self.prefix {
                    Some(prefix) => {
                        let copies = batch / prefix.dims()[0];
                        Tensor::cat(vec![prefix.clone().repeat_dim(0, copies), tokens], 1).into()
                    }
                    None => tokens.into(),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceName;

    fn tap(form: Form) -> Tap {
        let grid = Grid { form, channels: 2, height: 2, width: 2, is_certain: true };
        Tap { id: ValueId::of_node(0), grid }
    }

    fn value(shape: &[usize]) -> Value {
        let count = shape.iter().product::<usize>();
        let device = "flex".parse::<DeviceName>().unwrap().open().unwrap();
        Value::new((0..count).map(|number| number as f32).collect(), shape, &device).unwrap()
    }

    #[test]
    fn tokens_are_a_map_as_pytorch_grad_cam_reshapes_them() {
        // Its reshape_transform drops token 0; the numbers are of tokens 0..9 with two channels.
        let cells = tap(Form::Tokens { prefix: 1 }).cells(value(&[1, 5, 2])).unwrap();
        assert_eq!(cells.map.dims(), [1, 2, 2, 2]);
        let map = Value::R4(cells.map).to_vec().unwrap();
        assert_eq!(map, [2.0, 4.0, 6.0, 8.0, 3.0, 5.0, 7.0, 9.0]);
    }

    #[test]
    fn a_layer_put_together_again_is_itself() {
        let forms = [
            (Form::ChannelsFirst, vec![1, 2, 2, 2]),
            (Form::ChannelsLast, vec![1, 2, 2, 2]),
            (Form::Tokens { prefix: 0 }, vec![1, 4, 2]),
            (Form::Tokens { prefix: 3 }, vec![1, 7, 2]),
            (Form::ChannelsFirst, vec![2, 2, 2]),
            (Form::ChannelsFirst, vec![1, 1, 2, 2, 2]),
        ];
        for (form, shape) in forms {
            let whole = value(&shape);
            let cells = tap(form).cells(whole.clone()).unwrap();
            assert_eq!(
                cells.with(cells.map.clone()).unwrap().to_vec().unwrap(),
                whole.to_vec().unwrap(),
                "{form:?}"
            );
        }
    }

    #[test]
    fn variants_keep_the_tokens_before_the_grid() {
        let cells = tap(Form::Tokens { prefix: 1 }).cells(value(&[1, 5, 2])).unwrap();
        let two = cells.with(cells.map.clone().mul_scalar(0.0).repeat_dim(0, 2)).unwrap();
        assert_eq!(two.shape(), [2, 5, 2]);
        assert_eq!(two.to_vec().unwrap()[10..14], [0.0, 1.0, 0.0, 0.0]);
    }
}
