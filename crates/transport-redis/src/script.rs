//! The scripts that write: precondition, history and record in one step and one round trip.

use std::sync::LazyLock;

use redis::Script;

/// `KEYS`: the record, its history. `ARGV`: condition (`always`, `absent`, `is`), the version demanded, the new
/// version, past states to keep, seconds that the history of a deleted record is kept; and for a record: value,
/// metadata, users.
///
/// Gives `changed`, `unchanged`, `conflict`, or `foreign` where the hash is somebody else's. The record is written last, so
/// that whatever the server refuses in between (a permission) leaves it as it was. Times are the server's, in microseconds.
const WRITE: &str = r"
local seen = redis.call('HGET', KEYS[1], 'version')
if not seen and redis.call('EXISTS', KEYS[1]) == 1 then return 'foreign' end
if ARGV[1] == 'absent' and seen or ARGV[1] == 'is' and seen ~= ARGV[2] then return 'conflict' end
local deletes = #ARGV == 5
if deletes and not seen then return 'unchanged' end
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
local keep = tonumber(ARGV[4])
if keep > 0 then
  if seen then
    local old = redis.call('HMGET', KEYS[1], 'version', 'modified', 'value', 'metadata', 'users')
    redis.call('LPUSH', KEYS[2], cjson.encode({version = old[1], modified = old[2],
      record = {value = old[3], metadata = old[4], users = old[5]}}))
  end
  if deletes then redis.call('LPUSH', KEYS[2], cjson.encode({version = ARGV[3], modified = now})) end
  redis.call('LTRIM', KEYS[2], 0, keep - 1)
  if deletes then redis.call('EXPIRE', KEYS[2], ARGV[5]) else redis.call('PERSIST', KEYS[2]) end
else
  redis.call('DEL', KEYS[2])
end
if deletes then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'value', ARGV[6], 'metadata', ARGV[7], 'users', ARGV[8], 'version', ARGV[3], 'modified', now)
end
return 'changed'
";

pub(crate) static WRITE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE));

/// `KEYS` as above. The present state and the past ones, as of one moment.
const STATES: &str = r"
return {redis.call('HMGET', KEYS[1], 'version', 'modified', 'value', 'metadata', 'users'), redis.call('LRANGE', KEYS[2], 0, -1)}
";

pub(crate) static STATES_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(STATES));
