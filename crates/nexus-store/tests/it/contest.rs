//! Writes that lose against others', and how long that counts.

use std::sync::Arc;
use std::time::Duration;

use nexus_store::machine::{Input, Machine, Output, RecordId, Scope, UpdateChanges, UpdateRun};
use nexus_store::{Change, Config};
use serde_json::json;
use transport_traits::{
    BusLimits, Error, ErrorKind, Instant, Record, RecordKey, StoreLimits, Stored, Version,
};

use crate::world::START;

const SECOND: Duration = Duration::from_secs(1);

/// One machine, whose store carries out every request at once.
struct Alone {
    machine: Machine,
    id: RecordId,
    now: Instant,
    stored: Option<Stored>,
    /// Another server writes all that this one wants written, and is always faster.
    outrun: bool,
    /// So many writes meet another server's that takes nothing along.
    lose: u32,
    committed: u64,
    lost: u32,
}

impl Alone {
    fn new() -> Self {
        let config = Config { seed: Some(1), writer: Some(1), ..Config::default() };
        let mut machine =
            Machine::new(config, StoreLimits::default(), BusLimits::default(), Instant::ZERO, START);
        let (id, ..) = machine.open(Instant::ZERO, RecordKey::new("players", "7")).unwrap();
        let (now, stored) = (Instant::ZERO, None);
        Self { machine, id, now, stored, outrun: false, lose: 0, committed: 0, lost: 0 }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            while let Some(output) = self.machine.poll(self.now) {
                self.take(output);
            }
            let Some(at) = self.machine.next_wakeup(self.now).filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
        }
        self.now = end;
    }

    fn take(&mut self, output: Output) {
        let input = match output {
            Output::Get(id, _) => Input::Got(id, Ok(self.stored.clone())),
            Output::Put(id, _, record, _) => Input::PutDone(id, self.put(record)),
            Output::Publish(id, _) => Input::Published(id, Ok(())),
            Output::Subscribe(id, _) => Input::Subscribed(id, Ok(())),
            Output::RunUpdate(ticket, _) => {
                let fields = vec![(Arc::from("updated"), Some(Arc::new(json!(true))))];
                Input::UpdateRan(ticket, UpdateRun::Changes(UpdateChanges { fields, users: None }))
            }
            _ => return,
        };
        self.machine.handle(self.now, input);
    }

    fn put(&mut self, record: Record) -> Result<Version, Arc<Error>> {
        let conflict = Err(Arc::new(Error::new(ErrorKind::Conflict, "put")));
        if self.lose > 0 {
            self.lose -= 1;
            self.lost += 1;
            let before = self.stored.as_ref().unwrap().record.clone();
            self.store(before);
            return conflict;
        }
        let version = self.store(record);
        if self.outrun {
            self.lost += 1;
            return conflict;
        }
        self.committed += 1;
        Ok(version)
    }

    fn store(&mut self, record: Record) -> Version {
        let last =
            self.stored.as_ref().map_or(0, |stored| stored.version.to_string().parse::<u64>().unwrap());
        let version = Version::new((last + 1).to_string());
        self.stored = Some(Stored { record, version: version.clone(), modified: START });
        version
    }

    fn increment(&mut self) {
        let change = Change::Increment(1.into());
        self.machine.write(self.now, self.id, "coins", change).unwrap();
    }
}

#[test]
fn writes_that_others_wrote_in_the_end_do_not_make_a_later_update_wait() {
    let mut alone = Alone::new();
    alone.run(SECOND * 5);
    alone.outrun = true;
    for _ in 0..20 {
        alone.increment();
        alone.run(SECOND * 40);
    }
    assert_eq!((alone.lost, alone.committed), (20, 0), "every write was lost, and made by another");
    alone.outrun = false;
    alone.lose = 3;
    alone.machine.update(alone.id, Scope::Fields(&["updated"]));
    alone.run(SECOND / 10);
    assert_eq!((alone.lost, alone.committed), (23, 1), "the first few conflicts are answered at once");
}
