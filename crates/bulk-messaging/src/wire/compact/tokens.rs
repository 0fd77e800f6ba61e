//! Which token comes next: two guesses by what came before, and how a token is told that was guessed wrong.

use super::model::{FOLLOWER_BITS, Kind, Model, part};
use super::range::Coder;

/// A token by number.
pub(super) type Token = u16;

/// A number; its value follows.
pub(super) const NUMBER_TOKEN: Token = 0;

/// The end of the text.
pub(super) const TEXT_END: Token = 1;

/// The first word that was remembered; the others follow.
pub(super) const FIRST_WORD: Token = 2;

/// A word that is not remembered; its length and bytes follow.
pub(super) const NEW: Token = Token::MAX;

/// What stands for the tokens before a text, by kind.
const START: [u32; 2] = [0xFFFE, 0xFFFD];

/// What stands for a word that could not be remembered.
const FORGOTTEN: u32 = 0xFFFC;

/// A guess that was right as often in a row or more is as sure as it gets.
const SURE: u16 = 3;

/// Where in a text one is, as far as it matters for what comes next.
pub(super) struct Context {
    kind: Kind,
    /// The last token and the one before it.
    last: u32,
    before: u32,
    /// The last word of letters.
    name: u32,
    /// Numbers so far.
    column: usize,
    /// Where the two guesses for the next token are.
    places: [usize; 2],
}

impl Context {
    pub(super) fn new(kind: Kind) -> Self {
        let start = START[kind as usize];
        let mut context = Self { kind, last: start, before: start, name: start, column: 0, places: [0; 2] };
        context.find_places();
        context
    }

    /// Codes a token; `words` are remembered. A decoder may return a word that is not there.
    pub(super) fn token(
        &self,
        model: &mut Model,
        coder: &mut impl Coder,
        words: usize,
        token: Token,
    ) -> Token {
        let [first, second] = self.places.map(|place| guess(model.cell(place)));
        if let Some((guess, sure)) = first
            && model.bit(coder, part::GUESS + sure, token == guess)
        {
            return guess;
        }
        if let Some((guess, sure)) = second
            && first.is_none_or(|(other, _)| other != guess)
            && model.bit(coder, part::GUESS + 8 + sure, token == guess)
        {
            return guess;
        }
        let at = part::TOKEN + 8 * self.kind as usize;
        if model.bit(coder, at, token == NUMBER_TOKEN) {
            return NUMBER_TOKEN;
        }
        if model.bit(coder, at + 1, token == TEXT_END) {
            return TEXT_END;
        }
        if words > 0 && model.bit(coder, at + 2, token != NEW) {
            let bits = usize::BITS - (words - 1).leading_zeros();
            let number = coder.raw(bits, token.wrapping_sub(FIRST_WORD).into());
            return FIRST_WORD + number as Token;
        }
        NEW
    }

    /// Codes the value behind [`NUMBER_TOKEN`].
    pub(super) fn number(&mut self, model: &mut Model, coder: &mut impl Coder, number: u64) -> u64 {
        let number = model.number(coder, self.kind, self.column, number);
        self.learn(model, Some(NUMBER_TOKEN));
        self.column += 1;
        self.move_on(NUMBER_TOKEN.into());
        number
    }

    /// Learns that a word followed.
    pub(super) fn word(&mut self, model: &mut Model, token: Token, word: &[u8]) {
        self.learn(model, Some(token));
        self.name_or_not(token.into(), word);
    }

    /// Learns that a new word followed, which got this number.
    pub(super) fn new_word(&mut self, model: &mut Model, number: Option<usize>, word: &[u8]) {
        let token = number.map(|number| FIRST_WORD + number as Token);
        self.learn(model, token);
        self.name_or_not(token.map_or(FORGOTTEN, u32::from), word);
    }

    /// Learns that the text ended.
    pub(super) fn end(&mut self, model: &mut Model) {
        self.learn(model, Some(TEXT_END));
    }

    fn name_or_not(&mut self, token: u32, word: &[u8]) {
        if super::words::is_name(word) {
            self.name = token;
        }
        self.move_on(token);
    }

    fn move_on(&mut self, token: u32) {
        (self.before, self.last) = (self.last, token);
        self.find_places();
    }

    /// Both guesses become what came, and surer if they were that before.
    fn learn(&self, model: &mut Model, token: Option<Token>) {
        let Some(token) = token else { return };
        for place in self.places {
            let sure = match guess(model.cell(place)) {
                Some((guess, sure)) if guess == token => (sure as u16 + 1).min(SURE),
                _ => 0,
            };
            model.set(place, (token + 1) << 2 | sure);
        }
    }

    fn find_places(&mut self) {
        let column = self.column.min(15) as u32;
        let first = mix([self.last, self.before, self.name, column]);
        let second = mix([self.last, self.name, 0, 0]);
        self.places = [part::FOLLOWER + first, part::FOLLOWER + (1 << FOLLOWER_BITS) + second];
    }
}

/// The token in a cell of followers and how sure it is; nothing in one that nobody wrote to.
fn guess(cell: u16) -> Option<(Token, usize)> {
    (cell > 0).then(|| ((cell >> 2) - 1, usize::from(cell & 3)))
}

/// A place in a table of followers: the highest bits of a sum of products with odd numbers, modulo 2³².
fn mix(parts: [u32; 4]) -> usize {
    const FACTORS: [u32; 4] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F];
    let products = parts.iter().zip(FACTORS).map(|(part, factor)| part.wrapping_mul(factor));
    (products.fold(0, u32::wrapping_add) >> (32 - FOLLOWER_BITS)) as usize
}
