//! The driver: it starts, works, leaves and ends when it should.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};
use server_pool::machine::{Input, Machine, Output};
use server_pool::{Config, ConfigError, ContributeError, OpenError, Pool, Pools, Stats, ViewState};
use transport_memory::MemoryStore;
use transport_mocks::{ManualTimer, MockPublisher, MockSubscriber};
use transport_traits::limits::{FleetRate, Load, ReceiveCounting, SizeLimit, StoreLimits, presets};
use transport_traits::{
    BusLimits, DataStore, Delivery, Error, ErrorKind, Instant, Priority, RecordKey, WallTime,
};

use crate::bus::Stage;
use crate::fleet::secs;

#[test]
fn what_one_server_contributes_another_reads() {
    let mut stage = Stage::new();
    let (first, second) = (stage.server("a"), stage.server("b"));
    let here: Pool<u32> = stage.now(first.open("players")).unwrap();
    let there: Pool<u32> = stage.now(second.open("players")).unwrap();
    here.contribute("k", &7).unwrap();
    assert_eq!(here.get("k").as_deref(), Some(&7), "at once where it was contributed");
    stage.run(secs(1));
    assert_eq!(there.get("k").as_deref(), Some(&7));
    assert!(here.withdraw("k"));
    stage.run(secs(1));
    assert!(there.is_empty() && here.is_empty());
    assert!(stage.bus.published().iter().all(|message| &*message.topic == "POOL_players"));
}

#[test]
fn pools_of_different_names_do_not_mix() {
    let mut stage = Stage::new();
    let (first, second) = (stage.server("a"), stage.server("b"));
    let players: Pool<u32> = stage.now(first.open("players")).unwrap();
    let rooms: Pool<u32> = stage.now(second.open("rooms")).unwrap();
    players.contribute("k", &7).unwrap();
    stage.run(secs(3));
    assert!(rooms.is_empty());
    assert_eq!(second.stats().servers, 0);
}

#[test]
fn close_says_good_bye_and_ends_the_driver_the_reads_stay() {
    let mut stage = Stage::new();
    let (first, second) = (stage.server("a"), stage.server("b"));
    let here: Pool<u32> = stage.now(first.open("p")).unwrap();
    let there: Pool<u32> = stage.now(second.open("p")).unwrap();
    here.contribute("k", &7).unwrap();
    stage.run(secs(1));
    stage.now(first.close());
    assert!(matches!(here.contribute("l", &8), Err(ContributeError::Closed)));
    assert!(!here.withdraw("k"));
    assert!(matches!(stage.now(first.open::<u32>("q")), Err(OpenError::Closed)));
    assert_eq!((here.len(), here.view_state()), (1, ViewState::Stale));
    stage.run(secs(1));
    assert!(there.is_empty(), "no timeout is waited for");
    stage.now(first.close());
}

#[test]
fn dropping_the_last_handle_leaves_gracefully() {
    let mut stage = Stage::new();
    let (first, second) = (stage.server("a"), stage.server("b"));
    let here: Pool<u32> = stage.now(first.open("p")).unwrap();
    let there: Pool<u32> = stage.now(second.open("p")).unwrap();
    here.contribute("k", &7).unwrap();
    stage.run(secs(1));
    drop(first);
    stage.run(secs(1));
    assert_eq!(there.len(), 1, "a pool keeps the pools open");
    drop(here);
    stage.run(secs(1));
    assert!(there.is_empty());
}

