//! `fleet-checks sim --report`: what fleets of 1,000 servers cost, and whether that is what is wanted.

use std::time::{Duration, Instant};

use fleet_checks::sim::{Crowd, Scale, report, scale};

/// Says how ours does beside the original and what large fleets cost; whether they do what is wanted of them.
pub(super) fn tell_report() -> bool {
    println!("{}", report());
    let calm = tell_scale(Crowd::new(1_000, 10, 60), Some(Duration::from_secs(60)));
    let lossy = tell_scale(Crowd { loss: 0.01, ..Crowd::new(1_000, 10, 20) }, None);
    calm && lossy
}

/// Says what a fleet costs: time of the processor, which is the wall's where nothing else runs. Whether all came to see the
/// same in time, where nothing was lost none knew less at the end, and it took no longer than wanted.
fn tell_scale(crowd: Crowd, wanted: Option<Duration>) -> bool {
    let (begin, used, memory) = (Instant::now(), processor_time(), Memory::begin());
    let Scale { publishes, deliveries, pulls, repeated, fewest, entries, equal_after } = scale(crowd);
    let wall = begin.elapsed();
    let used = used.and_then(|used| processor_time()?.checked_sub(used)).unwrap_or(wall);
    println!(
        "{} servers, each with a pool and nothing else, straight on a bus without a limit for the rate, a heartbeat every 5 s; \
         {entries} entries, of which 1 % a second get another value; no server comes or goes; {} % of deliveries lost. \
         {} simulated seconds: {publishes} frames ({pulls} requests, {repeated} repeated), {deliveries} deliveries, every \
         server knows at least {fewest} entries; all servers see the same {}. {:.1} s of one core ({}; {:.1} s by the wall), \
         {:.2} µs a delivery; {}",
        crowd.servers,
        crowd.loss * 100.0,
        crowd.seconds,
        equal_after.map_or("not within 121 s".into(), |after| format!(
            "{:.1} s after the last change",
            after.as_secs_f64()
        )),
        used.as_secs_f64(),
        wanted.map_or("nothing wanted".into(), |most| format!("{} s wanted at most", most.as_secs())),
        wall.as_secs_f64(),
        used.as_secs_f64() * 1e6 / deliveries.max(1) as f64,
        memory.map_or("memory not known".into(), |memory| memory.tell(crowd.servers * entries)),
    );
    let knows = crowd.loss > 0.0 || fewest == entries;
    equal_after.is_some() && knows && wanted.is_none_or(|most| used <= most)
}

/// How much this thread, on which a fleet runs, has used of a core since its start, where the system tells (Linux, `proc(5)`:
/// `schedstat`).
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What this process had of memory when something began.
struct Memory {
    before: usize,
}

impl Memory {
    /// Lets the peak count from now on, where the system can (Linux, `proc(5)`: `clear_refs`).
    fn begin() -> Option<Self> {
        std::fs::write("/proc/self/clear_refs", "5").ok()?;
        status_bytes("VmRSS:").map(|before| Self { before })
    }

    /// The peak since then, and what that is at most for each row on a server.
    fn tell(&self, rows: usize) -> String {
        status_bytes("VmHWM:").map_or("memory not known".into(), |peak| {
            format!(
                "{:.2} GB of memory at most, with {:.2} GB that were there before it began: at most {} bytes a row on a server, \
                 with all around it",
                peak as f64 / 1e9,
                self.before as f64 / 1e9,
                peak / rows.max(1)
            )
        })
    }
}

/// A line of `/proc/self/status` that is in kB, where the system has it.
fn status_bytes(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024)
}
