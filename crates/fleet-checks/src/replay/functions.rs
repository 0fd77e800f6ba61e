//! The functions of updates: a recording names an operation for each key.

use std::sync::Arc;

use nexus_store::Change;
use nexus_store::machine::{UpdateChanges, UpdateInput, UpdateRun};
use serde_json::{Number, Value};

use super::recording::Call;

/// What an `Update` call names: its keys, and for each the operation.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) keys: Vec<String>,
    pub(crate) operations: Vec<Value>,
}

/// What an operation makes of a value. It throws where the original's function would.
pub(crate) fn operate(operation: &Value, held: Option<&Value>) -> Result<Option<Value>, ()> {
    match operation["op"].as_str().unwrap_or_default() {
        "add" => add(held, &operation["by"]).map(Some),
        "append" => {
            let text = operation["text"].as_str().unwrap_or_default();
            match held {
                None => Ok(Some(Value::from(text))),
                Some(Value::String(held)) => Ok(Some(Value::from(format!("{held}{text}")))),
                // Numbers are texts to the original's operator.
                Some(Value::Number(held)) => Ok(Some(Value::from(format!("{held}{text}")))),
                Some(_) => Err(()),
            }
        }
        "set" => Ok(Some(operation["value"].clone()).filter(|value| !value.is_null())),
        "clear" => Ok(None),
        "keep" => Ok(held.cloned()),
        _ => Err(()),
    }
}

/// A sum; nothing counts as 0.
pub(crate) fn add(held: Option<&Value>, by: &Value) -> Result<Value, ()> {
    let change = Change::Increment(number(by).ok_or(())?);
    let sum = change.apply(held.cloned().map(Arc::new).as_ref()).map_err(|_| ())?;
    sum.map(Arc::unwrap_or_clone).ok_or(())
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        _ => None,
    }
}

impl Function {
    /// What a call asks for, if it makes sense.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let keys = match call.args.first()? {
            Value::String(key) => vec![key.clone()],
            Value::Array(keys) => {
                keys.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?
            }
            _ => return None,
        };
        let operations = call.args.get(1)?.as_array()?.clone();
        (keys.len() <= operations.len() && operations.iter().all(is_known))
            .then_some(Self { keys, operations })
    }

    /// Runs it on the values of its keys.
    pub(crate) fn run(&self, input: &UpdateInput) -> UpdateRun {
        let change = |(key, operation): (&String, &Value)| {
            let held = input.fields.get(key.as_str()).and_then(Option::as_deref);
            Ok((key.as_str().into(), operate(operation, held)?.map(Arc::new)))
        };
        let changes: Result<Vec<_>, ()> = self.keys.iter().zip(&self.operations).map(change).collect();
        changes.map_or(UpdateRun::Aborted, |fields| UpdateRun::Changes(UpdateChanges { fields, users: None }))
    }
}

fn is_known(operation: &Value) -> bool {
    let known = ["add", "append", "set", "clear", "keep", "throw"];
    operation["op"].as_str().is_some_and(|op| known.contains(&op))
}
