//! A reader of HDF5, as far as Keras writes it through h5py.
//!
//! Receives a [`Store`]; gives groups, text attributes and arrays of real numbers. Both generations of the format are read: symbol
//! tables, object headers of version 1 and chunks by B-trees, which h5py writes by default, and the headers, links and
//! attributes of version 2, which HDF5 2.0 writes. Everything is checked against the file's length before it is read or
//! reserved, and damage is an error. Not read: references, compound types, external files, virtual datasets, and
//! the chunk indices that need `libver="latest"`.
//!
//! The kept crates were compared: `hdf5-metno` needs the C library; `hdf5-pure`, `rust-hdf5` and `hdf5-pure-rust` are 100,000 lines
//! and more, for writing too; `hdf5-reader`, the nearest, is 30,000 and needs a feature of `thiserror` with which all of
//! Burn would be built again; `hdf5file` has no attributes.

mod attribute;
mod chunks;
mod cursor;
mod data;
mod file;
mod group;
mod header;
mod heap;
mod kind;
mod marks;
mod object;
mod store;
mod tree;

pub(super) use data::Array;
pub(super) use file::Hdf5;
pub(super) use object::Object;
pub(super) use store::Store;

#[cfg(test)]
mod tests;
