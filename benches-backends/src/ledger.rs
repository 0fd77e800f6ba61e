//! Bodies that carry a number, and the ledger of those that came.

use bytes::Bytes;

/// Bytes of a body.
pub const BODY: usize = 100;

const DIGITS: usize = 20;

/// A body that carries a number: a JSON string of 100 bytes, so that any bus and any format takes it as it is.
#[must_use]
pub fn body(number: u64) -> Bytes {
    let mut body = vec![b'x'; BODY];
    (body[0], body[BODY - 1]) = (b'"', b'"');
    let mut rest = number;
    for digit in body[1..=DIGITS].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    body.into()
}

/// The number that a body carries; `None` for what is no such body.
#[must_use]
pub fn number(body: &[u8]) -> Option<u64> {
    let digits = body.get(1..=DIGITS).filter(|_| body.len() == BODY)?;
    let add = |number: u64, digit: &u8| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    digits.iter().try_fold(0, add)
}

/// Which of the numbers that were sent have come. Each is sent once, in order.
#[derive(Clone, Debug)]
pub struct Ledger {
    first: u64,
    came: Vec<bool>,
    missing: usize,
    last: Option<u64>,
    faults: Faults,
}

/// What should not have happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Numbers that did not come.
    pub lost: usize,
    /// That came once more.
    pub doubled: usize,
    /// That came after a later one.
    pub late: usize,
    /// Bodies that nobody sent.
    pub foreign: usize,
}

impl Ledger {
    /// Expects `count` numbers from `first` on.
    #[must_use]
    pub fn new(first: u64, count: usize) -> Self {
        Self { first, came: vec![false; count], missing: count, last: None, faults: Faults::default() }
    }

    /// A body came.
    pub fn enter(&mut self, body: &[u8]) {
        let place = number(body).and_then(|number| number.checked_sub(self.first));
        let Some((place, came)) = place.and_then(|place| Some((place, self.came.get_mut(place as usize)?)))
        else {
            self.faults.foreign += 1;
            return;
        };
        if std::mem::replace(came, true) {
            self.faults.doubled += 1;
            return;
        }
        self.missing -= 1;
        self.faults.late += usize::from(self.last.is_some_and(|last| last > place));
        self.last = self.last.max(Some(place));
    }

    /// Whether all have come.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.missing == 0
    }

    /// What is wrong, if this is the end.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults { lost: self.missing, ..self.faults }
    }
}
