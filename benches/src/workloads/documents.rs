//! Player documents made of a real game's names and bounds, which are in `data/minecraft`.
//!
//! A document is the record of one player, a JSON object of 1 to 8 kB, 4 kB on average. How far a player has come is drawn
//! evenly, and with it grow the lists: 8 to 36 stacks in the inventory, 0 to 27 in the chest, 6 to 60 statistics, 2 to 60
//! advancements. Stacks hold what the game lets them hold; what wears has damage and enchantments that fit it.
//!
//! | field | what | JSON |
//! |---|---|---|
//! | `coins`, `xp`, `health`, `food` | numbers | 1 to 7 B |
//! | `pos` | `{"x":…,"y":…,"z":…,"world":"overworld"}` | about 50 B |
//! | `inventory`, `chest` | `[{"slot":0,"id":"iron_ingot","count":12}, {"slot":1,"id":"iron_axe","damage":9,"enchantments":{"unbreaking":3}}, …]` | 40 to 120 B a stack |
//! | `equipment` | what is worn, as a stack a place | 100 to 400 B |
//! | `effects` | `[{"id":"Speed","level":1,"seconds":30}, …]` | 0 to 150 B |
//! | `statistics` | `{"jump":1234, …}` | about 25 B each |
//! | `killed` | `{"zombie":17, …}` | about 14 B each |
//! | `advancements` | `["story/root", …]` | about 28 B each |
//! | `options` | `{"autoJump":true,"fov":70, …}` | about 150 B |

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::extract::{Extract, extract};

/// What a player has, by field.
pub type Document = Map<String, Value>;

/// How far a player has come, from 0 to 1.
type Progress = f64;

/// Makes the value of a field.
type Make = fn(&mut Rng, &Extract, Progress) -> Value;

/// The fields, how each is made, and how often it changes in play, of a hundred changes.
pub(super) const FIELDS: [(&str, Make, u32); 13] = [
    ("coins", |random, _, progress| number(random, progress, 1_000_000), 22),
    ("xp", |random, _, progress| number(random, progress, 100_000), 14),
    ("health", |random, _, _| json!(f64::from(random.u32(1..=40)) / 2.0), 8),
    ("food", |random, _, _| random.u32(0..=20).into(), 5),
    ("pos", position, 20),
    ("inventory", |random, game, progress| stacks(random, game, between(progress, 8, 36)), 14),
    ("chest", |random, game, progress| stacks(random, game, between(progress, 0, 27)), 2),
    ("equipment", equipment, 2),
    ("effects", effects, 3),
    ("statistics", statistics, 4),
    ("killed", killed, 3),
    ("advancements", advancements, 1),
    ("options", options, 2),
];

/// So many documents.
#[must_use]
pub fn documents(seed: u64, count: usize) -> Vec<Document> {
    let (mut random, game) = (Rng::with_seed(seed), extract());
    (0..count).map(|_| document(&mut random, &game)).collect()
}

fn document(random: &mut Rng, game: &Extract) -> Document {
    let progress = random.f64();
    FIELDS.iter().map(|(field, make, _)| ((*field).to_owned(), make(random, game, progress))).collect()
}

/// A change in play: of which document, which field, and its new value.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentChange {
    /// Which of the documents.
    pub document: usize,
    /// The field.
    pub field: &'static str,
    /// What it becomes.
    pub value: Value,
}

/// So many changes of so many documents, each of a document and field by chance.
#[must_use]
pub fn document_changes(seed: u64, documents: usize, count: usize) -> Vec<DocumentChange> {
    let (mut random, game) = (Rng::with_seed(seed), extract());
    let change = |_| {
        let (field, make) = often_changed(&mut random);
        let progress = random.f64();
        DocumentChange {
            document: random.usize(..documents),
            field,
            value: make(&mut random, &game, progress),
        }
    };
    (0..count).map(change).collect()
}

fn often_changed(random: &mut Rng) -> (&'static str, Make) {
    let mut at = random.u32(..FIELDS.iter().map(|(.., often)| often).sum::<u32>());
    for (field, make, often) in FIELDS {
        match at.checked_sub(often) {
            Some(rest) => at = rest,
            None => return (field, make),
        }
    }
    unreachable!("the number is below the sum")
}

