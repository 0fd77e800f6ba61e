//! One open record on the original's wire: what is known to be stored, what is to be written, and what users see.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use transport_traits::{Error, ErrorKind, Instant, Precondition, RecordKey, Stored, Topic, Version};

use super::super::context::Context;
use super::super::io::{FieldChange, Output, RecordId, Ticket};
use super::super::operation::operation_memory;
use super::super::record::{Listening, Load, differences};
use super::announce::Announcing;
use super::changes::{Changes, Pending};
use super::commit::Flight;
use crate::view::{LoadState, View};
use crate::wire::exactly;
use crate::{Config, FlushError, Object, Profile, json};

/// How long the first load waits for the subscription.
const SUBSCRIBE_PATIENCE: Duration = Duration::from_secs(5);

/// A stored state, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// `None`: there is no record.
    pub(crate) version: Option<Version>,
    pub(crate) object: Arc<Object>,
    pub(crate) users: Arc<[Arc<str>]>,
    pub(crate) metadata: Arc<str>,
}

impl Known {
    fn of(stored: Option<&Stored>) -> Result<Self, String> {
        let Some(stored) = stored else { return Ok(Self::default()) };
        let object = json::parse_object(&stored.record.value)?;
        Ok(Self { metadata: Arc::clone(&stored.record.metadata), ..Self::over(stored, object) })
    }

    /// This in place of what is stored.
    fn over(stored: &Stored, object: Object) -> Self {
        Self {
            version: Some(stored.version.clone()),
            object: Arc::new(object),
            users: Arc::clone(&stored.record.users),
            metadata: Arc::default(),
        }
    }

    pub(crate) fn precondition(&self) -> Precondition {
        self.version.clone().map_or(Precondition::Absent, Precondition::Is)
    }
}

/// A value that an original server told of and will write itself.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) value: Option<Arc<Value>>,
    /// What was stored then: anything else is newer.
    pub(crate) stored: Option<Arc<Value>>,
    pub(crate) since: Instant,
}

/// An update that waits for its turn.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) ticket: Ticket,
    /// As the call named them, repeated ones too; `None`: the whole record.
    pub(crate) fields: Option<Vec<Arc<str>>>,
    pub(crate) sequence: u64,
}

/// What a read is for, besides knowing what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The first load, or another try of it.
    Load,
    /// To take over these fields.
    Fields(Vec<Arc<str>>),
    /// To take over everything.
    All,
    /// To write, or to find out what became of a write.
    Flush,
}

/// The store request of a record that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read(Wanted),
    Write,
}

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    pub(crate) key: RecordKey,
    pub(crate) topic: Topic,
    /// Whose messages are our own.
    pub(crate) sync_id: Arc<str>,
    pub(crate) strict: bool,
    pub(crate) view: Arc<View>,
    pub(crate) holders: usize,
    /// Strict: it hears nothing more, tells its listeners nothing, and is saved when somebody asks only.
    pub(crate) disconnected: bool,
    pub(crate) idle_since: Option<Instant>,
    pub(crate) listening: Listening,
    pub(crate) listen_failures: u32,
    pub(crate) patience: Instant,

    pub(crate) load: Load,
    pub(crate) allow_overwrite: bool,
    pub(crate) known: Known,
    pub(crate) pending: Changes,
    /// What originals told of and is not known to be stored. Not in the strict profile, where it is pending.
    pub(crate) told: BTreeMap<Arc<str>, Told>,
    pub(crate) updates: VecDeque<Job>,
    pub(crate) flight: Option<Flight>,
    pub(crate) call: Option<Call>,
    /// A flush is wanted from this time on.
    pub(crate) flush_at: Option<Instant>,
    /// The strict profile's next autosave.
    pub(crate) autosave_at: Option<Instant>,
    /// Reads that messages asked for.
    pub(crate) reads: VecDeque<Wanted>,
    /// A read of everything is wanted from this time on.
    pub(crate) read_at: Option<Instant>,
    pub(crate) not_before: Instant,
    pub(crate) failures: u32,
    pub(crate) flushes: Vec<Ticket>,
    pub(crate) opens: Vec<Ticket>,
    /// Writes without a known fate that no flush has reported yet.
    pub(crate) undetermined: u64,
    /// What the store said when it refused the record last.
    pub(crate) refusal: Option<Arc<Error>>,
    pub(crate) announcing: Announcing,

    pub(crate) queued: bool,
    pub(crate) accounted: usize,
    pub(crate) due: Option<Instant>,
}

impl Record {
    pub(crate) fn new(
        id: RecordId,
        key: RecordKey,
        sync_id: Arc<str>,
        config: &Config,
        now: Instant,
    ) -> Self {
        let topic = format!("NSD_{}", key.key).into();
        let view = Arc::new(View::new(key.clone()));
        Self {
            id,
            key,
            topic,
            sync_id,
            strict: config.profile == Profile::StrictNexus,
            view,
            holders: 0,
            disconnected: false,
            idle_since: None,
            listening: Listening::Wanted(Instant::ZERO),
            listen_failures: 0,
            patience: now + SUBSCRIBE_PATIENCE,
            load: Load::Loading,
            allow_overwrite: false,
            known: Known::default(),
            pending: Changes::default(),
            told: BTreeMap::new(),
            updates: VecDeque::new(),
            flight: None,
            call: None,
            flush_at: None,
            autosave_at: None,
            reads: VecDeque::new(),
            read_at: None,
            not_before: Instant::ZERO,
            failures: 0,
            flushes: Vec::new(),
            opens: Vec::new(),
            undetermined: 0,
            refusal: None,
            announcing: Announcing::default(),
            queued: false,
            accounted: 0,
            due: None,
        }
    }

