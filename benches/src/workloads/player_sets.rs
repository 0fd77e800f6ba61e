//! Save data as the original sends it: one changed field a message, each of another player.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Message;

/// How the values of a field are made.
type Make = fn(&mut Rng) -> Value;

/// The fields of a player's record that change in play.
const FIELDS: [(&str, Make); 7] = [
    ("Coins", |random| random.u32(..1_000_000).into()),
    ("Experience", |random| random.u32(..10_000_000).into()),
    ("Pet", |random| one_of(random, &["Dragon", "Golden Fox", "Cat", "Shadow Wolf"])),
    ("Position", position),
    ("Inventory", inventory),
    ("DailyReward", |random| json!({"Claimed": random.bool(), "Day": random.u32(1..=30)})),
    ("Settings", |random| json!({"Music": random.bool(), "Sound": random.bool()})),
];

/// `{"Action":"Set","Key":…,"Value":…,"SyncId":"{…}"}` on the inner topic `NSD_PlayerList$<user id>`, with the
/// original's names and a field and value of a player's record; about 111 bytes, every sixth a quotation mark. In a frame
/// each takes about 161 bytes with its topic.
#[must_use]
pub fn player_sets(seed: u64, count: usize) -> Vec<Message> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|_| player_set(&mut random)).collect()
}

fn player_set(random: &mut Rng) -> Message {
    let topic = format!("NSD_PlayerList${}", user_id(random));
    let (key, value) = change(random);
    let sync_id = sync_id(random);
    let text = format!(r#"{{"Action":"Set","Key":"{key}","Value":{value},"SyncId":"{sync_id}"}}"#);
    Message { topic: topic.into(), text }
}

/// A player: ten digits, as the ids of today's new accounts.
pub(super) fn user_id(random: &mut Rng) -> u64 {
    random.u64(1_000_000_000..10_000_000_000)
}

/// A field and its new value.
pub(super) fn change(random: &mut Rng) -> (&'static str, Value) {
    let (key, make) = FIELDS[random.usize(..FIELDS.len())];
    (key, make(random))
}

/// As the platform writes a GUID: 38 characters with braces.
pub(super) fn sync_id(random: &mut Rng) -> String {
    let digits = format!("{:032X}", random.u128(..));
    let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    format!("{{{a}-{b}-{c}-{d}-{e}}}")
}

fn position(random: &mut Rng) -> Value {
    let mut within = |range: i32| f64::from(random.i32(-10 * range..=10 * range)) / 10.0;
    json!({"X": within(500), "Y": within(100), "Z": within(500)})
}

/// One to six items.
fn inventory(random: &mut Rng) -> Value {
    let count = random.usize(1..=6);
    (0..count).map(|_| one_of(random, &["Sword", "Shield", "Potion", "Bow", "Gem"])).collect()
}

fn one_of(random: &mut Rng, names: &[&str]) -> Value {
    names[random.usize(..names.len())].into()
}
