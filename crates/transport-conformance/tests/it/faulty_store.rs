//! A small store of the tests' own, sound but for the one fault that it is given.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use futures::stream::{self, BoxStream, StreamExt};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use transport_conformance::Stores;
use transport_conformance::support::give_way;
use transport_traits::limits::SizeLimit;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    VersionInfo, WallTime,
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    WithoutHistory,
    WritesWhenAsked,
    LosesMetadata,
    KeepsOldUsers,
    ReadsItsCache,
    ForgetsTheStore,
    FoldsCase,
    TrimsKeys,
    DamagesUnicode,
    IgnoresVersions,
    IgnoresAbsence,
    DeletesAlways,
    CountsVersionsPerLife,
    TakesNumbersForVersions,
    TakesAnyJson,
    TakesHalfSurrogates,
    TakesAnyMetadata,
    TakesEmptyNames,
    CountsBytes,
    ForgetsToCheckReads,
    AllowsOneLess,
    AllowsOneMore,
    TruncatesValues,
    TreatsPrefixAsPattern,
    ListsAPage,
    ListsTwice,
    ListsTheDeleted,
    ListsOneAndStops,
    PretendsHistory,
    HistoryOldestFirst,
    HistoryWithoutDeletions,
    HistoryOfOthers,
    InventsRecords,
    KeepsTheDeleted,
    LosesNulls,
    MixesAnswers,
    RepeatsTheDropped,
}

/// Every state of each record, the latest last. A deletion holds no record.
type States = Vec<(Version, Option<Record>)>;

#[derive(Default)]
struct Data {
    records: BTreeMap<RecordKey, States>,
    last_version: u64,
    /// Writes that were dropped halfway, to come after the next one.
    late: Vec<(RecordKey, Record)>,
}

pub(crate) struct FaultyStore {
    data: Arc<Mutex<Data>>,
    cache: Mutex<BTreeMap<RecordKey, Option<Stored>>>,
    /// Answers to reads, in the order of their calls.
    answers: Mutex<VecDeque<Result<Option<Stored>, Error>>>,
    limits: StoreLimits,
    fault: Fault,
}

/// Two servers on one store with this fault.
pub(crate) fn stores(fault: Fault) -> Stores {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::chars(2_000));
    limits.metadata = Some(SizeLimit::bytes(300));
    limits.key = Some(SizeLimit::chars(50));
    limits.store_name = Some(SizeLimit::json_encoded(50));
    let data = Arc::default();
    let server = || {
        let data = Arc::clone(&data);
        let limits = limits.clone();
        Arc::new(FaultyStore { data, cache: Mutex::default(), answers: Mutex::default(), limits, fault })
    };
    Stores::new(server(), server())
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what)
}

impl FaultyStore {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn check_name(&self, limit: Option<SizeLimit>, name: &str) -> Result<(), Error> {
        if name.is_empty() && !self.is(Fault::TakesEmptyNames) {
            return Err(invalid("an empty name"));
        }
        self.check_size(limit, name)
    }

    fn check_size(&self, limit: Option<SizeLimit>, text: &str) -> Result<(), Error> {
        let mut limit = limit.unwrap();
        match self.fault {
            Fault::CountsBytes => limit = SizeLimit::bytes(limit.max),
            Fault::AllowsOneLess => limit.max -= 1,
            Fault::AllowsOneMore => limit.max += 1,
            _ => {}
        }
        limit.check("text", text.as_bytes())
    }

    fn check_key(&self, key: &RecordKey) -> Result<(), Error> {
        self.check_name(self.limits.store_name, &key.store)?;
        self.check_name(self.limits.key, &key.key)
    }

    fn check_read(&self, key: &RecordKey) -> Result<(), Error> {
        if self.is(Fault::ForgetsToCheckReads) { Ok(()) } else { self.check_key(key) }
    }

    fn check_record(&self, record: &Record) -> Result<(), Error> {
        self.check_size(self.limits.value, &record.value)?;
        self.check_size(self.limits.metadata, &record.metadata)?;
        let plain = |letter: char| matches!(letter, ' '..='~') && letter != '"' && letter != '\\';
        if !record.metadata.chars().all(plain) && !self.is(Fault::TakesAnyMetadata) {
            return Err(invalid("metadata"));
        }
        let value = &record.value;
        let readable = match self.fault {
            Fault::TakesAnyJson => serde_json::from_str::<Value>(value).is_ok(),
            Fault::TakesHalfSurrogates => {
                serde_json::from_str::<Map<String, Value>>(&value.replace("\\ud8", "x")).is_ok()
            }
            _ => serde_json::from_str::<Map<String, Value>>(value).is_ok(),
        };
        if readable { Ok(()) } else { Err(invalid("value")) }
    }