#[test]
fn a_driver_that_is_dropped_is_a_crash_to_the_others_and_an_end_here() {
    let mut stage = Stage::new();
    let second = stage.server("b");
    let there: Pool<u32> = stage.now(second.open("p")).unwrap();
    let bus = Arc::new(stage.bus.clone());
    let config = Config::new("a");
    let (first, driver) = Pools::new(bus.clone(), bus, Arc::new(stage.timer.clone()), config).unwrap();
    let (stop, stopped) = futures::channel::oneshot::channel::<()>();
    let task = async move {
        futures::pin_mut!(driver);
        let _ = futures::future::select(driver, stopped).await;
    };
    stage.executor.spawner().spawn_local(task).unwrap();
    let here: Pool<u32> = stage.now(first.open("p")).unwrap();
    here.contribute("k", &7).unwrap();
    stage.run(secs(1));
    assert_eq!(there.len(), 1);
    drop(stop);
    stage.run(secs(1));
    assert!(matches!(here.contribute("l", &8), Err(ContributeError::Closed)));
    assert!(!stage.now(here.synced()));
    stage.now(first.close());
    assert_eq!(there.len(), 1, "no good-bye was said");
    stage.run(secs(30));
    assert!(there.is_empty());
}

#[test]
fn closing_ends_though_the_bus_is_broken() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let pool: Pool<u32> = stage.now(pools.open("p")).unwrap();
    pool.contribute("k", &7).unwrap();
    stage.bus.set_broken(true);
    stage.run(secs(1));
    let closing = pools.clone();
    let (done, is_done) = futures::channel::oneshot::channel();
    let close = async move {
        closing.close().await;
        let _ = done.send(());
    };
    stage.executor.spawner().spawn_local(close).unwrap();
    stage.run(secs(30));
    assert!(is_done.now_or_never().is_some());
}

/// The driver alone never opens one then; whoever runs the machine may.
#[test]
fn a_pool_opened_while_the_others_are_left_says_nothing_and_holds_nothing_up() {
    let mut machine =
        Machine::new(Instant::ZERO, WallTime::from_micros(0), Config::new("a"), &BusLimits::default(), true)
            .unwrap();
    machine.handle(Instant::ZERO, Input::Close);
    let _ = machine.open(Instant::ZERO, "p".into());
    assert_eq!(machine.poll(Instant::ZERO), Some(Output::Closed));
    assert_eq!((machine.poll(Instant::ZERO), machine.next_wakeup()), (None, None));
}

#[test]
fn closing_without_any_pool_ends_at_once() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    stage.now(pools.close());
    assert_eq!(pools.stats().frames_sent, 0);
}

#[test]
fn a_pool_opened_twice_is_one_and_keeps_its_type() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let both = futures::future::join(pools.open::<u32>("p"), pools.open::<u32>("p"));
    let (first, second) = stage.now(both);
    let third: Pool<u32> = stage.now(pools.open("p")).unwrap();
    first.unwrap().contribute("k", &1).unwrap();
    assert_eq!((second.unwrap().len(), third.len()), (1, 1));
    assert!(matches!(stage.now(pools.open::<String>("p")), Err(OpenError::Type)));
}

#[test]
fn a_subscription_that_is_refused_opens_nothing() {
    let mut publisher = MockPublisher::new();
    publisher.expect_limits().return_const(BusLimits::default());
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_hears_own_echo().return_const(false);
    let denied = || Error::new(ErrorKind::Denied, "subscribe");
    subscriber.expect_subscribe().returning(move |_| Box::pin(std::future::ready(Err(denied()))));
    let timer = Arc::new(ManualTimer::new());
    let (pools, mut driver) =
        Pools::new(Arc::new(publisher), Arc::new(subscriber), timer, Config::new("a")).unwrap();
    assert!(matches!(block_on(pools.open::<u32>("p")), Err(OpenError::Subscribe(_))));
    assert!((&mut driver).now_or_never().is_none());
    drop(pools);
    assert!(driver.now_or_never().is_some(), "the driver of dropped pools ends");
}

#[test]
fn frames_wait_while_the_publisher_has_as_many_as_it_may() {
    let limits = with_body(Some(SizeLimit::bytes(400)));
    let mut publisher = MockPublisher::new();
    publisher.expect_limits().return_const(limits);
    publisher.expect_publish().times(3).returning(|_| Box::pin(std::future::pending()));
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_hears_own_echo().return_const(true);
    subscriber.expect_subscribe().returning(|_| Box::pin(async { Ok(futures::stream::pending().boxed()) }));
    let timer = ManualTimer::new();
    let mut config = Config::new("a");
    config.max_in_flight = 3;
    let (pools, mut driver) =
        Pools::new(Arc::new(publisher), Arc::new(subscriber), Arc::new(timer.clone()), config).unwrap();
    let pool: Pool<String> = block_on(pools.open("p")).unwrap();
    for key in 0..100 {
        pool.contribute(&format!("k{key}"), &"x".repeat(50)).unwrap();
    }
    for _ in 0..100 {
        assert!((&mut driver).now_or_never().is_none());
        timer.advance(Duration::from_millis(100));
    }
    assert_eq!(pools.stats().frames_sent, 3);
}

