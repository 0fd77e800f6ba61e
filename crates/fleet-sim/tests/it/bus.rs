//! What the bus does to messages.

use fleet_sim::{CutKind, Delay};
use transport_traits::ErrorKind;
use transport_traits::limits::{Content, SizeLimit};

use crate::support::{fleet, heard, ms, publish, secs};

#[test]
fn a_message_reaches_every_subscriber_and_its_sender_after_the_delay() {
    let (mut sim, hosts) = fleet(3, 1);
    sim.bus.faults.delay = Delay::Fixed(ms(250));
    publish(&mut sim, hosts[0], "hello");
    sim.run(secs(1));
    for host in hosts {
        assert_eq!(sim.node(host).unwrap().heard, [(250, "hello".to_owned())]);
    }
}

#[test]
fn without_echo_the_sender_does_not_hear_itself() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.bus.echo = false;
    publish(&mut sim, hosts[0], "hello");
    sim.run(secs(1));
    assert!(heard(&sim, hosts[0]).is_empty());
    assert_eq!(heard(&sim, hosts[1]), ["hello"]);
}

#[test]
fn loss_and_duplication_come_as_often_as_asked_for() {
    let (mut sim, hosts) = fleet(2, 7);
    (sim.bus.faults.loss, sim.bus.faults.duplication) = (0.2, 0.1);
    for _ in 0..10_000 {
        publish(&mut sim, hosts[0], "x");
    }
    sim.run(secs(1));
    let came = heard(&sim, hosts[1]).len();
    assert!((8_600..9_000).contains(&came), "{came} of 8,800");
    assert!((3_700..4_300).contains(&sim.bus.stats().lost), "of both receivers: {:?}", sim.bus.stats());
}

#[test]
fn delays_that_vary_let_messages_overtake_each_other() {
    let (mut sim, hosts) = fleet(2, 3);
    sim.bus.faults.delay = Delay::Between(ms(10), ms(1_000));
    let sent: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    sent.iter().for_each(|body| publish(&mut sim, hosts[0], body));
    sim.run(secs(2));
    let mut came = heard(&sim, hosts[1]);
    assert_ne!(came, sent);
    let times = sim.node(hosts[1]).unwrap().heard.iter().map(|(at, _)| *at);
    assert!(times.clone().min() >= Some(10) && times.max() <= Some(1_000));
    came.sort_by_key(|body| body.parse::<u32>().unwrap());
    assert_eq!(came, sent, "none is lost");
}

#[test]
fn a_long_tail_has_its_median_and_its_most() {
    let (mut sim, hosts) = fleet(2, 3);
    sim.bus.faults.delay = Delay::LongTail { median: ms(100), most: secs(3) };
    for _ in 0..5_000 {
        publish(&mut sim, hosts[0], "x");
    }
    sim.run(secs(4));
    let mut times: Vec<u64> = sim.node(hosts[1]).unwrap().heard.iter().map(|(at, _)| *at).collect();
    times.sort_unstable();
    assert_eq!(times.len(), 5_000);
    assert!((90..110).contains(&times[2_500]), "median {}", times[2_500]);
    assert!((700..1_400).contains(&times[4_950]), "one in a hundred is above {}", times[4_950]);
    assert!(times[4_999] <= 3_000);
}

#[test]
fn a_cut_loses_what_crosses_it_in_its_direction_alone() {
    let (mut sim, hosts) = fleet(2, 1);
    let cut = sim.bus.cut([hosts[0]], [hosts[1]], CutKind::Drop);
    publish(&mut sim, hosts[0], "there");
    publish(&mut sim, hosts[1], "back");
    sim.run(secs(1));
    assert_eq!(heard(&sim, hosts[0]), ["there", "back"]);
    assert_eq!(heard(&sim, hosts[1]), ["back"]);
    sim.bus.mend(cut);
    publish(&mut sim, hosts[0], "again");
    sim.run(secs(1));
    assert_eq!(heard(&sim, hosts[1]), ["back", "again"]);
}

#[test]
fn a_clogged_link_delivers_when_it_is_mended() {
    let (mut sim, hosts) = fleet(2, 1);
    let cut = sim.bus.cut([hosts[0]], [hosts[1]], CutKind::Hold);
    publish(&mut sim, hosts[0], "late");
    sim.run(secs(5));
    assert!(heard(&sim, hosts[1]).is_empty());
    sim.bus.mend(cut);
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[1]).unwrap().heard, [(5_010, "late".to_owned())]);
}

#[test]
fn a_failed_publish_has_no_effect_and_an_unknown_one_may_have() {
    let (mut sim, hosts) = fleet(2, 5);
    sim.bus.faults.failure = 1.0;
    publish(&mut sim, hosts[0], "x");
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().published, [Err(ErrorKind::Unavailable)]);
    assert!(heard(&sim, hosts[1]).is_empty());
    (sim.bus.faults.failure, sim.bus.faults.unknown) = (0.0, 1.0);
    for _ in 0..1_000 {
        publish(&mut sim, hosts[0], "y");
    }
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().published[1..], [Err(ErrorKind::Unknown); 1_000]);
    let came = heard(&sim, hosts[1]).len();
    assert!((400..600).contains(&came), "{came} of 1,000");
}

#[test]
fn what_the_bus_does_not_take_is_refused() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.bus.limits.body = Some(SizeLimit::json_encoded(8));
    sim.bus.limits.content = Content::Text;
    ["123456", "1234567", "\"\"\"", "\"\"\"\""].iter().for_each(|body| publish(&mut sim, hosts[0], body));
    sim.run(secs(1));
    let over = |size| Err(ErrorKind::TooLarge { size, limit: 8 });
    assert_eq!(sim.node(hosts[0]).unwrap().published, [Ok(()), over(9), Ok(()), over(10)]);
    assert_eq!(heard(&sim, hosts[1]), ["123456", "\"\"\""]);
}
