//! Pools whose keys are typed.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ContributeError;
use crate::events::Entry;
use crate::pool::Pool;

/// A type whose values can be keys. Equal keys have equal texts, different ones different texts, on every server
/// that uses the pool.
///
/// Texts are their own; whole numbers are decimal texts, `bool` and `char` as they are displayed; whatever has a
/// JSON form is a key in [`JsonKey`]. Implement it for types of your own.
pub trait Key: Sized {
    /// The text that goes over the bus.
    ///
    /// # Errors
    /// If it has none.
    fn to_text(&self) -> Result<Cow<'_, str>, serde_json::Error>;

    /// The key of a text; `None` if it is of none, such as another program's.
    fn from_text(text: &str) -> Option<Self>;
}

impl Key for String {
    fn to_text(&self) -> Result<Cow<'_, str>, serde_json::Error> {
        Ok(Cow::Borrowed(self))
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A type that is displayed as it is parsed.
macro_rules! displayed {
    ($($key:ty),*) => {$(
        impl Key for $key {
            fn to_text(&self) -> Result<Cow<'_, str>, serde_json::Error> {
                Ok(Cow::Owned(self.to_string()))
            }

            /// Other spellings (`+7`, `007`) are no keys, so that each key has one text.
            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok().filter(|key: &Self| key.to_string() == text)
            }
        }
    )*};
}

displayed!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, bool, char);

/// A key that is its JSON text. Its serialization must be the same for equal values: no hash maps in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonKey<T>(pub T);

impl<T: Serialize + DeserializeOwned> Key for JsonKey<T> {
    fn to_text(&self) -> Result<Cow<'_, str>, serde_json::Error> {
        serde_json::to_string(&self.0).map(Cow::Owned)
    }

    /// Other spellings (`[1, 2]` instead of `[1,2]`) are no keys, so that each key has one text.
    fn from_text(text: &str) -> Option<Self> {
        let key = Self(serde_json::from_str(text).ok()?);
        key.to_text().is_ok_and(|own| own == text).then_some(key)
    }
}

/// A pool whose keys are of type `K`: a [`Pool`] seen through [`Key`]. Clones are the same pool. Entries whose keys
/// are texts of no `K` are there in the pool, and not seen here.
pub struct KeyedPool<K, T> {
    pool: Pool<T>,
    keys: PhantomData<fn() -> K>,
}

impl<K, T> Clone for KeyedPool<K, T> {
    fn clone(&self) -> Self {
        Self::new(self.pool.clone())
    }
}

impl<K, T> KeyedPool<K, T> {
    pub(crate) const fn new(pool: Pool<T>) -> Self {
        Self { pool, keys: PhantomData }
    }

    /// The pool with its keys as texts: for events, snapshots and whatever else.
    pub const fn as_pool(&self) -> &Pool<T> {
        &self.pool
    }
}

impl<K: Key, T> KeyedPool<K, T> {
    /// As [`Pool::get`]. `None` also if the key has no text.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Arc<T>> {
        self.pool.get(&key.to_text().ok()?)
    }

    /// As [`Pool::iter`], ordered by the keys' texts.
    pub fn iter(&self) -> impl Iterator<Item = (K, Entry<T>)> + use<K, T> {
        self.pool.iter().filter_map(|entry| Some((K::from_text(&entry.key)?, entry)))
    }

    /// As [`Pool::withdraw`]. `false` also if the key has no text.
    pub fn withdraw(&self, key: &K) -> bool {
        key.to_text().is_ok_and(|key| self.pool.withdraw(&key))
    }
}

impl<K: Key, T: Serialize + DeserializeOwned + Send + Sync + 'static> KeyedPool<K, T> {
    /// As [`Pool::contribute`].
    ///
    /// # Errors
    /// See [`ContributeError`]; `Encode` also if the key has no text.
    pub fn contribute(&self, key: &K, value: &T) -> Result<(), ContributeError> {
        self.pool.contribute(&key.to_text()?, value)
    }
}
