//! Frames out: what is due, and making it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use transport_traits::{Instant, Outgoing, Priority};

use crate::machine::own::Part;
use crate::machine::ranges::Ranges;
use crate::wire::{Header, Kind, simple_frame, with_number};

use super::{Context, Pool, Settings};

/// How often a farewell is tried.
const MAX_FAREWELLS: u32 = 3;

/// How often a server says good-bye: first of all, and once more when everything is sent that a publisher with
/// queues may still hold. Whoever missed the first would take that for signs of life.
const FAREWELLS: u32 = 2;

/// A server that joins hears what was sent this long before its request came: the time that a request takes on
/// a slow bus. What it did not hear after all it misses and asks for. Where the own echo comes sooner, that is the time.
const RECENT: Duration = Duration::from_millis(500);

/// The shortest time that there is.
const GRAIN: Duration = Duration::from_micros(1);

/// The most parts remembered as sent recently.
const MAX_RECENT: usize = 64;

/// The most separate parts planned to be sent again. Beyond, everything before them is sent as well: fewer
/// frames, and nobody's requests fill the memory.
const MAX_SCATTERED: usize = 64;

/// What a pool has to send besides what waits in its queue.
#[derive(Debug)]
pub(super) struct Outbox {
    sequence: u64,
    /// When a frame other than a heartbeat was sent last.
    sent: Option<Instant>,
    heartbeat: Instant,
    /// The last heartbeat was left out because another frame had done its work.
    skipped: bool,
    pub(super) join: Option<Instant>,
    /// When what waits in the queue was last sent.
    queue_sent: Option<Instant>,
    /// The join asks for everything: there was no checkpoint.
    pub(super) join_all: bool,
    /// Parts of the log to send again. New requests join those under way, and the parts are sent around
    /// from `cursor`: requests that keep coming repeat what they must, and never start it over.
    answers: Ranges,
    cursor: u64,
    answer: Option<Instant>,
    /// Parts of the log and when they were last sent, the oldest first.
    recent: VecDeque<(Instant, u64, u64)>,
    /// The sequence of a part whose echo has not come yet, and when it was made.
    awaited: Option<(u64, Instant)>,
    /// How long the last echo of a part took, the wait in the publisher's queues included.
    echo: Option<Duration>,
    farewell: Farewell,
    /// How often good-bye was said.
    farewells: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    No,
    Due { since: Instant, attempts: u32 },
    UnderWay { attempts: u32 },
    Said,
}

/// A thing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Leave,
    Join,
    Heartbeat,
    Pull,
    Queue,
    Answer,
    Ask,
    Roster,
    Refutation,
}

/// A frame to publish, and what it is.
pub(crate) struct Parcel {
    pub(crate) message: Outgoing,
    pub(crate) sent: Sent,
}

/// What a frame under way is: what has to be done again if it fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent {
    Leave,
    Join,
    Heartbeat,
    Pull,
    /// A question or an answer about who lives: lost, the next heartbeats raise it again.
    Hint,
    /// The versions in (from, to].
    Part(u64, u64),
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sequence: 0,
            sent: None,
            heartbeat: now,
            skipped: false,
            join: Some(now),
            queue_sent: None,
            join_all: true,
            answers: Ranges::default(),
            cursor: 0,
            answer: None,
            recent: VecDeque::new(),
            awaited: None,
            echo: None,
            farewell: Farewell::No,
            farewells: 0,
        }
    }

    /// Joins again, to be told everything unless that was told already. Nobody took what was sent recently.
    pub(super) fn rejoin(&mut self, now: Instant, all: bool) {
        self.join = self.join.or(Some(now));
        self.join_all &= all;
        self.recent.clear();
    }

    /// When to send what waits in a queue since then: in turn with everything else, however much waits.
    fn queue_due(&self, front: Instant, coalesce: Duration) -> Instant {
        self.queue_sent.map_or(front + coalesce, |sent| sent.max(front + coalesce))
    }

    fn said_farewell(&mut self, now: Instant) {
        self.farewells += 1;
        let again = self.farewells < FAREWELLS;
        self.farewell = if again { Farewell::Due { since: now, attempts: 0 } } else { Farewell::Said };
    }

    /// Remembers that a part of the log was sent.
    fn note(&mut self, now: Instant, from: u64, to: u64) {
        if self.recent.len() >= MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((now, from, to));
    }

    /// What of the log was sent recently.
    pub(super) fn recent(&mut self, now: Instant) -> Ranges {
        let way = self.way(now);
        while self.recent.front().is_some_and(|(at, ..)| *at + way <= now) {
            self.recent.pop_front();
        }
        let mut sent = Ranges::default();
        self.recent.iter().for_each(|(_, from, to)| sent.insert(*from, *to));
        sent
    }

    /// How long a part is on its way at most: as the last echo was. One that is awaited is on its way still, and with it
    /// all that was made since.
    fn way(&self, now: Instant) -> Duration {
        let awaited = self.awaited.map_or(Duration::ZERO, |(_, since)| now.since(since) + GRAIN);
        self.echo.map_or(RECENT, |echo| echo.max(awaited).min(RECENT))
    }

    /// Counts a frame. The echo of a part is awaited unless that of an earlier one is.
    fn count_frame(&mut self, now: Instant, sent: &Sent) {
        self.sequence += 1;
        if matches!(sent, Sent::Part(..)) && self.awaited.is_none() {
            self.awaited = Some((self.sequence, now));
        }
    }

    /// The echo of an own part came. Parts hardly overtake each other, so an earlier one that is still awaited was lost, or
    /// never published: the next one tells.
    pub(super) fn heard(&mut self, now: Instant, sequence: u64) {
        if let Some((awaited, since)) = self.awaited.take_if(|(awaited, _)| *awaited <= sequence)
            && awaited == sequence
        {
            self.echo = Some(now.since(since));
        }
    }

    /// Plans to send a part of the log again, with whatever is asked for meanwhile.
    pub(super) fn answer(&mut self, context: &mut Context<'_>, from: u64, to: u64) {
        let scattered = self.answers.len() >= MAX_SCATTERED;
        self.answers.insert(if scattered { 0 } else { from }, to);
        if !self.answers.is_empty() && self.answer.is_none() {
            let coalesce = context.settings.config.coalesce;
            self.answer = Some(context.now + coalesce.mul_f64(0.5 + context.rng.f64()));
        }
    }
}

