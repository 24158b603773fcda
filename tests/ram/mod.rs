//! AWS Resource Access Manager with boto3. No service of this plane has resources of a shareable
//! type yet, so shares here have principals, sources and permissions; what a shared resource gives
//! is shown by the unit tests of `services::ram`.

mod invitation;
mod organization;
mod permission;
mod refusals;
mod share;

use crate::support::Caller;
use serde_json::{Value, json};

/// Another account.
pub const OTHER: &str = "222233334444";
pub const DATA: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionAccessGrantsData";
pub const CONTROL: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionAccessGrantsControl";

pub fn call(caller: &Caller<'_>, operation: &str, input: Value) -> Value {
    caller.ok("ram", operation, input)
}

#[track_caller]
pub fn refused(caller: &Caller<'_>, operation: &str, input: Value, code: &str) -> String {
    let status = if code == "PermissionAlreadyExistsException" { 409 } else { 400 };
    caller.refused(("ram", operation), input, (code, status)).message
}

/// Makes a share with those principals: its ARN.
#[track_caller]
pub fn share(caller: &Caller<'_>, name: &str, principals: &[&str]) -> String {
    let made =
        call(caller, "CreateResourceShare", json!({ "name": name, "principals": principals }));
    made["resourceShare"]["resourceShareArn"].as_str().unwrap().to_owned()
}

/// Calls a list operation until its one item has that status.
#[track_caller]
pub fn wait(caller: &Caller<'_>, operation: &str, input: &Value, status: &str) -> Value {
    for _ in 0..500 {
        let answer = call(caller, operation, input.clone());
        let mut lists = answer.as_object().unwrap().values().filter_map(Value::as_array);
        let items = lists.next().unwrap();
        if items.len() == 1 && items[0]["status"] == status {
            return items[0].clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{operation} {input} never says {status}");
}

/// Waits for the one association of a share of that kind.
#[track_caller]
pub fn settled(caller: &Caller<'_>, share: &str, kind: &str, status: &str) -> Value {
    let input = json!({ "associationType": kind, "resourceShareArns": [share] });
    wait(caller, "GetResourceShareAssociations", &input, status)
}

/// A list call to its last page, so many items at a time.
#[track_caller]
pub fn pages(
    caller: &Caller<'_>,
    operation: &str,
    input: Value,
    list: &str,
    size: u64,
) -> Vec<Value> {
    let (mut items, mut input) = (Vec::new(), input);
    input["maxResults"] = json!(size);
    for _ in 0..1000 {
        let answer = call(caller, operation, input.clone());
        let page = answer[list].as_array().unwrap();
        assert!(page.len() as u64 <= size, "{operation}: {answer}");
        items.extend(page.clone());
        match answer.get("nextToken") {
            Some(next) => input["nextToken"] = next.clone(),
            None => return items,
        }
    }
    panic!("{operation} has no last page");
}
