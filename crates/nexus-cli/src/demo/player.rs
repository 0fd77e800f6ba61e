//! A player's life: join, earn, spend, be awarded coins elsewhere, hop between servers, leave.

use std::sync::Arc;
use std::time::Duration;

use super::fleet::Fleet;
use super::operation::{OperationId, Standing};
use super::protocol::Answer;
use super::seat::Seat;
use super::server::OpenRecord;
use crate::failure::Failure;

/// Every so many hops a server without the player watches the record too, as a friend's would.
const WATCHED_HOPS: u32 = 3;

/// Somebody who plays.
pub(super) struct Player {
    pub(super) fleet: Arc<Fleet>,
    pub(super) number: u32,
    /// How many players there are to award coins to.
    pub(super) players: u32,
    /// The mean time between two things that the player does.
    pub(super) pace: Duration,
    pub(super) rng: fastrand::Rng,
}

impl Player {
    /// Plays until the fleet stops the players; gives back the seat, so that the player stays online.
    pub(super) async fn live(mut self) -> Result<Option<Seat>, Failure> {
        self.pause(Duration::from_secs(2)).await;
        let mut seat = None;
        while !self.fleet.is_stopping() {
            seat = match seat.take() {
                Some(seat) => self.play(seat).await?,
                None => self.join().await?,
            };
        }
        if let Some(seat) = &mut seat {
            seat.flush(&self.fleet).await?;
        }
        Ok(seat)
    }

    async fn join(&mut self) -> Result<Option<Seat>, Failure> {
        let server = self.fleet.any_server(&mut self.rng, None)?;
        Seat::take(&self.fleet, &server, self.number).await
    }

    /// One thing that a player does. `None` when the player is offline afterwards.
    async fn play(&mut self, mut seat: Seat) -> Result<Option<Seat>, Failure> {
        let wait = self.pace.mul_f64(2.0 * self.rng.f64());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.fleet.stopped() => return Ok(Some(seat)),
            () = seat.server().died() => {
                self.be_away(Duration::from_secs(1)).await;
                return Ok(None);
            }
        }
        match self.rng.u32(0..100) {
            0..55 => self.earn(&mut seat).await?,
            55..70 => self.spend(&seat).await?,
            70..88 => self.award(&seat).await?,
            88..95 => return self.hop(seat).await,
            _ => {
                self.fleet.left(self.number);
                seat.leave(&self.fleet, self.number).await?;
                self.be_away(Duration::from_secs(2)).await;
                return Ok(None);
            }
        }
        Ok(Some(seat))
    }

    /// Coins for the player, on the player's own server; saved when the server next flushes.
    async fn earn(&mut self, seat: &mut Seat) -> Result<(), Failure> {
        let coins = self.rng.i64(1..=50);
        let id = self.fleet.ledger.issue(self.number, seat.server().number, coins)?;
        if self.add(id, coins, &seat.record).await? {
            seat.accepted.push(id);
        }
        Ok(())
    }

    /// Coins that must be there: checked and taken on the stored value, durable when it returns.
    async fn spend(&mut self, seat: &Seat) -> Result<(), Failure> {
        let price = self.rng.i64(1..=60);
        let id = self.fleet.ledger.issue(self.number, seat.server().number, -price)?;
        let standing = match seat.record.spend(id.index, price).await? {
            None => return Ok(()),
            Some(Answer::Done) => Standing::Durable,
            Some(Answer::Doubtful) => Standing::Doubtful,
            Some(Answer::Unaffordable) => Standing::Unaffordable,
            Some(_) => Standing::Refused,
        };
        self.fleet.ledger.answered(id, standing)
    }

    /// Coins for somebody else, given by a server on which that player is not.
    async fn award(&mut self, seat: &Seat) -> Result<(), Failure> {
        let server = self.fleet.any_server(&mut self.rng, Some(seat.server().number))?;
        let player = self.rng.u32(0..self.players);
        let Some(record) = server.open(player).await? else { return Ok(()) };
        let coins = self.rng.i64(1..=20);
        let id = self.fleet.ledger.issue(player, server.number, coins)?;
        if self.add(id, coins, &record).await? && matches!(record.flush().await?, Some(Answer::Done)) {
            self.fleet.ledger.answered(id, Standing::Durable)?;
        }
        Ok(())
    }

    /// To another server, which shows the player before the old one lets go, as teleports do.
    async fn hop(&mut self, old: Seat) -> Result<Option<Seat>, Failure> {
        let server = self.fleet.any_server(&mut self.rng, Some(old.server().number))?;
        let seat = Seat::take(&self.fleet, &server, self.number).await?;
        if seat.is_none() {
            self.fleet.left(self.number);
        }
        old.leave(&self.fleet, self.number).await?;
        if let Some(seat) = &seat
            && self.rng.u32(0..WATCHED_HOPS) == 0
        {
            self.be_watched(seat).await?;
        }
        Ok(seat)
    }

    /// A third server keeps the record open for a while and sees what happens to it.
    async fn be_watched(&mut self, seat: &Seat) -> Result<(), Failure> {
        let server = self.fleet.any_server(&mut self.rng, Some(seat.server().number))?;
        let (fleet, player, time) = (Arc::clone(&self.fleet), self.number, self.pace * 4);
        tokio::spawn(async move {
            // If it cannot be opened, the player who sits there meets the same failure, and reports it.
            let Ok(Some(_record)) = server.open(player).await else { return };
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = fleet.stopped() => {}
            }
        });
        Ok(())
    }

    /// Adds the coins; says whether the server accepted them.
    async fn add(&self, id: OperationId, coins: i64, record: &OpenRecord) -> Result<bool, Failure> {
        let Some(answer) = record.add(id.index, coins).await? else { return Ok(false) };
        let accepted = matches!(answer, Answer::Done);
        self.fleet.ledger.answered(id, if accepted { Standing::Accepted } else { Standing::Refused })?;
        Ok(accepted)
    }

    /// Some players are back within a moment, and another server takes over their entries in the pool. The others
    /// have had enough for today: nobody touches their entries again, so these must go by themselves.
    async fn be_away(&mut self, moment: Duration) {
        if self.rng.bool() {
            self.pause(moment).await;
        } else {
            self.fleet.stopped().await;
        }
    }

    /// Waits up to `most`, shorter if the players are to stop.
    async fn pause(&mut self, most: Duration) {
        let wait = most.mul_f64(self.rng.f64());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.fleet.stopped() => {}
        }
    }
}
