//! The fields of a record.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use litemap::LiteMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::change::{Change, NoEffect};

#[cfg(test)]
mod tests;

/// Among so few fields one is looked for from the first to the last. Most names differ in their length, which stands
/// beside the pointer; halving follows a pointer at each step, to compare, and takes more than twice as long among ten
/// fields (`cargo xtask bench store`).
const SCANNED: usize = 16;

/// A record's fields by name, in the order of the names. Names and values are shared, so copies are cheap.
///
/// It is one allocation, whatever the number of fields: finding a field takes the logarithm of their number
/// (if it is over 16), and adding or removing one time in proportion to it.
#[derive(Clone, Default, PartialEq)]
pub struct Object(LiteMap<Arc<str>, Arc<Value>>);

impl Object {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(LiteMap::new_vec())
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Arc<Value>> {
        if self.len() > SCANNED {
            return self.0.get(field);
        }
        self.iter().find(|(name, _)| ***name == *field).map(|(_, value)| value)
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn contains_key(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// All fields, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Arc<Value>)> {
        self.into_iter()
    }

    /// The names of all fields, in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.iter().map(|(field, _)| field)
    }

    /// Gives a field this value, and gives back the one that it had.
    pub fn insert(&mut self, field: Arc<str>, value: Arc<Value>) -> Option<Arc<Value>> {
        self.0.insert(field, value)
    }

    /// Removes a field, and gives back what it held.
    pub fn remove(&mut self, field: &str) -> Option<Arc<Value>> {
        self.0.remove(field)
    }

    /// Applies a change to a field, in place where it can be.
    pub(crate) fn apply<F: AsRef<str> + Into<Arc<str>>>(
        &mut self,
        field: F,
        change: &Change,
    ) -> Result<(), NoEffect> {
        let Some(value) = self.0.get_mut(field.as_ref()) else {
            if let Some(new) = change.apply(None)? {
                self.insert(field.into(), new);
            }
            return Ok(());
        };
        if change.apply_in_place(value)? {
            return Ok(());
        }
        match change.apply(Some(value))? {
            Some(new) => *value = new,
            None => drop(self.remove(field.as_ref())),
        }
        Ok(())
    }

    /// The field's name, shared with the one here if there is such a field.
    pub(crate) fn name(&self, field: &str) -> Arc<str> {
        let at = self.0.find_index(field).ok();
        let held = at.and_then(|at| self.0.get_indexed(at)).map(|(name, _)| Arc::clone(name));
        held.unwrap_or_else(|| field.into())
    }
}

impl Index<&str> for Object {
    type Output = Arc<Value>;

    /// The value of a field.
    ///
    /// # Panics
    /// If there is no such field.
    fn index(&self, field: &str) -> &Arc<Value> {
        self.get(field).expect("the record has the field that it is indexed with")
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Arc<str>, &'a Arc<Value>);
    type IntoIter = <&'a LiteMap<Arc<str>, Arc<Value>> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

impl FromIterator<(Arc<str>, Arc<Value>)> for Object {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<Value>)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        let mut object = LiteMap::with_capacity(fields.size_hint().0); // Exactly as long as it has to be.
        object.extend(fields);
        Self(object)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}