    /// All changes that are not known to be stored, in their order.
    pub(crate) fn unsaved(&self) -> impl Iterator<Item = &Pending> {
        self.all_changes().flat_map(Changes::iter)
    }

    /// Those under way, then those that wait.
    fn all_changes(&self) -> impl Iterator<Item = &Changes> {
        self.flight.iter().map(|flight| &flight.pending).chain([&self.pending])
    }

    pub(crate) fn own_bytes(&self) -> usize {
        self.all_changes().map(Changes::own_bytes).sum()
    }

    /// Bytes that others' changes of all fields but this one take.
    pub(crate) fn heard_bytes_but(&self, field: &str) -> usize {
        let pending: usize = self.all_changes().map(|changes| changes.heard_bytes_but(field)).sum();
        let told = self.told.iter().filter(|(name, _)| ***name != *field);
        let told = told.map(|(name, told)| operation_memory(name, &exactly(told.value.as_ref())));
        pending + told.sum::<usize>()
    }

    /// Whether nothing is under way, nothing of ours unsaved and nobody waits.
    pub(crate) fn is_settled(&self, closing: bool) -> bool {
        let is_given_up = !self.may_save() && self.load == Load::Failed;
        (self.own_bytes() == 0 || (self.strict && is_given_up))
            && self.flight.is_none()
            && self.call.is_none()
            && self.updates.is_empty()
            && self.opens.is_empty()
            && (self.load == Load::Failed || !self.announcing.is_busy(closing))
    }

    /// Whether what is stored was read, or may be overwritten unseen.
    pub(crate) fn may_save(&self) -> bool {
        self.load == Load::Loaded || (self.load == Load::Failed && self.allow_overwrite)
    }

    /// What a read gave. What is no object is given up, where that is allowed.
    pub(crate) fn known_of(&self, stored: Option<&Stored>) -> Result<Known, Arc<Error>> {
        let may_overwrite = self.allow_overwrite && self.load != Load::Loaded;
        match (Known::of(stored), stored) {
            (Ok(known), _) => Ok(known),
            // This very state was given up before.
            (Err(_), Some(stored)) if self.known.version.as_ref() == Some(&stored.version) => {
                Ok(self.known.clone())
            }
            (Err(why), Some(stored)) if may_overwrite => {
                tracing::warn!(record = %self.key, why, "what is stored is given up, as was allowed");
                Ok(Known::over(stored, Object::default()))
            }
            (Err(why), _) => Err(Arc::new(Error::new(ErrorKind::Malformed, why))),
        }
    }

    pub(crate) fn set_load(&mut self, load: Load, state: LoadState) {
        self.load = load;
        self.view.set_load_state(state);
    }

    /// Gives a visible field this value, and tells if that changes it.
    pub(crate) fn assign(&self, ctx: &mut Context, field: &Arc<str>, value: Option<Arc<Value>>) {
        let old = self.view.edit(|fields| match value.clone() {
            Some(value) => fields.insert(Arc::clone(field), value),
            None => fields.remove(field),
        });
        if !json::same_field(old.as_ref(), value.as_ref()) {
            self.tell(ctx, vec![FieldChange { field: Arc::clone(field), old, new: value }]);
        }
    }

    /// Makes these the visible fields, and tells what changes.
    pub(crate) fn show(&self, ctx: &mut Context, object: Arc<Object>) {
        let old = self.view.replace(Arc::clone(&object));
        self.tell(ctx, differences(&old, &object));
    }

    fn tell(&self, ctx: &mut Context, changes: Vec<FieldChange>) {
        if !self.disconnected && !changes.is_empty() {
            ctx.push(Output::Changed(self.id, changes));
        }
    }

    /// Computes the view anew: what is stored, then what originals told of, then what is ours.
    pub(crate) fn refresh(&mut self, ctx: &mut Context) {
        let known = &self.known.object;
        self.told.retain(|field, told| json::same_field(known.get(field), told.stored.as_ref()));
        let mut object = Arc::clone(known);
        let fields = Arc::make_mut(&mut object);
        for (field, told) in &self.told {
            match &told.value {
                Some(value) => fields.insert(Arc::clone(field), Arc::clone(value)),
                None => fields.remove(field),
            };
        }
        for pending in self.unsaved() {
            // Without effect it is counted when it is written.
            let _ = fields.apply(Arc::clone(&pending.field), &pending.change);
        }
        self.show(ctx, object);
    }

    pub(crate) fn fail_flushes(&mut self, ctx: &mut Context, error: &FlushError) {
        for ticket in self.flushes.drain(..) {
            ctx.done(ticket, super::super::io::Outcome::Flushed(Err(error.clone())));
        }
    }
}
