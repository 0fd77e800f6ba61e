//! Frames in: whatever arrives becomes a checked frame or a typed error.

use std::borrow::Cow;
use std::time::Duration;

use super::elements::Elements;
use super::{Body, Delta, FORMAT, Frame, Header, Kind, MAX_INT, Member, Op, Steps, Want};
use crate::config::MAX_SERVER_NAME;

/// The longest body looked at, in bytes: the largest frame if each of its characters took four.
const MAX_RECEIVED: usize = 4 * 64 * 1024;

/// Why a body is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("longer than any frame")]
    TooLong,
    #[error("no JSON array")]
    NoArray,
    #[error("of a format that is not known")]
    Format,
    #[error("too short")]
    TooShort,
    #[error("a number is missing, no whole number or too large")]
    Number,
    #[error("a text is missing, empty or too long")]
    Text,
    #[error("versions contradict each other")]
    Versions,
}

/// Reads a frame and checks that its parts agree with each other.
pub(crate) fn decode(body: &[u8]) -> Result<Frame<'_>, Malformed> {
    if body.len() > MAX_RECEIVED {
        return Err(Malformed::TooLong);
    }
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NoArray)?;
    let mut reader = Reader(Elements::new(text)?);
    if reader.0.number().map_err(|_| Malformed::Format)? != FORMAT {
        return Err(Malformed::Format);
    }
    let kind = reader.0.number()?;
    let header = reader.header()?;
    let body = reader.body(kind, &header)?;
    reader.0.finish()?;
    Ok(Frame { header, body })
}

struct Reader<'a>(Elements<'a>);

impl<'a> Reader<'a> {
    fn server(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let name = self.0.text()?;
        let fits = (1..=MAX_SERVER_NAME).contains(&name.len());
        if fits { Ok(name) } else { Err(Malformed::Text) }
    }

    fn header(&mut self) -> Result<Header, Malformed> {
        let header = Header {
            server: self.server()?.into(),
            incarnation: self.0.number()?,
            sequence: self.0.number()?,
            head: self.0.number()?,
            pruned: self.0.number()?,
            hash: self.hash()?,
        };
        if header.pruned > header.head { Err(Malformed::Versions) } else { Ok(header) }
    }

    fn body(&mut self, kind: u64, header: &Header) -> Result<Body<'a>, Malformed> {
        Ok(match kind {
            k if k == Kind::Heartbeat as u64 => Body::Heartbeat { members: self.members()? },
            k if k == Kind::Join as u64 => Body::Join { all: self.0.is_empty() },
            k if k == Kind::Pull as u64 => Body::Pull(self.wants()?),
            k if k == Kind::Delta as u64 => Body::Delta(self.delta(header)?),
            k if k == Kind::Leave as u64 => Body::Leave,
            k if k == Kind::Ask as u64 => Body::Ask(self.server()?),
            k if k == Kind::Roster as u64 => Body::Roster(self.roster()?),
            _ => Body::Unknown,
        })
    }

    fn hash(&mut self) -> Result<u32, Malformed> {
        self.0.number()?.try_into().map_err(|_| Malformed::Number)
    }

    fn members(&mut self) -> Result<Option<u32>, Malformed> {
        if self.0.is_empty() { Ok(None) } else { self.hash().map(Some) }
    }

    fn roster(&mut self) -> Result<Vec<Member>, Malformed> {
        let mut members = Vec::new();
        while !self.0.is_empty() {
            let (server, incarnation) = (self.server()?.into(), self.0.number()?);
            let (head, hash) = (self.0.number()?, self.hash()?);
            let header = Header { server, incarnation, sequence: 0, head, pruned: 0, hash };
            members.push(Member { header, age: Duration::from_millis(self.0.number()?) });
        }
        Ok(members)
    }

    fn wants(&mut self) -> Result<Vec<Want<'a>>, Malformed> {
        let mut wants = Vec::new();
        while !self.0.is_empty() {
            let server = self.server()?;
            let want =
                Want { server, incarnation: self.0.number()?, from: self.0.number()?, to: self.0.number()? };
            if want.from >= want.to {
                return Err(Malformed::Versions);
            }
            wants.push(want);
        }
        Ok(wants)
    }

    fn delta(&mut self, header: &Header) -> Result<Delta<'a>, Malformed> {
        let (from, to, base) = (self.0.number()?, self.0.number()?, self.0.number()?);
        if from >= to || to > header.head {
            return Err(Malformed::Versions);
        }
        let (mut ops, mut steps) = (Vec::new(), Steps::new(from, base));
        while !self.0.is_empty() {
            ops.push(self.op(&mut steps, to)?);
        }
        Ok(Delta { from, to, ops })
    }

    /// An item behind those that left the steps where they are: `[version step, ][[stamp step], ]key, value`
    /// or `−version step, key`.
    fn op(&mut self, steps: &mut Steps, to: u64) -> Result<Op<'a>, Malformed> {
        let step = match self.0.first() {
            Some(b'-' | b'0'..=b'9') => self.0.signed()?,
            _ => 1,
        };
        steps.version += step.unsigned_abs();
        if step == 0 || steps.version > to {
            return Err(Malformed::Versions);
        }
        if step < 0 {
            return Ok(Op { key: self.0.text()?, version: steps.version, put: None });
        }
        let step = if self.0.first() == Some(b'[') { self.list_of_one()? } else { 1 };
        steps.stamp = steps
            .stamp
            .checked_add_signed(step)
            .filter(|stamp| *stamp <= MAX_INT)
            .ok_or(Malformed::Number)?;
        Ok(Op { key: self.0.text()?, version: steps.version, put: Some((steps.stamp, self.0.raw()?)) })
    }

    fn list_of_one(&mut self) -> Result<i64, Malformed> {
        let [number]: [i64; 1] = serde_json::from_str(self.0.raw()?).map_err(|_| Malformed::Number)?;
        if number.unsigned_abs() > MAX_INT { Err(Malformed::Number) } else { Ok(number) }
    }
}
