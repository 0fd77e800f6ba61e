//! Every call of Nexus Data Store (Luau), and what does the same here.
//!
//! | there | here |
//! |---|---|
//! | `NexusDataStore:GetDataStore(Store, Key)` | [`NexusStore::open`](crate::NexusStore::open) with `RecordKey::new(store, key)`; opening twice gives handles of one record |
//! | `NexusDataStore:GetSaveDataById(UserId)`, `:GetSaveData(Id)` | the same, with store `PlayerDataStore_PlayerData` and key `PlayerList$<user id>` |
//! | `NexusDataStore:GetSaveData(Player)`: also flushes when the player leaves | the same; when the player leaves, drop the handle: the record is saved, and forgotten after [`Config::idle_eviction`](crate::Config::idle_eviction) |
//! | `NexusDataStore:FlushAll()` | [`NexusStore::flush_all`](crate::NexusStore::flush_all), which says what could not be saved |
//! | `NexusDataStore:RemoveFromCache(Store, Key)`, `(Player)`, `(UserId)` | drop the handles; it does nothing there for a user id (weakness 16, `remove-from-cache`) |
//! | `game:BindToClose`, which flushes all | [`NexusStore::shutdown`](crate::NexusStore::shutdown), or drop all handles and wait for the [`Driver`](crate::Driver) |
//! | `SaveData:Get(Key)` | [`SaveData::get`](crate::SaveData::get), [`get_as`](crate::SaveData::get_as) |
//! | `SaveData:ListKeys()` | the keys of [`SaveData::snapshot`](crate::SaveData::snapshot) |
//! | `SaveData:Set(Key, Value)` | [`SaveData::set`](crate::SaveData::set) |
//! | `SaveData:Set(Key, nil)` | [`SaveData::remove`](crate::SaveData::remove); a JSON `null` is a value |
//! | `SaveData:Increment(Key, Value)`: a get and a set | [`SaveData::increment`](crate::SaveData::increment): adds up with those of all servers (weakness 1, `lost-increments`) |
//! | `SaveData:Update(Key or Keys, Function)` | [`SaveData::update`](crate::SaveData::update): on the stored value, all or nothing; the function sets fields instead of returning values, and may refuse |
//! | the same on a save that nobody keeps | [`NexusStore::update_once`](crate::NexusStore::update_once) |
//! | `SaveData:Flush()` | [`SaveData::flush`](crate::SaveData::flush): when it returns `Ok`, all that was accepted before is durable |
//! | `SaveData:OnUpdate(Key, Callback)` | [`SaveData::on_update`](crate::SaveData::on_update), a stream; it never fires for equal values (weakness 17, `idle-listeners-fire`) |
//! | `Connection:Disconnect()`, `SaveData:Disconnect()` | drop the stream |
//! | `SaveData:DataLoadedSuccessfully()` | [`SaveData::load_state`](crate::SaveData::load_state), which says why not |
//! | `SaveData:SetAllowOverwriteOfFailedLoad(true)` | [`SaveData::overwrite_failed_load`](crate::SaveData::overwrite_failed_load), needed only where what is stored makes no sense: a load that failed otherwise is tried again, and writes wait for it |
//! | `SaveData:SetSendDataChangeUpdates(false)`: send no messages | nothing: to save messages raise [`Config::publish_interval`](crate::Config::publish_interval) |
//! | `LocalSaveData.new()` | [`LocalSaveData::new`](crate::LocalSaveData::new), behind the trait [`Save`](crate::Save) |
//! | the callback drops metadata and user ids (weakness 26, `tags-wiped`) | [`SaveData::users`](crate::SaveData::users), [`add_user`](crate::SaveData::add_user), [`Fields::set_users`](crate::Fields::set_users): kept through every write |
//!
//! Values that tables of Luau hold are JSON here. An empty table is written `[]` there, and read as an empty
//! object here where a record is expected.