impl Pool {
    /// The next thing to send and since when it is due.
    pub(crate) fn next_job(&self, settings: &Settings) -> Option<(Instant, Job)> {
        let outbox = &self.outbox;
        match outbox.farewell {
            Farewell::No => {}
            Farewell::Due { since, .. } => return Some((since, Job::Leave)),
            Farewell::UnderWay { .. } | Farewell::Said => return None,
        }
        let coalesce = settings.config.coalesce;
        let jobs = [
            (outbox.join, Job::Join),
            (outbox.join.is_none().then_some(outbox.heartbeat), Job::Heartbeat),
            (self.peers.next_pull, Job::Pull),
            (self.own.queue.front().map(|(_, since)| outbox.queue_due(*since, coalesce)), Job::Queue),
            (outbox.answer, Job::Answer),
            (self.members.ask_due(), Job::Ask),
            (self.members.tell_due(), Job::Roster),
            (self.refuted.due(), Job::Refutation),
        ];
        jobs.into_iter().filter_map(|(due, job)| Some((due?, job))).min_by_key(|(due, _)| *due)
    }

    /// Makes a frame for a job. `None` if there turns out to be nothing to send; then the job is done.
    pub(crate) fn build(&mut self, context: &mut Context<'_>, job: Job) -> Option<Parcel> {
        let header = self.header(context);
        let parcel = match job {
            Job::Leave => Some(self.build_leave(&header)),
            Job::Join => Some(self.build_join(context, &header)),
            Job::Heartbeat => self.build_heartbeat(context, &header),
            Job::Pull => self.build_pull(context, &header),
            Job::Queue => self.build_queue(context, header),
            Job::Answer => self.build_answer(context, &header),
            Job::Ask => self.build_ask(context, &header),
            Job::Roster => self.build_roster(context, &header),
            Job::Refutation => self.build_refutation(context, &header),
        }?;
        self.outbox.count_frame(context.now, &parcel.sent);
        if job != Job::Heartbeat {
            self.outbox.sent = Some(context.now);
        }
        Some(parcel)
    }

    /// Plans to say good-bye and to send nothing else.
    pub(crate) fn close(&mut self, now: Instant) {
        if self.outbox.farewell == Farewell::No {
            self.outbox.farewell = Farewell::Due { since: now, attempts: 0 };
        }
    }

    /// Sends nothing, ever.
    pub(crate) const fn stay_out(&mut self) {
        self.outbox.farewell = Farewell::Said;
    }

    /// Whether good-bye was said, or tried often enough.
    pub(crate) fn has_left(&self) -> bool {
        self.outbox.farewell == Farewell::Said
    }

    /// The publisher accepted a frame.
    pub(crate) fn sent(&mut self, context: &Context<'_>, sent: Sent) {
        match sent {
            Sent::Leave => self.outbox.said_farewell(context.now),
            Sent::Join => {
                self.sync_after = Some(context.now + context.settings.config.heartbeat.mul_f64(1.5))
            }
            Sent::Heartbeat | Sent::Pull | Sent::Hint | Sent::Part(..) => {}
        }
    }

