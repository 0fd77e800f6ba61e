//! What was taken from a real game's data: see `data/minecraft/README.md`.

use serde::Deserialize;

/// Names and bounds of the game.
#[derive(Deserialize)]
pub(super) struct Extract {
    /// What wears: name, durability, what can be enchanted on it.
    pub(super) worn: Vec<(String, u32, Vec<String>)>,
    /// What does not: name, most on a stack.
    pub(super) common: Vec<(String, u32)>,
    /// Name, highest level, what it is for.
    pub(super) enchantments: Vec<(String, u32, String)>,
    pub(super) effects: Vec<String>,
    pub(super) mobs: Vec<String>,
    pub(super) statistics: Vec<String>,
    pub(super) advancements: Vec<String>,
    pub(super) options: Vec<String>,
}

/// Reads the file that is part of the program.
pub(super) fn extract() -> Extract {
    let text = include_str!("../../data/minecraft/extract.json");
    serde_json::from_str(text).expect("the file has these fields")
}
