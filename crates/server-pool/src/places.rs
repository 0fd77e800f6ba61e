//! Things by name, each at a place by which it is found without looking for its name again.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;

use hashbrown::HashTable;

/// Where a thing is, as long as it is there. Counted from 1, so that no more memory is needed for a place that may be
/// missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    fn at(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("there are far fewer than 2^32"))
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Things by name. What is done to all is done in the order of their places, which depends on nothing but the order in
/// which they came and went; the table is only looked up.
#[derive(Debug)]
pub(crate) struct Places<T> {
    things: Vec<Option<(Arc<str>, T)>>,
    /// Places where nothing is.
    free: Vec<Place>,
    table: HashTable<Place>,
    /// Random in each process, so that nobody can choose names that meet in the table.
    state: RandomState,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        let (things, free) = (Vec::new(), Vec::new());
        Self { things, free, table: HashTable::new(), state: RandomState::new() }
    }
}

impl<T> Places<T> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Where the thing of a name is.
    pub(crate) fn find(&self, name: &str) -> Option<Place> {
        let is_it = |place: &Place| self.slot(*place).is_some_and(|(of, _)| **of == *name);
        self.table.find(self.state.hash_one(name), is_it).copied()
    }

    /// Adds a thing under a name that has none.
    pub(crate) fn insert(&mut self, name: Arc<str>, thing: T) -> Place {
        let hash = self.state.hash_one(&*name);
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            Place::at(self.things.len() - 1)
        });
        self.things[place.index()] = Some((name, thing));
        let (things, state) = (&self.things, &self.state);
        let name = |place: &Place| &*things[place.index()].as_ref().expect("what is in the table is there").0;
        self.table.insert_unique(hash, place, |place| state.hash_one(name(place)));
        place
    }

    /// Takes a thing away.
    pub(crate) fn remove(&mut self, place: Place) -> Option<(Arc<str>, T)> {
        let (name, thing) = self.things[place.index()].take()?;
        let held = self.table.find_entry(self.state.hash_one(&*name), |other| *other == place);
        assert!(held.map(|held| held.remove()).is_ok(), "what is there is in the table");
        self.free.push(place);
        Some((name, thing))
    }

    pub(crate) fn name(&self, place: Place) -> Option<&Arc<str>> {
        self.slot(place).map(|(name, _)| name)
    }

    pub(crate) fn get(&self, place: Place) -> Option<&T> {
        self.slot(place).map(|(_, thing)| thing)
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        self.things[place.index()].as_mut().map(|(_, thing)| thing)
    }

    /// All, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, &Arc<str>, &T)> {
        let slots = (0..).map(Place::at).zip(&self.things);
        slots.filter_map(|(place, slot)| slot.as_ref().map(|(name, thing)| (place, name, thing)))
    }

    /// The same to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Place, &Arc<str>, &mut T)> {
        let slots = (0..).map(Place::at).zip(&mut self.things);
        slots.filter_map(|(place, slot)| slot.as_mut().map(|(name, thing)| (place, &*name, thing)))
    }

    /// By name, which takes sorting.
    pub(crate) fn sorted(&self) -> Vec<(&Arc<str>, &T)> {
        let mut all: Vec<_> = self.iter().map(|(_, name, thing)| (name, thing)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// The first for which something holds, looking at all from a place on, if one is given, and then at those before it.
    pub(crate) fn find_from(&self, start: Option<Place>, is_it: impl Fn(&T) -> bool) -> Option<Place> {
        let start = start.map_or(0, Place::index).min(self.things.len());
        let (before, behind) = self.things.split_at(start);
        let mut slots = (start..).map(Place::at).zip(behind).chain((0..).map(Place::at).zip(before));
        slots.find(|(_, slot)| slot.as_ref().is_some_and(|(_, thing)| is_it(thing))).map(|(place, _)| place)
    }

    fn slot(&self, place: Place) -> Option<&(Arc<str>, T)> {
        self.things[place.index()].as_ref()
    }
}