#[test]
fn heartbeats_are_urgent_and_replace_each_other_in_queues() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let _pool: Pool<u32> = stage.now(pools.open("p")).unwrap();
    stage.run(secs(10));
    let published = stage.bus.published();
    let beats: Vec<_> = published.iter().filter(|message| message.body.starts_with(b"[1,0,")).collect();
    assert!((4..=6).contains(&beats.len()), "{}", beats.len());
    assert!(beats.iter().all(|beat| beat.priority == Priority::Urgent));
    assert!(beats.iter().all(|beat| beat.conflation_key.as_deref() == Some("heartbeat")));
}

#[test]
fn gaps_and_garbage_are_counted() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let _pool: Pool<u32> = stage.now(pools.open("p")).unwrap();
    stage.bus.deliver("POOL_p", &Delivery::Gap);
    (0..1_000).for_each(|_| stage.bus.deliver("POOL_p", &Stage::message("garbage")));
    stage.run(secs(1));
    let Stats { gaps, malformed, .. } = pools.stats();
    assert_eq!((gaps, malformed), (1, 1_000));
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    type Time = fn(&mut Config) -> &mut Duration;
    let refused = |config: Config, body: Option<SizeLimit>| {
        let mut publisher = MockPublisher::new();
        publisher.expect_limits().return_const(with_body(body));
        let mut subscriber = MockSubscriber::new();
        subscriber.expect_hears_own_echo().return_const(true);
        let timer = Arc::new(ManualTimer::new());
        Pools::new(Arc::new(publisher), Arc::new(subscriber), timer, config).err()
    };
    assert_eq!(refused(Config::new("a"), None), None);
    assert_eq!(refused(Config::new(""), None), Some(ConfigError::Server { length: 0 }));
    assert_eq!(refused(Config::new("x".repeat(129)), None), Some(ConfigError::Server { length: 129 }));
    assert_eq!(refused(Config::new("a").with_incarnation(1 << 53), None), Some(ConfigError::Incarnation));
    let hasty = Config::new("a").with_heartbeat(secs(2)).with_timeout(secs(7));
    assert!(matches!(refused(hasty, None), Some(ConfigError::Timeout { .. })));
    let times: [(&str, Time); 4] = [
        ("heartbeat", |config| &mut config.heartbeat),
        ("timeout", |config| &mut config.timeout),
        ("coalesce", |config| &mut config.coalesce),
        ("repair_delay", |config| &mut config.repair_delay),
    ];
    for (name, time) in times {
        for wrong in [Duration::MAX, secs(86_401), Duration::ZERO, Duration::from_nanos(1)] {
            let mut config = Config::new("a");
            *time(&mut config) = wrong;
            let error = refused(config, None);
            let works = name == "coalesce" && wrong < secs(1);
            assert!(
                works != matches!(error, Some(ConfigError::Time { field, .. }) if field == name),
                "{error:?}"
            );
        }
    }
    let mut idle = Config::new("a");
    idle.max_in_flight = 0;
    assert_eq!(refused(idle, None), Some(ConfigError::Zero { field: "max_in_flight" }));
    let tiny = Some(SizeLimit::bytes(100));
    assert_eq!(refused(Config::new("a"), tiny), Some(ConfigError::FrameTooSmall));
}