    /// The name under which a record is kept.
    fn place(&self, key: &RecordKey) -> RecordKey {
        match self.fault {
            Fault::ForgetsTheStore => RecordKey::new("", key.key.clone()),
            Fault::FoldsCase => RecordKey::new(key.store.clone(), key.key.to_lowercase()),
            Fault::TrimsKeys => RecordKey::new(key.store.clone(), key.key.trim()),
            _ => key.clone(),
        }
    }

    fn holds(&self, precondition: &Precondition, states: &States) -> bool {
        let present = states.last().filter(|(_, record)| record.is_some()).map(|(version, _)| version);
        match precondition {
            Precondition::Always => true,
            Precondition::Absent => present.is_none() || self.is(Fault::IgnoresAbsence),
            Precondition::Is(_) if self.is(Fault::IgnoresVersions) => present.is_some(),
            Precondition::Is(version) if self.is(Fault::TakesNumbersForVersions) => {
                present.is_some_and(|present| present.as_str().trim() == version.as_str().trim())
            }
            Precondition::Is(version) => present == Some(version),
        }
    }

    fn next_version(&self, data: &mut Data, states: &States) -> Version {
        data.last_version += 1;
        let since_deletion = states.iter().rev().take_while(|(_, record)| record.is_some()).count();
        let per_life = self.is(Fault::CountsVersionsPerLife);
        Version::new(if per_life { since_deletion.to_string() } else { format!("v{}", data.last_version) })
    }

    fn write(
        &self,
        key: &RecordKey,
        record: Option<Record>,
        condition: &Precondition,
    ) -> Result<Version, Error> {
        self.check_key(key)?;
        record.as_ref().map_or(Ok(()), |record| self.check_record(record))?;
        if record.is_none() && *condition == Precondition::Always && self.is(Fault::KeepsTheDeleted) {
            return Ok(Version::new("none"));
        }
        let mut data = self.data.lock();
        let place = self.place(key);
        let mut states = data.records.remove(&place).unwrap_or_default();
        let deletes_always = record.is_none() && self.is(Fault::DeletesAlways);
        let holds = deletes_always || self.holds(condition, &states);
        let mut version = Version::new("none");
        let is_there = states.last().is_some_and(|(_, record)| record.is_some());
        if holds && (record.is_some() || is_there) {
            version = self.next_version(&mut data, &states);
            let record = record.map(|record| self.damaged(record, &states));
            states.push((version.clone(), record));
        }
        data.records.insert(place, states);
        if holds { Ok(version) } else { Err(Error::new(ErrorKind::Conflict, key.to_string())) }
    }

    fn damaged(&self, mut record: Record, states: &States) -> Record {
        match self.fault {
            Fault::LosesMetadata => record.metadata = "".into(),
            Fault::LosesNulls => record.value = record.value.replace("\\u0000", "").into(),
            Fault::DamagesUnicode => record.value = record.value.replace('\u{e9}', "e").into(),
            Fault::TruncatesValues if record.value.len() > 200 => record.value = r#"{"a":""}"#.into(),
            Fault::KeepsOldUsers if record.users.is_empty() => {
                let before = states.last().and_then(|(_, record)| record.clone());
                record.users = before.map(|record| record.users).unwrap_or_default();
            }
            _ => {}
        }
        record
    }

    fn stored(state: &(Version, Option<Record>)) -> Option<Stored> {
        let (version, record) = state.clone();
        record.map(|record| Stored { record, version, modified: WallTime::from_micros(1) })
    }

    fn read(&self, key: &RecordKey) -> Result<Option<Stored>, Error> {
        self.check_read(key)?;
        let latest = || self.data.lock().records.get(&self.place(key))?.last().and_then(Self::stored);
        if self.is(Fault::ReadsItsCache) {
            return Ok(self.cache.lock().entry(key.clone()).or_insert_with(latest).clone());
        }
        let invented = || Self::stored(&(Version::new("none"), Some(Record::new("{}"))));
        Ok(latest().or_else(|| invented().filter(|_| self.is(Fault::InventsRecords))))
    }

