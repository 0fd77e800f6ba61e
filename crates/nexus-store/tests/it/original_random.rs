//! Random schedules of servers in the profile for mixed fleets: exactly once, or reported.

use std::time::Duration;

use nexus_store::machine::{Input, Outcome, Ticket, UpdateOutcome};
use nexus_store::{Change, FlushError};
use serde_json::{Value, json};

use crate::original_world::World;

const SECOND: Duration = Duration::from_secs(1);
const SERVERS: usize = 3;
/// Increments of a schedule. Each adds a power of 4 of its own, so the sum tells how often each was applied.
const INCREMENTS: u32 = 24;

/// What one server was asked to do.
#[derive(Default)]
struct Asked {
    /// Its increments.
    powers: Vec<u32>,
    /// What its own field was, from the start to now.
    own: Vec<Value>,
    most: u64,
    updates: Vec<Ticket>,
    flushes: Vec<Flush>,
}

/// A flush, and what was accepted before it.
struct Flush {
    ticket: Ticket,
    powers: usize,
    own: usize,
    most: u64,
}

struct Schedule {
    seed: u64,
    world: World,
    asked: [Asked; SERVERS],
    given: u32,
}

/// How often an increment is part of a record.
fn times(record: &Value, power: u32) -> u64 {
    (record["n"].as_u64().unwrap_or(0) >> (2 * power)) & 3
}

impl Schedule {
    fn run(seed: u64) -> Self {
        let mut world = World::new(seed);
        world.join_all(SERVERS);
        (world.chance, world.loss) = (25, 20);
        let mut schedule = Self { seed, world, asked: Default::default(), given: 0 };
        schedule.asked.iter_mut().for_each(|asked| asked.own.push(Value::Null));
        while schedule.given < INCREMENTS {
            schedule.step();
        }
        (schedule.world.chance, schedule.world.loss) = (0, 0);
        (0..SERVERS).for_each(|at| schedule.flush(at));
        schedule.world.run(SECOND * 400);
        (0..SERVERS).for_each(|at| schedule.flush(at)); // Tells what no other has told.
        schedule.world.run(SECOND * 400);
        schedule
    }

    fn step(&mut self) {
        let at = self.world.rng.usize(0..SERVERS);
        match self.world.rng.u32(0..100) {
            0..40 => self.increment(at),
            40..55 => self.set(at),
            55..65 => {
                let most = self.world.rng.u64(1..1_000);
                self.asked[at].most = self.asked[at].most.max(most);
                self.world.write(at, "most", Change::Max(most.into()));
            }
            65..75 => {
                let ticket = self.world.update(at, &["u"]);
                self.asked[at].updates.push(ticket);
            }
            75..90 => self.flush(at),
            90..95 => self.world.give(at, Input::Gap(self.world.servers[at].record)),
            _ if self.wipes() && self.world.stored.is_some() => {
                let value = self.world.stored_value();
                self.world.commit_foreign(&value); // As an original does.
            }
            _ => {}
        }
        let pause = self.world.rng.u64(0..300);
        self.world.run(Duration::from_millis(pause));
    }

    /// Whether an original is part of this fleet.
    fn wipes(&self) -> bool {
        self.seed.is_multiple_of(3)
    }

    fn increment(&mut self, at: usize) {
        self.asked[at].powers.push(self.given);
        self.world.write(at, "n", Change::Increment(4_u64.pow(self.given).into()));
        self.given += 1;
    }

    /// Sets a field that nobody else writes, or removes it.
    fn set(&mut self, at: usize) {
        let own = &mut self.asked[at].own;
        let value = if own.len() % 3 == 2 { Value::Null } else { json!(own.len()) };
        own.push(value.clone());
        let change = if value.is_null() { Change::Remove } else { Change::Set(value.into()) };
        self.world.write(at, &format!("own {at}"), change);
    }

    fn flush(&mut self, at: usize) {
        let ticket = self.world.flush(at);
        let asked = &mut self.asked[at];
        let (powers, own) = (asked.powers.len(), asked.own.len() - 1);
        asked.flushes.push(Flush { ticket, powers, own, most: asked.most });
    }

    fn undetermined(&self, at: usize) -> u64 {
        self.world.servers[at].machine.stats().undetermined
    }

