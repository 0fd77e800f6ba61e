//! The course of a run: start the fleet, let people play, kill a server, let one join, stop, count.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::convergence;
use super::fleet::Fleet;
use super::ground::Ground;
use super::host::POOL_TIMEOUT;
use super::judge::judge;
use super::ledger::Ledger;
use super::live_view::LiveView;
use super::player::Player;
use super::protocol::{Answer, Ask};
use super::report::{Measured, Report};
use super::seat::Seat;
use super::side_ledger::SideLedger;
use super::traffic::Traffic;
use crate::args::DemoArgs;
use crate::failure::Failure;

/// Operations that a server's share of the bus carries in a second with room to spare.
const OPERATIONS_PER_SERVER: f64 = 5.0;
/// How long views may take to agree once nobody moves any more.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the servers may take to save everything at the end.
const CLOSING: Duration = Duration::from_secs(30);

/// The exit code of a program that SIGINT ended, as shells report it.
const INTERRUPTED: i32 = 130;

/// When the crash and the join happen, as parts of the playing time.
const CRASH_AT: f64 = 0.4;
const JOIN_AT: f64 = 0.6;

/// A run in progress.
pub(super) struct Stage<'a> {
    args: &'a DemoArgs,
    ground: Arc<Ground>,
    fleet: Arc<Fleet>,
    measured: Mutex<Measured>,
    start: Instant,
    interrupted: watch::Receiver<bool>,
}

/// Runs the fleet and reports. What nobody named a place for goes into the folder `temporary`.
pub(super) async fn play(args: &DemoArgs, temporary: &Path) -> Result<Report, Failure> {
    let stage = Stage::set_up(args, temporary).await?;
    let view = LiveView::over(&stage.fleet, &stage.ground, Duration::from_secs(args.seconds.into()));
    let played = tokio::select! {
        played = stage.run() => played,
        why = stage.ground.unusable() => Err(why),
    };
    view.finish();
    played?;
    stage.report().await
}

impl<'a> Stage<'a> {
    async fn set_up(args: &'a DemoArgs, temporary: &Path) -> Result<Self, Failure> {
        let data = args.data.clone().unwrap_or_else(|| temporary.join("demo.sqlite"));
        let ground = Arc::new(Ground::open(args, data).await?);
        let side = args.file().map(|file| SideLedger::begin(file, &ground.store_name)).transpose()?;
        let fleet = Arc::new(Fleet::new(Ledger::new(args.players, side)));
        Ok(Self {
            args,
            ground,
            fleet,
            measured: Mutex::default(),
            start: Instant::now(),
            interrupted: listen_for_interrupts(),
        })
    }

    async fn run(&self) -> Result<(), Failure> {
        for number in 0..self.args.servers as usize - 1 {
            self.fleet.add(self.ground.start(number, &self.fleet).await?);
        }
        let start = Instant::now();
        let mut players = self.players();
        let ((), seats) = futures::try_join!(self.course(), self.gather(&mut players))?;
        self.measured.lock().played = start.elapsed();
        self.settle().await?;
        self.close().await;
        drop(seats);
        Ok(())
    }

    fn players(&self) -> JoinSet<Result<Option<Seat>, Failure>> {
        let rate = OPERATIONS_PER_SERVER * f64::from(self.args.servers);
        let pace = Duration::from_secs_f64(f64::from(self.args.players) / rate);
        let mut rng = fastrand::Rng::with_seed(self.args.seed);
        let player = |number| {
            let fleet = Arc::clone(&self.fleet);
            Player { fleet, number, players: self.args.players, pace, rng: rng.fork() }.live()
        };
        (0..self.args.players).map(player).collect()
    }

    /// The seats of the players when all have stopped. Those whose server never answers are counted.
    async fn gather(
        &self,
        players: &mut JoinSet<Result<Option<Seat>, Failure>>,
    ) -> Result<Vec<Seat>, Failure> {
        let mut seats = Vec::new();
        let overdue = async {
            self.fleet.stopped().await;
            tokio::time::sleep(CLOSING).await;
        };
        let mut overdue = std::pin::pin!(overdue);
        loop {
            let ended = tokio::select! {
                ended = players.join_next() => ended,
                () = &mut overdue => break,
            };
            let Some(ended) = ended else { break };
            seats.extend(ended.map_err(|error| Failure::because("a player's task broke", &error))??);
        }
        self.measured.lock().unanswered = players.len();
        Ok(seats)
    }