#[test]
fn buses_of_which_no_server_knows_its_share_are_refused() {
    let refused = |limits: &BusLimits| {
        Machine::new(Instant::ZERO, WallTime::default(), Config::new("a"), limits, true).err()
    };
    let mut limits = presets::ROBLOX_MESSAGING;
    assert_eq!(refused(&limits), None);
    limits.receive_counting = ReceiveCounting::PerDelivery;
    assert_eq!(refused(&limits), Some(ConfigError::NoShare));
    (limits.receive_topic, limits.receive_total) = (None, None);
    assert_eq!(refused(&limits), None, "what is sent counts once");
    limits.send = Some(FleetRate::per_minute(0));
    assert_eq!(refused(&limits), Some(ConfigError::NoRate));
    limits.send = Some(FleetRate { window: Duration::ZERO, ..FleetRate::per_minute(9) });
    assert_eq!(refused(&limits), Some(ConfigError::NoRate));
}

fn with_body(body: Option<SizeLimit>) -> BusLimits {
    let mut limits = BusLimits::default();
    limits.body = body;
    limits
}

/// Weakness 19 (join-storm).
#[test]
fn a_joiner_reads_the_checkpoint_that_others_left_in_the_store() {
    let mut stage = Stage::new();
    let timer = Arc::new(stage.timer.clone());
    let store = Arc::new(MemoryStore::new(StoreLimits::default(), Load::default(), timer));
    let a = stage.server_with_store("a", store.clone());
    let players = stage.now(a.open::<u32>("players")).unwrap();
    (0..100).for_each(|number| players.contribute(&format!("player {number}"), &number).unwrap());
    stage.run(secs(25));
    let record =
        stage.now(store.get(RecordKey::new("server-pool", "POOL_players#0"))).unwrap().unwrap().record;
    assert!(record.value.contains("player 99"), "{}", record.value);
    stage.bus.set_broken(true);
    let b = stage.server_with_store("b", store);
    let seen = stage.now(b.open::<u32>("players")).unwrap();
    stage.run(secs(1));
    assert_eq!(seen.len(), 100, "without a word over the bus");
    assert_eq!(b.stats().parts_loaded, 1);
}

/// A value that cannot be read back.
#[derive(serde::Serialize)]
struct Bomb;

impl<'de> serde::Deserialize<'de> for Bomb {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a type of the user's panics")
    }
}

#[test]
fn a_panic_in_a_users_type_ends_the_pools_and_nothing_else() {
    let mut stage = Stage::new();
    let pools = stage.server("a");
    let bombs = stage.now(pools.open::<Bomb>("bombs")).unwrap();
    let numbers = stage.now(pools.open::<u32>("numbers")).unwrap();
    let mut events = numbers.events();
    let panics = std::panic::AssertUnwindSafe(|| bombs.contribute("k", &Bomb));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(matches!(numbers.contribute("k", &1), Err(ContributeError::Closed)));
    // A handle dropped while a panic unwinds must not panic again: that would abort.
    let dropped = std::panic::AssertUnwindSafe(move || {
        let _held = (bombs, pools);
        panic!("elsewhere");
    });
    assert!(std::panic::catch_unwind(dropped).is_err());
    assert!(stage.now(events.next()).is_none(), "whoever waits learns of the end");
}

#[test]
fn a_pool_whose_subscription_has_ended_says_so_buries_nobody_and_subscribes_anew() {
    let mut stage = Stage::new();
    let (first, second) = (stage.server("a"), stage.server("b"));
    let here: Pool<u32> = stage.now(first.open("p")).unwrap();
    let there: Pool<u32> = stage.now(second.open("p")).unwrap();
    here.contribute("k", &7).unwrap();
    stage.run(secs(3));
    assert_eq!(there.view_state(), ViewState::Fresh);
    stage.bus.end_subscriptions();
    stage.bus.set_refusing(true);
    stage.run(secs(60));
    assert_eq!((there.view_state(), there.len(), second.stats().expired), (ViewState::Stale, 1, 0));
    here.contribute("l", &8).unwrap();
    stage.bus.set_refusing(false);
    stage.run(secs(35));
    assert_eq!((there.view_state(), there.len(), second.stats().expired), (ViewState::Fresh, 2, 0));
}