    /// The publisher failed to accept a frame, or may have. All frames may be repeated.
    pub(crate) fn failed(&mut self, context: &mut Context<'_>, sent: Sent) {
        let now = context.now;
        match (sent, self.outbox.farewell) {
            (Sent::Leave, Farewell::UnderWay { attempts }) if attempts < MAX_FAREWELLS => {
                self.outbox.farewell = Farewell::Due { since: now, attempts };
            }
            (Sent::Leave, _) => self.outbox.farewell = Farewell::Said,
            (Sent::Join, _) => self.outbox.join = Some(now),
            (Sent::Heartbeat, _) => self.outbox.heartbeat = now,
            (Sent::Part(from, to), _) => self.outbox.answer(context, from, to),
            // Asked for again anyway while the answer does not come.
            (Sent::Pull | Sent::Hint, _) => {}
        }
    }

    pub(super) fn header(&self, context: &Context<'_>) -> Header {
        Header {
            server: context.settings.config.server.clone(),
            incarnation: context.settings.incarnation,
            sequence: self.outbox.sequence + 1,
            head: self.own.log.head(),
            pruned: self.own.log.pruned(),
            hash: self.own.log.hash(),
        }
    }

    fn build_leave(&mut self, header: &Header) -> Parcel {
        if let Farewell::Due { attempts, .. } = self.outbox.farewell {
            self.outbox.farewell = Farewell::UnderWay { attempts: attempts + 1 };
        }
        let priority = if self.outbox.farewells == 0 { Priority::Urgent } else { Priority::Background };
        self.parcel(simple_frame(Kind::Leave, header), priority, Sent::Leave)
    }

    /// The first heartbeat comes earlier or later, so that servers that started together do not beat together.
    fn build_join(&mut self, context: &mut Context<'_>, header: &Header) -> Parcel {
        self.outbox.join = None;
        self.outbox.heartbeat =
            context.now + context.settings.config.heartbeat.mul_f64(0.5 + context.rng.f64() / 2.0);
        let frame = if self.outbox.join_all {
            simple_frame(Kind::Join, header)
        } else {
            with_number(Kind::Join, header, 0)
        };
        self.parcel(frame, Priority::Urgent, Sent::Join)
    }

    /// A heartbeat goes out unless another frame did its work since the last; but it is never left out
    /// twice running, since a publisher with queues may hold other frames back longer.
    fn build_heartbeat(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Parcel> {
        let every = context.settings.config.heartbeat.mul_f64(1.0 - context.rng.f64() / 10.0);
        let next = self.outbox.sent.map(|sent| sent + every).filter(|next| *next > context.now);
        if let (Some(next), false) = (next, self.outbox.skipped) {
            self.outbox.skipped = true;
            self.outbox.heartbeat = next;
            return None;
        }
        self.outbox.skipped = false;
        self.outbox.heartbeat = context.now + every;
        let frame = with_number(Kind::Heartbeat, header, self.membership(context));
        let mut parcel = self.parcel(frame, Priority::Urgent, Sent::Heartbeat);
        parcel.message = parcel.message.with_conflation_key("heartbeat");
        Some(parcel)
    }

    fn build_pull(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Parcel> {
        let frame = self.peers.pack_pulls(context, header)?;
        context.stats.pulls_sent += 1;
        Some(self.parcel(frame, Priority::Normal, Sent::Pull))
    }

    fn build_queue(&mut self, context: &Context<'_>, header: Header) -> Option<Parcel> {
        let part = self.own.pack_queue(context.now, &context.settings.limit, header)?;
        self.outbox.queue_sent = Some(context.now);
        self.outbox.note(context.now, part.from, part.to);
        Some(self.part(part))
    }

    fn build_answer(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Parcel> {
        let Some((from, to)) = self.outbox.answers.next_from(self.outbox.cursor) else {
            self.outbox.answer = None;
            return None;
        };
        let part = self.own.pack_log(&context.settings.limit, header, from, to);
        self.outbox.cursor = part.to;
        self.outbox.note(context.now, part.from, part.to);
        self.outbox.answers.remove(part.from, part.to);
        self.outbox.answer = (!self.outbox.answers.is_empty()).then_some(context.now);
        context.stats.parts_repeated += 1;
        Some(self.part(part))
    }

    fn part(&self, part: Part) -> Parcel {
        self.parcel(part.frame, Priority::Normal, Sent::Part(part.from, part.to))
    }

    pub(super) fn parcel(&self, frame: Bytes, priority: Priority, sent: Sent) -> Parcel {
        Parcel { message: Outgoing::new(self.topic.clone(), frame).with_priority(priority), sent }
    }
}
