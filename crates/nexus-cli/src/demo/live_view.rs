//! What the user sees while the run goes on: a redrawn block on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::fleet::Fleet;
use super::ground::Ground;
use super::traffic::Traffic;

const REDRAW: Duration = Duration::from_millis(200);
const PLAIN_LINE: Duration = Duration::from_secs(2);
const BAR: usize = 40;

/// The task that draws, on the standard error stream.
pub(super) struct LiveView {
    task: JoinHandle<()>,
    terminal: bool,
}

impl LiveView {
    pub(super) fn over(fleet: &Arc<Fleet>, ground: &Arc<Ground>, length: Duration) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let (fleet, ground, start) = (Arc::clone(fleet), Arc::clone(ground), Instant::now());
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(if terminal { REDRAW } else { PLAIN_LINE });
            loop {
                every.tick().await;
                let line = Line::read(&fleet, &ground, start.elapsed(), length);
                if terminal { line.redraw() } else { line.print() }
            }
        });
        Self { task, terminal }
    }

    pub(super) fn finish(self) {
        self.task.abort();
        if self.terminal {
            eprintln!();
        }
    }
}

/// One moment of the run.
struct Line {
    elapsed: Duration,
    length: Duration,
    online: usize,
    servers: usize,
    accepted: u64,
    durable: u64,
    traffic: Traffic,
}

impl Line {
    fn read(fleet: &Fleet, ground: &Ground, elapsed: Duration, length: Duration) -> Self {
        let counts = fleet.ledger.counts();
        Self {
            elapsed,
            length,
            online: fleet.truth().len(),
            servers: fleet.running().len(),
            accepted: counts.accepted,
            durable: counts.durable,
            traffic: Traffic::read(ground, fleet, elapsed),
        }
    }

    fn text(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let Traffic { frames, frame_bytes, room, requests_used, bus, .. } = self.traffic;
        let fill = 100 * frame_bytes / room.max(1);
        let budget = bus.map_or_else(String::new, |bus| {
            format!("  budget {} %", 100 * requests_used / bus.allowed.max(1))
        });
        format!(
            "{seconds:5.1} s  {} servers  {} online  {} operations ({:.0}/s, {} durable)  frames {frames}, \
             filled {fill} %{budget}",
            self.servers,
            self.online,
            self.accepted,
            self.accepted as f64 / seconds.max(0.1),
            self.durable,
        )
    }

    fn print(&self) {
        eprintln!("{}", self.text());
    }

    fn redraw(&self) {
        let part = (self.elapsed.as_secs_f64() / self.length.as_secs_f64()).min(1.0);
        let full = (part * BAR as f64) as usize;
        let bar = format!("[{}{}]", "#".repeat(full), ".".repeat(BAR - full));
        // Carriage return and "erase to the end of the line": one line, drawn over and over.
        eprint!("\r\x1b[K{bar} {}", self.text());
        // A terminal that cannot be written to loses the view, not the run.
        let _ = std::io::stderr().flush();
    }
}
