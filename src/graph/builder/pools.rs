//! Layers that make one value of many cells.

use super::layers::{GraphBuilder, Value};
use super::window::Pool;
use crate::card::Op;

impl GraphBuilder {
    /// Greatest value in each window.
    pub fn max_pool(&mut self, name: &str, input: &Value, pool: Pool) -> Value {
        let Pool { kernel, stride, padding, ceil_mode } = pool;
        let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 4]);
        let op = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode };
        self.plain(name, input, op)
    }

    /// Mean of each window; padding counts as zeros.
    pub fn avg_pool(&mut self, name: &str, input: &Value, pool: Pool) -> Value {
        let Pool { kernel, stride, padding, ceil_mode } = pool;
        let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 4]);
        let op = Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad: true };
        self.plain(name, input, op)
    }

    /// Mean over windows that divide the input into `side` by `side` cells.
    pub fn adaptive_avg_pool(&mut self, name: &str, input: &Value, side: usize) -> Value {
        self.plain(name, input, Op::AdaptiveAvgPool2d { output_size: [side; 2] })
    }

    /// Mean over height and width.
    pub fn global_avg_pool(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::GlobalAvgPool {})
    }
}