    fn keys(&self, store: &str, prefix: &str) -> Vec<Result<Arc<str>, Error>> {
        if let Err(error) = self.check_name(self.limits.store_name, store) {
            return vec![Err(error)];
        }
        let pattern = |key: &str| match prefix.strip_suffix(['*', '%']) {
            Some(stem) if self.is(Fault::TreatsPrefixAsPattern) => key.starts_with(stem),
            _ => key.starts_with(prefix),
        };
        let data = self.data.lock();
        let live = |states: &States| {
            states.last().is_some_and(|(_, record)| record.is_some() || self.is(Fault::ListsTheDeleted))
        };
        let found = data.records.iter().filter(|(key, states)| &*key.store == store && live(states));
        let keys = found.map(|(key, _)| key.key.clone()).filter(|key| pattern(key)).map(Ok);
        match self.fault {
            Fault::ListsAPage => keys.take(256).collect(),
            Fault::ListsTwice => keys
                .flat_map(|key| [key.as_ref().map(Arc::clone).map_err(|_: &Error| unreachable!()), key])
                .collect(),
            Fault::ListsOneAndStops => keys.take(1).collect(),
            _ => keys.collect(),
        }
    }

    fn states(&self, key: &RecordKey) -> Result<States, Error> {
        self.check_read(key)?;
        Ok(self.data.lock().records.get(key).cloned().unwrap_or_default())
    }

    fn infos(&self, key: &RecordKey) -> Result<Vec<VersionInfo>, Error> {
        let states = self.states(key)?.into_iter();
        let infos = states.map(|(version, record)| VersionInfo {
            version,
            modified: WallTime::from_micros(1),
            deleted: record.is_none(),
        });
        match self.fault {
            Fault::HistoryOldestFirst => Ok(infos.collect()),
            Fault::HistoryWithoutDeletions => Ok(infos.rev().filter(|info| !info.deleted).collect()),
            _ => Ok(infos.rev().collect()),
        }
    }

    fn state(&self, key: &RecordKey, version: &Version) -> Result<Option<Stored>, Error> {
        let states = self.states(key)?;
        let found = states.iter().find(|state| state.0 == *version);
        let found = found.or_else(|| states.first().filter(|_| self.is(Fault::HistoryOfOthers)));
        Ok(found.and_then(Self::stored))
    }

    fn without_history<T>(&self) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Unsupported, "history"))
    }
}

/// A write whose call has not ended.
struct UnderWay<'a> {
    data: &'a Mutex<Data>,
    write: Option<(RecordKey, Record)>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.data.lock().late.extend(self.write.take());
    }
}

impl DataStore for FaultyStore {
    fn limits(&self) -> &StoreLimits {
        &self.limits
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.history = !matches!(self.fault, Fault::WithoutHistory | Fault::PretendsHistory);
        capabilities
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            let answer = self.read(&key);
            if !self.is(Fault::MixesAnswers) {
                return answer;
            }
            self.answers.lock().push_back(answer);
            give_way().await;
            self.answers.lock().pop_front().unwrap()
        })
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        if self.is(Fault::WritesWhenAsked) {
            return Box::pin(ready(self.write(&key, Some(record), &precondition)));
        }
        Box::pin(async move {
            let end = self.write(&key, Some(record.clone()), &precondition);
            if self.is(Fault::RepeatsTheDropped) {
                let late = std::mem::take(&mut self.data.lock().late);
                late.into_iter().try_for_each(|(key, record)| {
                    self.write(&key, Some(record), &Precondition::Always).map(drop)
                })?;
                let mut under_way = UnderWay { data: &self.data, write: Some((key, record)) };
                give_way().await;
                under_way.write = None;
            }
            end
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.write(&key, None, &precondition).map(drop) })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        stream::once(async move { stream::iter(self.keys(&store, &prefix)) }).flatten().boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        Box::pin(async move {
            if self.is(Fault::WithoutHistory) { self.without_history() } else { self.infos(&key) }
        })
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        Box::pin(async move {
            if self.is(Fault::WithoutHistory) { self.without_history() } else { self.state(&key, &version) }
        })
    }
}
