//! What an operation does to one field.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Number, Value};

use crate::json::{self, Canonical};

/// A change of one field, as data, so that it can be applied to whatever the field holds by then.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Gives it this value.
    Set(Arc<Value>),
    /// Removes it.
    Remove,
    /// Adds this; a field that is not there counts as 0.
    Increment(Number),
    /// Raises it to at least this; a field that is not there becomes this.
    Max(Number),
    /// Lowers it to at most this; a field that is not there becomes this.
    Min(Number),
}

/// Why a change leaves a field as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEffect {
    /// The field holds something that is no number.
    NotANumber,
    /// The sum is out of range.
    Overflow,
}

impl Change {
    /// What a field that holds `current` holds afterwards; `None` is a field that is not there.
    ///
    /// Integers are exact: a sum outside of −2⁶³ ..= 2⁶⁴ − 1 is an overflow. A sum with a fraction in it is a
    /// double's.
    ///
    /// # Errors
    /// The change has no effect.
    pub fn apply(&self, current: Option<&Arc<Value>>) -> Result<Option<Arc<Value>>, NoEffect> {
        match self {
            Self::Set(value) => Ok(Some(Arc::clone(value))),
            Self::Remove => Ok(None),
            Self::Increment(by) => with_number(current, by, |held| sum(held, by).map(Some)),
            Self::Max(to) => with_number(current, to, |held| Ok(select(held, to, Ordering::Less))),
            Self::Min(to) => with_number(current, to, |held| Ok(select(held, to, Ordering::Greater))),
        }
    }

    /// One change with the effect of `self` and then `next`, where there is one: exact for all that this
    /// process saw, so sums with fractions, which round, are left alone.
    pub(crate) fn then(&self, next: &Self) -> Option<Self> {
        match (self, next) {
            (_, Self::Set(_) | Self::Remove) => Some(next.clone()),
            (Self::Set(value), _) => next.apply(Some(value)).ok()?.map(Self::Set),
            (Self::Remove, _) => next.apply(None).ok()?.map(Self::Set),
            (Self::Increment(a), Self::Increment(b)) => {
                let (a, b) = (a.as_i128()?, b.as_i128()?);
                integer(a + b).map(Self::Increment)
            }
            (Self::Max(a), Self::Max(b)) => {
                Some(Self::Max(select(a, b, Ordering::Less).unwrap_or(a.clone())))
            }
            (Self::Min(a), Self::Min(b)) => {
                Some(Self::Min(select(a, b, Ordering::Greater).unwrap_or(a.clone())))
            }
            _ => None,
        }
    }

    /// Bytes that its operand takes as text.
    pub(crate) fn text_len(&self) -> usize {
        match self {
            Self::Set(value) => json::text_len(value),
            Self::Remove => 1,
            Self::Increment(number) | Self::Max(number) | Self::Min(number) => json::text_len(number),
        }
    }
}

/// Applies `f` to the number that the field holds. It gives the new number, or `None` to keep the old.
fn with_number(
    current: Option<&Arc<Value>>,
    missing: &Number,
    f: impl FnOnce(&Number) -> Result<Option<Number>, NoEffect>,
) -> Result<Option<Arc<Value>>, NoEffect> {
    let Some(current) = current else {
        return Ok(Some(Arc::new(Value::Number(missing.clone()))));
    };
    let Value::Number(held) = &**current else {
        return Err(NoEffect::NotANumber);
    };
    let new = f(held)?;
    Ok(Some(new.map_or_else(|| Arc::clone(current), |number| Arc::new(Value::Number(number)))))
}

fn sum(a: &Number, b: &Number) -> Result<Number, NoEffect> {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
        return integer(a + b).ok_or(NoEffect::Overflow);
    }
    let sum = Canonical::of(a).as_f64() + Canonical::of(b).as_f64();
    Number::from_f64(sum).ok_or(NoEffect::Overflow)
}

/// A JSON integer, if it is one that every reader of ours keeps exactly.
fn integer(value: i128) -> Option<Number> {
    i64::try_from(value).map(Number::from).or_else(|_| u64::try_from(value).map(Number::from)).ok()
}

/// `to`, if `held` compares to it as `when` says.
fn select(held: &Number, to: &Number, when: Ordering) -> Option<Number> {
    (compare(held, to) == when).then(|| to.clone())
}

fn compare(a: &Number, b: &Number) -> Ordering {
    match (Canonical::of(a), Canonical::of(b)) {
        (Canonical::Integer(a), Canonical::Integer(b)) => a.cmp(&b),
        (a, b) => a.as_f64().total_cmp(&b.as_f64()),
    }
}
