//! Shape rules of operations with stored tensors: convolutions, norms and linear layers.
//!
//! Receives an operation with the shapes of its inputs and stored tensors; gives its output's, or why there is none. Operations
//! without stored tensors are in the parent.

use super::{Shape, Site, channels};
use crate::card::Op;
use crate::error::Problem;
use crate::window::{Window, image};

impl Site<'_> {
    pub(super) fn conv2d(&self) -> Shape {
        let Op::Conv2d { stride, padding, dilation, groups } = self.op else {
            return Err(Problem::default());
        };
        let [_, channels, ..] = image(self.inputs[0])?;
        let weight = self.tensor("weight")?.unwrap_or_default();
        let &[out, per_group, height, width] = weight else {
            return Err(Problem::new(format!("its weight has shape {weight:?}"))
                .expected("[out, in / groups, height, width]"));
        };
        // Checked: `groups` is a number from a file.
        if per_group.checked_mul(*groups) != Some(channels) || out % groups != 0 || height * width == 0 {
            return Err(format!(
                "its weight has shape {weight:?}, which does not fit {channels} channels in {groups} groups"
            )
            .into());
        }
        self.require("bias", &[out])?;
        let window = Window { kernel: &[height, width], stride, padding, dilation, ceil: false };
        window.output(self.inputs[0]).map(|shape| vec![shape[0], out, shape[2], shape[3]])
    }

    pub(super) fn conv_transpose(&self) -> Shape {
        let Op::ConvTranspose2d { stride, padding, output_padding, dilation, groups } = self.op else {
            return Err(Problem::default());
        };
        let [batch, channels, height, width] = image(self.inputs[0])?;
        let weight = self.tensor("weight")?.unwrap_or_default();
        let &[input, per_group, rows, columns] = weight else {
            return Err(Problem::new(format!("its weight has shape {weight:?}"))
                .expected("[in, out / groups, height, width]"));
        };
        if input != channels || !input.is_multiple_of(*groups) || rows * columns == 0 {
            return Err(format!(
                "its weight has shape {weight:?}, which does not fit {channels} channels in {groups} groups"
            )
            .into());
        }
        let out = per_group * groups;
        self.require("bias", &[out])?;
        let side = |axis: usize, size: usize, kernel: usize| {
            let whole = (size - 1) * stride[axis] + dilation[axis] * (kernel - 1) + 1 + output_padding[axis];
            let cut = padding[2 * axis] + padding[2 * axis + 1];
            // Padding of a transposed convolution cuts its output off.
            whole.checked_sub(cut).ok_or_else(|| {
                Problem::new(format!("cuts {cut} off a side of {whole}")).expected("less than all of it")
            })
        };
        Ok(vec![batch, out, side(0, height, rows)?, side(1, width, columns)?])
    }

    pub(super) fn batch_norm(&self) -> Shape {
        let x = self.inputs[0];
        for role in ["gamma", "beta", "running_mean", "running_var"] {
            self.require(role, &[channels(x)?])?;
        }
        Ok(x.to_vec())
    }

    pub(super) fn layer_norm(&self) -> Shape {
        let x = self.inputs[0];
        let gamma = self.tensor("gamma")?.unwrap_or_default();
        // The first axis is the batch; normalising over it would mix pictures.
        if gamma.is_empty() || gamma.len() >= x.len() || !x.ends_with(gamma) {
            return Err(Problem::new(format!("its gamma has shape {gamma:?}"))
                .expected(format!("the last axes of its input {x:?}")));
        }
        self.require("beta", gamma)?;
        Ok(x.to_vec())
    }

    pub(super) fn group_norm(&self, groups: usize) -> Shape {
        let x = self.inputs[0];
        let channels = channels(x)?;
        if !channels.is_multiple_of(groups) {
            return Err(format!("its {channels} channels do not divide into {groups} groups").into());
        }
        for role in ["gamma", "beta"] {
            self.require(role, &[channels])?;
        }
        Ok(x.to_vec())
    }

    pub(super) fn linear(&self) -> Shape {
        let x = self.inputs[0];
        let weight = self.tensor("weight")?.unwrap_or_default();
        let (&[input, output], [rest @ .., last]) = (weight, x) else {
            return Err(Problem::new(format!("its weight has shape {weight:?}")).expected("[in, out]"));
        };
        if input != *last || rest.is_empty() {
            return Err(
                format!("its weight has shape {weight:?}, which does not fit an input of {x:?}").into()
            );
        }
        self.require("bias", &[output])?;
        Ok([rest, &[output]].concat())
    }

    pub(super) fn prelu(&self) -> Shape {
        let x = self.inputs[0];
        let channels = x.get(1).copied().unwrap_or_default();
        // One slope for all channels is PyTorch's default; several must be one per channel.
        if self.tensor("slope")? != Some(&[1]) {
            self.require("slope", &[channels])?;
        }
        Ok(x.to_vec())
    }
}
