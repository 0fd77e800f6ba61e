//! The suite that every adapter passes, on the bus and the store of a simulation as its processes have them.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fleet_sim::{HostId, Ports, Process, Sim};
use transport_conformance::{Buses, Stores};
use transport_traits::limits::SizeLimit;

thread_local! {
    /// The world of the test that runs on this thread.
    static WORLD: RefCell<Option<Sim<Process>>> = const { RefCell::new(None) };
}

/// Two servers of a new world, which becomes that of this thread.
fn servers() -> [Ports; 2] {
    let mut sim = Sim::new(1);
    sim.store.limits.value = Some(SizeLimit::chars(4_096));
    sim.store.limits.metadata = Some(SizeLimit::chars(300));
    sim.store.limits.key = Some(SizeLimit::chars(50));
    sim.store.limits.store_name = Some(SizeLimit::bytes(50));
    sim.bus.limits.body = Some(SizeLimit::json_encoded(1_024));
    sim.bus.limits.topic = Some(SizeLimit::chars(80));
    let ports = [(), ()].map(|()| {
        let mut given = None;
        sim.launch_app(|ports| {
            given = Some(ports);
            pending::<()>()
        });
        given.expect("its app was made")
    });
    WORLD.set(Some(sim));
    ports
}

async fn stores(_test: &'static str) -> Option<Stores> {
    let [here, there] = servers();
    Some(Stores::new(here.store(), there.store()))
}

async fn buses(_test: &'static str) -> Option<Buses> {
    let [here, there] = servers();
    Some(Buses::new(here.bus(), there.bus()))
}

/// Runs a future and, whenever it waits, its world.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
        WORLD.with_borrow_mut(|world| {
            let sim = world.as_mut().expect("what waits waits for a world");
            // What was asked for from outside of a process is carried out when that is looked after.
            for host in [HostId(0), HostId(1)] {
                let _ = sim.act(host, |_, _| ());
            }
            sim.run(Duration::from_millis(1));
        });
    }
}

mod store {
    transport_conformance::store_tests!(setup: super::stores, run: super::run);
}

mod bus {
    transport_conformance::bus_tests!(setup: super::buses, run: super::run);
}