    /// In the end each increment counts once, or never if it was reported, and all see what is stored.
    fn check_the_end(&self) {
        let (seed, stored) = (self.seed, self.world.stored_value());
        for (at, asked) in self.asked.iter().enumerate() {
            let view = serde_json::to_value(&*self.world.servers[at].view.snapshot()).unwrap();
            assert_eq!(view, stored, "seed {seed}, server {at}");
            let never = asked.powers.iter().filter(|power| times(&stored, **power) == 0).count();
            assert!(asked.powers.iter().all(|power| times(&stored, *power) <= 1), "seed {seed}: {stored}");
            let told: u64 = asked.flushes.iter().map(|flush| self.reported(at, flush)).sum();
            assert_eq!(told, self.undetermined(at), "seed {seed}: each loss is told once");
            if told == 0 {
                assert_eq!(never, 0, "seed {seed}, server {at}: lost and not reported");
                assert_eq!(&stored[format!("own {at}")], asked.own.last().unwrap(), "seed {seed}");
                assert!(stored["most"].as_u64().unwrap_or(0) >= asked.most, "seed {seed}");
            }
        }
    }

    fn reported(&self, at: usize, flush: &Flush) -> u64 {
        match self.world.servers[at].done.get(&flush.ticket).expect("answered") {
            Outcome::Flushed(Err(FlushError::Undetermined { operations })) => *operations,
            Outcome::Flushed(Ok(()) | Err(FlushError::Refused(_) | FlushError::NotLoaded)) => 0,
            other => panic!("seed {}: {other:?}", self.seed),
        }
    }

    /// What was accepted before a flush that succeeded was stored when it was answered.
    fn check_the_flushes(&self) {
        let last = self.world.stored_value();
        for (at, asked) in self.asked.iter().enumerate() {
            let server = &self.world.servers[at];
            for flush in &asked.flushes {
                if !matches!(server.done.get(&flush.ticket), Some(Outcome::Flushed(Ok(())))) {
                    continue;
                }
                let then = server.stored_then[&flush.ticket].as_ref();
                let then: Value =
                    then.map_or(Value::Null, |then| serde_json::from_str(&then.record.value).unwrap());
                // What is not there in the end either was reported.
                let powers = asked.powers[..flush.powers].iter();
                let later = powers.filter(|power| times(&then, **power) < times(&last, **power)).count();
                assert_eq!(later, 0, "seed {}, server {at}: stored after the flush", self.seed);
                if self.undetermined(at) == 0 {
                    let own = &then[format!("own {at}")];
                    assert!(asked.own[flush.own..].contains(own), "seed {}, server {at}: {own}", self.seed);
                    assert!(then["most"].as_u64().unwrap_or(0) >= flush.most, "seed {}", self.seed);
                }
            }
        }
    }

    /// Updates that say they are committed count, and no others but those that do not know.
    fn check_the_updates(&self) {
        let (mut committed, mut unknown) = (0, 0);
        for (at, asked) in self.asked.iter().enumerate() {
            for ticket in &asked.updates {
                match self.world.servers[at].done.get(ticket).expect("answered") {
                    Outcome::Updated(UpdateOutcome::Committed(_)) => committed += 1,
                    Outcome::Updated(UpdateOutcome::Unknown(_)) => unknown += 1,
                    Outcome::Updated(UpdateOutcome::Refused(_) | UpdateOutcome::NotLoaded) => {}
                    other => panic!("seed {}: {other:?}", self.seed),
                }
            }
        }
        let counted = self.world.stored_value()["u"].as_u64().unwrap_or(0);
        assert!((committed..=committed + unknown).contains(&counted), "seed {}: {counted}", self.seed);
    }
}

#[test]
fn whatever_fails_beside_originals_every_write_counts_once_or_is_reported() {
    // weakness 1 (lost-increments), weakness 3 (conflict-loses-write), weakness 4 (unknown-outcome),
    // weakness 5 (lost-message-splits-caches)
    let (mut certain, mut doubtful) = (0, 0);
    for seed in 0..120 {
        let schedule = Schedule::run(seed);
        schedule.check_the_end();
        schedule.check_the_flushes();
        schedule.check_the_updates();
        let undetermined: u64 = (0..SERVERS).map(|at| schedule.undetermined(at)).sum();
        let count = if schedule.wipes() { &mut doubtful } else { &mut certain };
        *count += u32::from(undetermined > 0);
    }
    assert!(certain < 8, "nobody wipes the marks, yet {certain} of 80 lose track of a write");
    assert!(doubtful > 5, "the schedules wipe marks where that matters: {doubtful} of 40");
}
