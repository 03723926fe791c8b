//! How photos and tensors are read, a part of the request.

use std::path::PathBuf;

use crate::input::{Layout, ReadOptions};

/// How photos and tensors are read.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// For picture files. Default: transparency on white, colours as stored, damaged files with a warning.
    pub options: ReadOptions,
    /// Order of the axes in `.npy` tensors. Default: channels first.
    pub layout: Layout,
    /// The picture on which `.npy` tensors are drawn. Default: one reconstructed from the tensor. A photo, drawn on itself, is then refused.
    pub drawn_on: Option<PathBuf>,
    /// Whether photos are read as by [`Picture::open_for`](crate::input::Picture::open_for), because nothing is drawn on them. Default: false.
    pub reduced: bool,
}
