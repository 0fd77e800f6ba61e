//! A proxy between a client and a server, which cuts and stalls what runs through it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a proxy leads to.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// An address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A proxy on a free port of this machine. When it is dropped its connections are cut and the port is closed.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    upstream: Upstream,
    stalled: bool,
    closed: bool,
    /// How often connections were cut: one that was made before the last time is to end.
    cuts: u64,
    /// How many pieces have come from clients.
    pieces: u64,
    /// Both ends of every connection, to be shut.
    wires: Vec<Wire>,
}

impl Proxy {
    /// Starts a proxy that lets everything through.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = State { upstream, stalled: false, closed: false, cuts: 0, pieces: 0, wires: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection that there is. Later ones are let through.
    pub fn cut(&self) {
        self.shared.change(State::cut);
    }

    /// Forwards nothing from now on, either way, and closes nothing: no sign of life, as when a cable is pulled. New
    /// connections are taken and hear nothing.
    pub fn stall(&self) {
        self.shared.change(|state| state.stalled = true);
    }

    /// Forwards again, beginning with what was held back.
    pub fn resume(&self) {
        self.shared.change(|state| state.stalled = false);
    }

    /// In how many pieces the clients have sent what they sent so far. Requests that each wait for the answer to the last
    /// come in one piece each.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.shared.state().pieces
    }

    /// Leads later connections elsewhere. Those that there are stay as they are: [`cut`](Self::cut) them to make
    /// clients follow.
    pub fn redirect(&self, upstream: Upstream) {
        self.shared.change(|state| state.upstream = upstream);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.closed = true;
            state.cut();
        });
        // Wakes the thread that accepts; if it is gone already, there is nobody to wake.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn cut(&mut self) {
        self.cuts += 1;
        self.wires.drain(..).for_each(|wire| wire.shut());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept() {
            if self.state().closed {
                return;
            }
            // A server that is down shows as a connection that ends at once.
            let _server_is_down = self.join(client);
        }
    }

    /// Starts the two threads that carry a connection.
    fn join(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let mut state = self.state();
        let server = Wire::to(&state.upstream)?;
        client.set_nodelay(true)?;
        let client = Wire::Tcp(client);
        let ends = [(client.copy()?, server.copy()?, 1), (server.copy()?, client.copy()?, 0)];
        state.wires.extend([client, server]);
        let cuts = state.cuts;
        for (from, to, counted) in ends {
            let shared = self.clone();
            thread::spawn(move || {
                // Either way the connection is over, for both directions.
                let _end = shared.carry(cuts, counted, &from, &to);
                from.shut();
                to.shut();
            });
        }
        Ok(())
    }

    /// Carries one way, and counts each piece as so many.
    fn carry(&self, cuts: u64, counted: u64, mut from: &Wire, mut to: &Wire) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            self.wait(cuts);
            let length = from.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            self.state().pieces += counted;
            // What was read just as the stall began is held back too.
            self.wait(cuts);
            to.write_all(&buffer[..length])?;
        }
    }

    /// Waits while everything is stalled, unless the connection was cut.
    fn wait(&self, cuts: u64) {
        let held = |state: &mut State| state.stalled && state.cuts == cuts;
        drop(self.changed.wait_while(self.state(), held).unwrap_or_else(PoisonError::into_inner));
    }
}

/// One end of a connection.
enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Wire {
    fn to(upstream: &Upstream) -> io::Result<Self> {
        match upstream {
            Upstream::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Upstream::Unix(path) => UnixStream::connect(path).map(Self::Unix),
        }
    }

    fn copy(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    fn shut(&self) {
        // One that is shut already is as it should be.
        let _already = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for &Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Tcp(stream) => (&mut &*stream).read(buffer),
            Wire::Unix(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Tcp(stream) => (&mut &*stream).write(bytes),
            Wire::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
