//! Parts that few records have at a time, so that the others do not pay for them.

use std::ops::{Deref, DerefMut};

/// A part of a record that takes a pointer as long as it is vacant.
///
/// To read it allocates nothing. To write it does, until [`tidy`](Self::tidy) finds it vacant again.
#[derive(Debug)]
pub(crate) struct Rare<T>(Option<Box<T>>);

/// What there is to say of a part that does not say anything.
pub(crate) trait Vacant: Default + 'static {
    /// The part as it is made.
    const VACANT: &'static Self;

    /// Whether it is as it was made, in all that matters.
    fn is_vacant(&self) -> bool;
}

impl<T: Vacant> Rare<T> {
    /// Whether it takes a pointer alone.
    #[cfg(test)]
    pub(crate) const fn is_tidy(&self) -> bool {
        self.0.is_none()
    }

    /// Gives the memory back if there is nothing in it.
    pub(crate) fn tidy(&mut self) {
        if self.0.as_ref().is_some_and(|part| part.is_vacant()) {
            self.0 = None;
        }
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Vacant> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::VACANT)
    }
}

impl<T: Vacant> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