    /// What happens to the fleet while people play. Ends them at the end, or at Ctrl-C.
    async fn course(&self) -> Result<(), Failure> {
        let mut interrupted = self.interrupted.clone();
        let length = Duration::from_secs(self.args.seconds.into());
        let interrupted = tokio::select! {
            outcome = self.crash_and_join(length) => { outcome?; false }
            Ok(_) = interrupted.wait_for(|told| *told) => true,
        };
        self.measured.lock().interrupted = interrupted;
        self.fleet.stop();
        Ok(())
    }

    async fn crash_and_join(&self, length: Duration) -> Result<(), Failure> {
        let end = tokio::time::sleep(length);
        let crash = async {
            tokio::time::sleep(length.mul_f64(CRASH_AT)).await;
            let mut rng = fastrand::Rng::with_seed(!self.args.seed);
            let victim = self.fleet.any_server(&mut rng, None)?;
            self.fleet.kill(&victim);
            self.measured.lock().crashed = Some(victim.name.clone());
            let took = convergence::after_crash(&self.fleet, &victim).await?;
            self.measured.lock().converged_after_crash = Some(took);
            Ok(())
        };
        let join = async {
            tokio::time::sleep(length.mul_f64(JOIN_AT)).await;
            let number = self.args.servers as usize - 1;
            let joined = self.ground.start(number, &self.fleet).await?;
            self.fleet.add(Arc::clone(&joined));
            self.measured.lock().joined = Some(joined.name.clone());
            let took = convergence::after_join(&self.fleet, &joined).await?;
            self.measured.lock().converged_after_join = Some(took);
            Ok(())
        };
        let events = async { futures::try_join!(crash, join).map(drop) };
        // The events are given a timeout's length beyond the end: a short run crashes late.
        let bounded = tokio::time::timeout(length + POOL_TIMEOUT + PATIENCE, events);
        let (_, outcome) = futures::join!(end, bounded);
        outcome.unwrap_or(Ok(()))
    }

    /// Nobody moves any more: the views must come to agree.
    async fn settle(&self) -> Result<(), Failure> {
        let pools_equal = convergence::of_all(&self.fleet, PATIENCE).await?;
        let differing = convergence::differing(&self.fleet).await?;
        let mut measured = self.measured.lock();
        (measured.pools_equal, measured.differing) = (pools_equal, differing);
        Ok(())
    }

    async fn close(&self) {
        let servers = self.fleet.running();
        let closing = futures::future::join_all(servers.iter().map(|server| server.ask(Ask::Close)));
        let answers = tokio::time::timeout(CLOSING, closing).await.unwrap_or_default();
        let unsaved: Vec<usize> = answers
            .into_iter()
            .filter_map(|answer| match answer {
                Ok(Some(Answer::Closed { unsaved })) => Some(unsaved),
                _ => None,
            })
            .collect();
        let mut measured = self.measured.lock();
        measured.closed = unsaved.len() == servers.len();
        measured.unsaved = unsaved.into_iter().sum();
        measured.traffic = Traffic::read(&self.ground, &self.fleet, self.start.elapsed());
    }

    async fn report(&self) -> Result<Report, Failure> {
        let saved = self.ground.saved().await?;
        let (players, seen_after) = self.fleet.ledger.close();
        let verdict = judge(&players, &saved, &self.fleet.killed());
        let mut measured = self.measured.lock().clone();
        (measured.store_reads, measured.store_writes) = self.ground.store_counts(&self.fleet);
        Ok(Report::new(self.args, verdict, measured, seen_after))
    }
}

/// Tells of the first Ctrl-C; a second one ends the program. Where the system has no such signal it tells nothing.
fn listen_for_interrupts() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if tell.send_replace(true) {
                std::process::exit(INTERRUPTED);
            }
        }
        std::future::pending::<()>().await;
    });
    told
}
