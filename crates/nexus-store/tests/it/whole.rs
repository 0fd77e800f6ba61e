//! Random schedules of the calls that concern a whole record: deletions, tags, updates of closed records.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Input, Outcome, Scope, Ticket, UpdateOutcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fleet::faults;
use crate::world::{Faults, World, key};

const SECOND: Duration = Duration::from_secs(1);
/// The last server does not hold the record.
const SERVERS: usize = 4;

struct Schedule {
    world: World,
    accepted: [i64; SERVERS],
    once: Vec<Ticket>,
    tags: Vec<(usize, Ticket, Arc<str>)>,
}

impl Schedule {
    fn new(seed: u64, faults: Faults) -> Self {
        let mut world = World::new(seed);
        world.faults = faults;
        world.join_all(SERVERS - 1);
        world.join_record(transport_traits::RecordKey::new("players", "other"));
        world.run(SECOND * 5);
        Self { world, accepted: [0; SERVERS], once: Vec::new(), tags: Vec::new() }
    }

    fn step(&mut self, deletes: bool) {
        let server = self.world.rng.usize(0..SERVERS - 1);
        match self.world.rng.u32(0..20) {
            0..10 => {
                self.accepted[server] += 1;
                self.world.increment(server, &format!("own{server}"), 1);
            }
            10..13 => {
                let tag: Arc<str> = format!("u{}", self.tags.len()).into();
                self.tags.push((server, self.world.tag(server, &tag), tag));
            }
            13..16 => self.once.push(self.world.act(SERVERS - 1, |machine, now, _| {
                machine.update_once(now, key(), Scope::Fields(&["once"])).unwrap()
            })),
            16 if deletes => drop(self.world.delete(server)),
            _ => drop(self.world.flush(server)),
        }
        let pause = self.world.rng.u64(1..800);
        self.world.run(Duration::from_millis(pause));
    }

    fn heal(&mut self) {
        self.world.faults = Faults::default();
        self.world.run(SECOND * 40);
        self.world.gap_everywhere();
        self.world.run(SECOND * 20);
    }

    fn number(&self, field: &str) -> i64 {
        self.world.stored_value().get(field).and_then(Value::as_i64).unwrap_or(0)
    }

    fn check(&self, deleted: bool) {
        for server in 0..SERVERS - 1 {
            let own = self.number(&format!("own{server}"));
            let accepted = self.accepted[server];
            assert!(own == accepted || (deleted && own <= accepted), "server {server}: {own} of {accepted}");
        }
        let committed = |server: usize, ticket: &Ticket| {
            matches!(self.world.outcome(server, *ticket), Some(Outcome::Updated(UpdateOutcome::Committed(_))))
        };
        let once = self.once.iter().filter(|ticket| committed(SERVERS - 1, ticket)).count();
        let once = i64::try_from(once).unwrap();
        assert!(self.number("once") == once || (deleted && self.number("once") <= once));
        let kept: BTreeSet<Arc<str>> = self.world.stored_users().into_iter().collect();
        assert_eq!(kept.len(), self.world.stored_users().len(), "each tag once");
        let tagged = self.tags.iter().filter(|(server, ticket, _)| committed(*server, ticket));
        let tagged: BTreeSet<Arc<str>> = tagged.map(|(_, _, tag)| Arc::clone(tag)).collect();
        assert!(kept == tagged || (deleted && kept.is_subset(&tagged)), "{kept:?} of {tagged:?}");
    }

    fn check_views(&mut self) {
        let users = self.world.stored_users();
        for server in 0..SERVERS - 1 {
            let view = serde_json::to_value(&*self.world.servers[server].view.snapshot()).unwrap();
            let stored = self.world.stored_value();
            assert!(view == stored || (stored.is_null() && view == json!({})), "server {server}");
            assert_eq!(*self.world.servers[server].view.snapshot(), self.world.servers[server].mirror);
            let seen = self.world.act(server, |machine, _, id| machine.users(id));
            assert_eq!(*seen, *users, "server {server} sees the tags");
        }
        assert_eq!(self.world.servers[SERVERS - 1].machine.stats().records, 1, "only its own is open");
    }

    /// A deletion after which nothing is written, whatever is heard again.
    fn end(&mut self) {
        self.world.delete(0);
        self.world.run(SECOND * 10);
        for body in self.world.messages.clone() {
            for server in 0..SERVERS - 1 {
                let record = self.world.servers[server].record;
                self.world.give(server, Input::Received(record, body.clone()));
            }
        }
        self.world.run(SECOND * 60);
        let stored = self.world.stored_value();
        assert!(stored == json!({}) || stored.is_null(), "{stored}");
        assert!(self.world.stored_users().is_empty());
        self.check_views();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Weakness 26 (tags-wiped) too: no write loses a tag.
    #[test]
    fn updates_and_tags_count_once_and_deleted_things_never_come_back(
        seed: u64, faults in faults(), deletes: bool,
    ) {
        let mut schedule = Schedule::new(seed, faults);
        for _ in 0..60 {
            schedule.step(deletes);
        }
        schedule.heal();
        schedule.check(deletes);
        schedule.check_views();
        schedule.end();
    }
}
