//! What a run measured, as one JSON object or as a table.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::judge::Verdict;
use super::traffic::Traffic;
use crate::args::DemoArgs;

/// What the stage noted while the run went on.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) played: Duration,
    pub(super) interrupted: bool,
    pub(super) crashed: Option<String>,
    pub(super) joined: Option<String>,
    pub(super) converged_after_crash: Option<Duration>,
    pub(super) converged_after_join: Option<Duration>,
    pub(super) pools_equal: bool,
    /// A server whose view of the pool was wrong at the end, and in how many entries.
    pub(super) differing: Option<(String, usize)>,
    /// Whether every server that ran closed in time.
    pub(super) closed: bool,
    pub(super) unsaved: usize,
    /// Players whose server did not answer any more.
    pub(super) unanswered: usize,
    pub(super) traffic: Traffic,
    pub(super) store_reads: u64,
    pub(super) store_writes: u64,
}

/// The outcome of a run. Times are in milliseconds; `null` is what the run did not come to measure.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    ok: bool,
    broken: Vec<String>,
    seed: u64,
    servers: u32,
    players: u32,
    played_ms: u64,
    interrupted: bool,
    operations: u64,
    durable: u64,
    lost: u64,
    doubled: u64,
    phantom: u64,
    refused: u64,
    at_risk: u64,
    at_risk_survived: u64,
    unknown: u64,
    coins_by_ledger: i64,
    coins_by_file: i64,
    pools_equal: bool,
    converged_after_crash_ms: Option<u64>,
    converged_after_join_ms: Option<u64>,
    requests_used: u64,
    requests_allowed: Option<u64>,
    messages: u64,
    messages_per_request: f64,
    fill: f64,
    store_reads: u64,
    store_writes: u64,
    seen: usize,
    seen_p50_ms: Option<u64>,
    seen_p99_ms: Option<u64>,
}

impl Report {
    pub(super) fn new(
        args: &DemoArgs,
        verdict: Verdict,
        measured: Measured,
        mut seen: Vec<Duration>,
    ) -> Self {
        seen.sort_unstable();
        let broken = broken(&verdict, &measured);
        let traffic = &measured.traffic;
        Self {
            ok: broken.is_empty(),
            broken,
            seed: args.seed,
            servers: args.servers,
            players: args.players,
            played_ms: millis(measured.played),
            interrupted: measured.interrupted,
            operations: verdict.accepted,
            durable: verdict.durable,
            lost: verdict.lost,
            doubled: verdict.doubled,
            phantom: verdict.phantom,
            refused: verdict.refused,
            at_risk: verdict.at_risk,
            at_risk_survived: verdict.at_risk_survived,
            unknown: verdict.doubtful,
            coins_by_ledger: verdict.coins_by_ledger,
            coins_by_file: verdict.coins_by_file,
            pools_equal: measured.pools_equal,
            converged_after_crash_ms: measured.converged_after_crash.map(millis),
            converged_after_join_ms: measured.converged_after_join.map(millis),
            requests_used: traffic.requests_used,
            requests_allowed: traffic.bus.map(|bus| bus.allowed),
            messages: traffic.messages,
            messages_per_request: ratio(traffic.messages, traffic.frames),
            fill: ratio(traffic.frame_bytes, traffic.room),
            store_reads: measured.store_reads,
            store_writes: measured.store_writes,
            seen: seen.len(),
            seen_p50_ms: percentile(&seen, 50),
            seen_p99_ms: percentile(&seen, 99),
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.ok
    }
}

/// The promises that the run broke, in words.
fn broken(verdict: &Verdict, measured: &Measured) -> Vec<String> {
    let mut broken = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            broken.push(what);
        }
    };
    check(verdict.lost == 0, format!("{} operations are lost", verdict.lost));
    check(verdict.doubled == 0, format!("{} operations are doubled", verdict.doubled));
    check(verdict.phantom == 0, format!("{} operations were refused and yet happened", verdict.phantom));
    check(verdict.refused == 0, format!("{} operations were refused for no reason", verdict.refused));
    check(verdict.wrong_sums == 0, format!("the coins of {} players do not add up", verdict.wrong_sums));
    check(measured.closed, "the servers did not close in time".into());
    check(measured.unsaved == 0, format!("{} records could not be saved at the end", measured.unsaved));
    check(measured.unanswered == 0, format!("{} players waited for an answer in vain", measured.unanswered));
    let differing = measured.differing.as_ref();
    let whose = differing.map_or_else(String::new, |(name, by)| format!(": {name} is wrong in {by} entries"));
    check(measured.pools_equal, format!("the views of the pool differ{whose}"));
    let excess = measured.traffic.excess();
    check(excess.is_none(), excess.unwrap_or_default());
    if !measured.interrupted {
        check(measured.converged_after_crash.is_some(), "the views never lost the server that died".into());
        check(measured.converged_after_join.is_some(), "the server that joined never knew everybody".into());
    }
    broken
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1_000.0).round() / 1_000.0 }
}

/// The smallest of `sorted` that at least `percent` of them do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied().map(millis)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: Option<u64>| time.map_or_else(|| "–".to_owned(), |time| format!("{time} ms"));
        let mut row = |name: &str, value: String| writeln!(f, "  {name:<36}{value}");
        row("coins by ledger / by file", format!("{} / {}", self.coins_by_ledger, self.coins_by_file))?;
        row("operations accepted / durable", format!("{} / {}", self.operations, self.durable))?;
        row("operations lost / doubled", format!("{} / {}", self.lost, self.doubled))?;
        row("at risk in the crash / survived it", format!("{} / {}", self.at_risk, self.at_risk_survived))?;
        row("pool views equal", if self.pools_equal { "yes" } else { "no" }.to_owned())?;
        row("pool right after the crash", time(self.converged_after_crash_ms))?;
        row("pool whole after the join", time(self.converged_after_join_ms))?;
        match self.requests_allowed {
            Some(allowed) => {
                let window = if self.played_ms < 60_000 { "in a minute" } else { "in that time" };
                let used = format!("{} / {allowed}", self.requests_used);
                row(&format!("requests used / allowed {window}"), used)?;
            }
            None => row("requests used", self.requests_used.to_string())?,
        }
        row("logical messages a request", format!("{:.2}", self.messages_per_request))?;
        row("fill of the frames", format!("{:.0} %", self.fill * 100.0))?;
        row("store reads / writes", format!("{} / {}", self.store_reads, self.store_writes))?;
        let seen = format!("{} / {}", time(self.seen_p50_ms), time(self.seen_p99_ms));
        row("seen elsewhere after, p50 / p99", seen)?;
        writeln!(f)?;
        writeln!(
            f,
            "  \"At risk\" operations were accepted by the server that was killed and not yet durable."
        )?;
        writeln!(
            f,
            "  Accepted: survives all but this process's death. Durable: never lost, as durable as the"
        )?;
        writeln!(f, "  backend. Nothing is applied twice, ever.")?;
        if self.interrupted {
            writeln!(f, "  Interrupted: this covers the {} ms that ran.", self.played_ms)?;
        }
        for broken in &self.broken {
            writeln!(f, "  BROKEN: {broken}")?;
        }
        write!(f, "{}", if self.ok { "  every promise was kept" } else { "  PROMISES WERE BROKEN" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Some(100));
        assert_eq!(percentile(&sorted, 99), Some(198));
        assert_eq!(percentile(&sorted[..1], 99), Some(1));
        assert_eq!(percentile(&[], 50), None);
    }
}