fn number(random: &mut Rng, progress: Progress, most: u32) -> Value {
    random.u32(0..=(f64::from(most) * progress) as u32).into()
}

/// From `least` at the beginning to `most` at the end.
fn between(progress: Progress, least: usize, most: usize) -> usize {
    least + ((most - least) as f64 * progress) as usize
}

fn one_of<'a, T>(random: &mut Rng, of: &'a [T]) -> &'a T {
    &of[random.usize(..of.len())]
}

/// So many of them, in their order, none twice.
fn some_of<'a>(random: &mut Rng, of: &'a [String], count: usize) -> Vec<&'a String> {
    let mut chosen = random.choose_multiple(0..of.len(), count);
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &of[at]).collect()
}

fn position(random: &mut Rng, _: &Extract, _: Progress) -> Value {
    let mut within = |range: i32| f64::from(random.i32(-100 * range..=100 * range)) / 100.0;
    let (x, y, z) = (within(5_000), within(64), within(5_000));
    json!({"x": x, "y": y, "z": z, "world": one_of(random, &["overworld", "the_nether", "the_end"])})
}

fn stacks(random: &mut Rng, game: &Extract, count: usize) -> Value {
    (0..count).map(|slot| stack(random, game, slot)).collect()
}

/// One in six wears.
fn stack(random: &mut Rng, game: &Extract, slot: usize) -> Value {
    if random.u8(..6) == 0 {
        let mut stack = worn(random, game);
        stack["slot"] = slot.into();
        return stack;
    }
    let (id, most) = one_of(random, &game.common);
    json!({"slot": slot, "id": id, "count": random.u32(1..=*most)})
}

fn worn(random: &mut Rng, game: &Extract) -> Value {
    let (id, durability, uses) = one_of(random, &game.worn);
    let mut enchantments = Map::new();
    for _ in 0..random.usize(..4) {
        let (name, highest, used_for) = one_of(random, &game.enchantments);
        if uses.contains(used_for) {
            enchantments.insert(name.clone(), random.u32(1..=*highest).into());
        }
    }
    json!({"id": id, "damage": random.u32(..*durability), "enchantments": enchantments})
}

fn equipment(random: &mut Rng, game: &Extract, _: Progress) -> Value {
    let places = ["head", "chest", "legs", "feet", "offhand"];
    let mut worn_there = Map::new();
    for place in places {
        if random.bool() {
            worn_there.insert(place.into(), worn(random, game));
        }
    }
    worn_there.into()
}

fn effects(random: &mut Rng, game: &Extract, _: Progress) -> Value {
    let count = random.usize(..4);
    let chosen = some_of(random, &game.effects, count);
    let effect = |id| json!({"id": id, "level": random.u32(1..=2), "seconds": random.u32(1..=480)});
    chosen.into_iter().map(effect).collect()
}

fn counts(random: &mut Rng, of: &[String], count: usize, progress: Progress) -> Value {
    let chosen = some_of(random, of, count);
    let counted: Map<String, Value> =
        chosen.into_iter().map(|name| (name.clone(), number(random, progress, 100_000))).collect();
    counted.into()
}

fn statistics(random: &mut Rng, game: &Extract, progress: Progress) -> Value {
    counts(random, &game.statistics, between(progress, 6, 60), progress)
}

fn killed(random: &mut Rng, game: &Extract, progress: Progress) -> Value {
    counts(random, &game.mobs, between(progress, 1, 24), progress / 100.0)
}

fn advancements(random: &mut Rng, game: &Extract, progress: Progress) -> Value {
    let count = between(progress, 2, 60);
    some_of(random, &game.advancements, count).into_iter().cloned().collect()
}

/// One in three is a number.
fn options(random: &mut Rng, game: &Extract, _: Progress) -> Value {
    let mut option = |name: &String| {
        let value = if random.u8(..3) == 0 { random.u32(..120).into() } else { random.bool().into() };
        (name.clone(), value)
    };
    let options: Map<String, Value> = game.options.iter().take(8).map(&mut option).collect();
    options.into()
}
