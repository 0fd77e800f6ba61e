//! What servers of several kinds and ages answer.

use redis::parse_redis_value;
use transport_traits::ErrorKind;

use super::{Does, failed};

/// The kind of error that an answer makes of a read and of a write.
fn kinds(answer: &str) -> [ErrorKind; 2] {
    [Does::Read, Does::Change].map(|does| {
        let value = parse_redis_value(format!("-{answer}\r\n").as_bytes()).unwrap();
        failed("asking", does, value.extract_error().unwrap_err()).kind()
    })
}

fn check(answers: &[&str], expect: [ErrorKind; 2]) {
    for answer in answers {
        assert_eq!(kinds(answer), expect, "{answer}");
    }
}

/// Redis 6.2: the place of the call, and of the error that the server itself raises in it.
fn in_a_script(error: &str) -> String {
    let sha = "1028a5dba704e1d8a01fd96efeba25bb78f62df2";
    format!("ERR Error running script (call to f_{sha}): @user_script:4: @user_script: 4: {error}")
}

#[test]
fn a_server_that_takes_no_writes_now_is_unavailable_also_where_a_script_finds_out() {
    let errors = [
        "READONLY You can't write against a read only replica.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk. Commands \
            that may modify the data set are disabled, because this instance is configured to report errors during writes \
            if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about \
            the RDB error.",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "NOREPLICAS Not enough good replicas to write.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "CLUSTERDOWN The cluster is down",
    ];
    for error in errors {
        check(&[error, &in_a_script(&format!("-{error}"))], [ErrorKind::Unavailable; 2]);
    }
    let others = [
        // Dragonfly.
        "ERR Error running script (call to d8f2fad9f8e86a53d2a6ebd960b33c4972cacc37): @user_script:2: -READONLY You can't \
            write against a read only replica.",
        // Redis 7.0 and Valkey.
        "READONLY You can't write against a read only replica. script: e5d58853ca94055cbc57fdf757fddf67be520617, on \
            @user_script:1.",
        &in_a_script("Script attempted to execute a write command while the cluster is down and readonly"),
        &in_a_script("Script attempted to access a non local key in a cluster node"),
    ];
    check(&others, [ErrorKind::Unavailable; 2]);
}

#[test]
fn a_permission_that_a_script_lacks_is_denied() {
    let errors = [
        "The user executing the script can't run this command or subcommand",
        "The user executing the script can't access at least one of the keys mentioned in the command arguments",
    ];
    for error in errors {
        let since_7 =
            format!("ERR {error} script: e5d58853ca94055cbc57fdf757fddf67be520617, on @user_script:1.");
        check(&[&in_a_script(error), &since_7], [ErrorKind::Denied; 2]);
    }
    check(&["NOPERM this user has no permissions to run the 'evalsha' command"], [ErrorKind::Denied; 2]);
}

#[test]
fn a_key_that_holds_something_else_is_malformed_when_read_and_invalid_when_written() {
    let error = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let in_6_2 = format!(
        "ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:2: {error}"
    );
    let in_7_0 = format!("{error} script: fd1f62702330c26137b50b4d8f15f201f6699d84, on @user_script:1.");
    check(&[error, &in_6_2, &in_7_0], [ErrorKind::Malformed, ErrorKind::Invalid]);
}

#[test]
fn what_says_nothing_that_is_known_is_invalid() {
    let errors = [
        "ERR wrong number of arguments for 'hget' command",
        &in_a_script("Wrong number of args calling Redis command From Lua script"),
        "ERR Error running script (call to f_12): @user_script:2: user_script:2: attempt to index a nil value",
        "ERR the word READONLY somewhere: and not at a head",
        "WHATEVER new",
    ];
    check(&errors, [ErrorKind::Invalid; 2]);
}

#[test]
fn what_the_server_quotes_of_a_call_is_no_code() {
    let quoted =
        "ERR unknown command 'evalsha', with args beginning with: 'sha' '2' 'nexus:{players:a: OOM b}'";
    check(&[quoted], [ErrorKind::Invalid; 2]);
}
