//! An object of the file: a group with children, or a dataset.

use std::collections::BTreeMap;

use super::attribute::{self, Texts};
use super::data::{self, Array};
use super::file::Hdf5;
use super::group;
use super::header::{self, Messages};
use crate::error::Problem;

/// A group or a dataset.
#[derive(Debug, Clone)]
pub(in crate::import::keras) struct Object<'f> {
    file: &'f Hdf5,
    messages: Messages,
}

impl<'f> Object<'f> {
    /// The outermost group of a file.
    ///
    /// # Errors
    /// When its header is damaged.
    pub(in crate::import::keras) fn root(file: &'f Hdf5) -> Result<Self, Problem> {
        Self::open(file, file.root)
    }

    fn open(file: &'f Hdf5, address: u64) -> Result<Self, Problem> {
        Ok(Self { file, messages: header::messages(file, address)? })
    }

    /// Name and address of the objects in a group; none for a dataset.
    ///
    /// # Errors
    /// When the group is damaged.
    pub(in crate::import::keras) fn children(&self) -> Result<BTreeMap<String, u64>, Problem> {
        group::children(self.file, &self.messages)
    }

    /// The object at an address that [`Object::children`] gave.
    ///
    /// # Errors
    /// When its header is damaged.
    pub(in crate::import::keras) fn at(&self, address: u64) -> Result<Self, Problem> {
        Self::open(self.file, address)
    }

    /// The object at a path of names joined by `/`, from this group on.
    ///
    /// # Errors
    /// When a group on the way is damaged.
    pub(in crate::import::keras) fn find(&self, path: &str) -> Result<Option<Self>, Problem> {
        let mut object = self.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match object.children()?.get(name) {
                Some(address) => object = object.at(*address)?,
                None => return Ok(None),
            }
        }
        Ok(Some(object))
    }

    /// The texts of an attribute; `None` when there is none of that name, or it is no text.
    ///
    /// # Errors
    /// When it is damaged.
    pub(in crate::import::keras) fn texts(&self, name: &str) -> Result<Option<Texts>, Problem> {
        attribute::texts(self.file, &self.messages, name)
    }

    /// The single text of an attribute.
    ///
    /// # Errors
    /// When it is damaged.
    pub(in crate::import::keras) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        Ok(self.texts(name)?.and_then(|texts| texts.into_iter().next()))
    }

    /// The values of a dataset.
    ///
    /// # Errors
    /// When it is no dataset of real numbers, or damaged.
    pub(in crate::import::keras) fn array(&self) -> Result<Array, Problem> {
        data::array(self.file, &self.messages)
    }
}
