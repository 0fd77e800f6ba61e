//! The peer: `chitchat`, whose servers gossip with three others each time, on a clock that jumps.
//!
//! A round is a second, as in the default of its own tests; there is no public one. Its failure detector has its public
//! default (φ of 8, first interval 5 s). Its latest protocol is used, which compresses. It has no seed: runs differ a little.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chitchat::transport::ChannelTransport;
use chitchat::{
    Chitchat, ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, ProtocolVersion,
    spawn_chitchat,
};
use tokio::runtime::{Builder, Runtime};

use super::{Fleet, Traffic, name};

/// How often a server gossips.
const ROUND: Duration = Duration::from_secs(1);

/// How many servers every server is told of at its start, the first ones.
const SEEDS: usize = 3;

/// A fleet of the peer.
pub struct Gossip {
    runtime: Runtime,
    transport: ChannelTransport,
    /// `None` once crashed.
    servers: Vec<Option<ChitchatHandle>>,
}

impl Default for Gossip {
    fn default() -> Self {
        Self::new()
    }
}

impl Gossip {
    /// A fleet without servers.
    ///
    /// # Panics
    /// If the system gives it no runtime.
    #[must_use]
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime takes a little memory only");
        Self { runtime, transport: ChannelTransport::default(), servers: Vec::new() }
    }

    fn with<T>(&self, server: &ChitchatHandle, f: impl FnOnce(&mut Chitchat) -> T) -> T {
        let chitchat = server.chitchat();
        self.runtime.block_on(async { f(&mut *chitchat.lock().await) })
    }

    fn all(&self, is_so: impl Fn(&Chitchat) -> bool) -> bool {
        self.servers.iter().flatten().all(|server| self.with(server, |chitchat| is_so(chitchat)))
    }
}

fn address(server: usize) -> SocketAddr {
    let port = u16::try_from(10_000 + server).expect("fleets are small");
    (Ipv4Addr::LOCALHOST, port).into()
}

fn id(server: usize) -> ChitchatId {
    ChitchatId::new(name(server), 1, address(server))
}

fn config(server: usize) -> ChitchatConfig {
    ChitchatConfig {
        chitchat_id: id(server),
        cluster_id: "players".into(),
        gossip_interval: ROUND,
        listen_addr: address(server),
        seed_nodes: (0..SEEDS).map(|seed| address(seed).to_string()).collect(),
        failure_detector_config: FailureDetectorConfig::default(),
        marked_for_deletion_grace_period: Duration::from_secs(15 * 60),
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V1,
    }
}

impl Fleet for Gossip {
    fn start(&mut self, entries: Vec<(String, Arc<str>)>) {
        let entries = entries.into_iter().map(|(key, text)| (key, text.to_string())).collect();
        let started = spawn_chitchat(config(self.servers.len()), entries, &self.transport);
        let server = self.runtime.block_on(started);
        self.servers.push(Some(server.expect("the address is a new one")));
    }

    fn pass(&mut self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    fn all_know(&self, entries: usize) -> bool {
        self.all(|chitchat| {
            let known = chitchat.node_states().values().map(|state| state.num_key_values());
            known.sum::<usize>() == entries
        })
    }

    fn set(&mut self, server: usize, key: &str, text: &Arc<str>) {
        let server = self.servers[server].as_ref().expect("the server runs");
        self.with(server, |chitchat| chitchat.self_node_state().set(key, text));
    }

    fn all_see(&self, server: usize, key: &str, text: &str) -> bool {
        let id = id(server);
        self.all(|chitchat| chitchat.node_state(&id).and_then(|state| state.get(key)) == Some(text))
    }

    fn crash(&mut self, server: usize) {
        let server = self.servers[server].take().expect("the server runs");
        server.abort();
    }

    fn is_buried(&self, server: usize) -> bool {
        let id = id(server);
        self.all(|chitchat| chitchat.live_nodes().all(|live| *live != id))
    }

    /// A datagram is counted as delivered when it is sent.
    fn traffic(&self) -> Traffic {
        let statistics = self.transport.statistics();
        let bytes = statistics.num_bytes_total as f64;
        Traffic { messages: statistics.num_messages_total as f64, published: bytes, delivered: bytes }
    }
}
