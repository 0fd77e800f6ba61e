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

/// Characters of a number: a double's shortest text has up to 17 digits, a sign and a point, and an exponent
/// of up to five; integers are shorter.
const LONGEST_NUMBER: usize = 24;

impl Change {
    /// What a field that holds `current` holds afterwards; `None` is a field that is not there.
    ///
    /// Integers are exact: a sum outside of −2⁶³ ..= 2⁶⁴ − 1 is an overflow. A sum with a fraction in it is a
    /// double's.
    ///
    /// # Errors
    /// The change has no effect.
    pub fn apply(&self, current: Option<&Arc<Value>>) -> Result<Option<Arc<Value>>, NoEffect> {
        match (self, current) {
            (Self::Set(value), _) => Ok(Some(Arc::clone(value))),
            (Self::Remove, _) => Ok(None),
            (Self::Increment(number) | Self::Max(number) | Self::Min(number), None) => {
                Ok(Some(Arc::new(Value::Number(number.clone()))))
            }
            (Self::Increment(_) | Self::Max(_) | Self::Min(_), Some(current)) => {
                let Value::Number(held) = &**current else { return Err(NoEffect::NotANumber) };
                let new = self.number_after(held)?;
                Ok(Some(new.map_or_else(|| Arc::clone(current), |number| Arc::new(Value::Number(number)))))
            }
        }
    }

    /// As [`apply`](Self::apply), where the field holds a number that nobody else holds: it changes where it
    /// stands. `false`: it is no such field, or this no change of numbers, and nothing happened.
    pub(crate) fn apply_in_place(&self, current: &mut Arc<Value>) -> Result<bool, NoEffect> {
        if matches!(self, Self::Set(_) | Self::Remove) {
            return Ok(false);
        }
        let Some(Value::Number(held)) = Arc::get_mut(current) else { return Ok(false) };
        if let Some(new) = self.number_after(held)? {
            *held = new;
        }
        Ok(true)
    }

    /// What a change of numbers makes of one; `None`: it stays.
    fn number_after(&self, held: &Number) -> Result<Option<Number>, NoEffect> {
        match self {
            Self::Increment(by) => sum(held, by).map(Some),
            Self::Max(to) => Ok(select(held, to, Ordering::Less)),
            Self::Min(to) => Ok(select(held, to, Ordering::Greater)),
            Self::Set(_) | Self::Remove => Ok(None),
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

    /// Bytes that its operand takes as text, at most.
    pub(crate) fn text_len(&self) -> usize {
        match self {
            Self::Set(value) => json::text_len(value),
            Self::Remove => 1,
            Self::Increment(_) | Self::Max(_) | Self::Min(_) => LONGEST_NUMBER,
        }
    }
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
