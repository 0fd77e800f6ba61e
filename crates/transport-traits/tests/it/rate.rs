//! Rates that depend on the fleet, with the figures of the real services.

use std::time::Duration;

use proptest::prelude::*;
use transport_traits::limits::{FleetRate, Load};
use transport_traits::presets::{OPEN_CLOUD_DATA_STORE, ROBLOX_DATA_STORE, ROBLOX_MESSAGING};

fn rate(rate: Option<FleetRate>) -> FleetRate {
    rate.expect("the preset limits this")
}

#[test]
fn roblox_messaging_allows_what_its_reference_says() {
    let load = Load { servers: 8, players: 50 };
    let allowed = [
        ROBLOX_MESSAGING.send,
        ROBLOX_MESSAGING.receive_topic,
        ROBLOX_MESSAGING.receive_total,
        ROBLOX_MESSAGING.subscriptions,
        ROBLOX_MESSAGING.subscribes,
    ]
    .map(|limit| rate(limit).allowed(load));
    assert_eq!(allowed, [600 + 240 * 50, 40 + 80 * 8, 400 + 200 * 8, 20 + 8 * 50, 240]);
}

#[test]
fn each_server_takes_80_of_a_topic_and_200_in_all_on_roblox() {
    assert_eq!(rate(ROBLOX_MESSAGING.receive_topic).share(), 80);
    assert_eq!(rate(ROBLOX_MESSAGING.receive_total).share(), 200);
    assert_eq!(rate(ROBLOX_MESSAGING.receive_topic).window, Duration::from_secs(60));
}

#[test]
fn the_shares_of_any_number_of_servers_fit_the_limit_that_they_share() {
    for limit in [ROBLOX_MESSAGING.receive_topic, ROBLOX_MESSAGING.receive_total].map(rate) {
        for servers in 0..1_000 {
            assert!(
                u64::from(limit.share()) * u64::from(servers)
                    <= limit.allowed(Load { servers, players: 0 }).into()
            );
        }
    }
}

#[test]
fn roblox_data_stores_allow_what_their_reference_says() {
    let load = Load { servers: 8, players: 10 };
    let limits = &ROBLOX_DATA_STORE;
    let allowed =
        [limits.reads, limits.writes, limits.removes, limits.lists].map(|limit| rate(limit).allowed(load));
    assert_eq!(allowed, [460, 460, 460, 25]);
    assert_eq!(limits.requests, None);
}

#[test]
fn open_cloud_limits_requests_of_every_kind_together() {
    assert_eq!(rate(OPEN_CLOUD_DATA_STORE.requests).allowed(Load::default()), 300);
    assert_eq!(OPEN_CLOUD_DATA_STORE.reads, None);
    assert_eq!(OPEN_CLOUD_DATA_STORE.value, ROBLOX_DATA_STORE.value);
}

#[test]
fn a_limit_that_does_not_grow_with_the_fleet_is_its_own_share() {
    assert_eq!(FleetRate::per_second(50).share(), 50);
    assert_eq!(FleetRate::per_second(50).window, Duration::from_secs(1));
}

proptest! {
    #[test]
    fn an_allowance_is_linear_and_saturates(base: u32, per_server: u32, per_player: u32, servers: u32, players: u32) {
        let rate = FleetRate::per_minute(base).plus_per_server(per_server).plus_per_player(per_player);
        let exact = u128::from(base)
            + u128::from(per_server) * u128::from(servers)
            + u128::from(per_player) * u128::from(players);
        prop_assert_eq!(u128::from(rate.allowed(Load { servers, players })), exact.min(u32::MAX.into()));
    }
}
