//! AWS Organizations with boto3.

mod access;
mod account;
mod concurrent;
mod handshake;
mod management_policy;
mod policy;
mod refusals;
mod root_access;
mod scenario;
mod transfer;
mod tree;

use crate::support::{Caller, Keys, Lab};
use serde_json::{Value, json};

/// The organization of a test: its management account and its root.
pub struct Organization<'a> {
    pub lab: &'a Lab,
    pub management: Caller<'a>,
    pub account: String,
    pub id: String,
    pub root: String,
}

pub fn call(caller: &Caller<'_>, operation: &str, input: Value) -> Value {
    caller.ok("organizations", operation, input)
}

impl<'a> Organization<'a> {
    /// With all features and service control policies.
    pub fn new(lab: &'a Lab) -> Self {
        let made = Self::of(lab, "ALL");
        made.ok(
            "EnablePolicyType",
            json!({ "RootId": made.root, "PolicyType": "SERVICE_CONTROL_POLICY" }),
        );
        made
    }

    /// An administrator of the first account makes it.
    pub fn of(lab: &'a Lab, features: &str) -> Self {
        let everything = crate::support::policy("Allow", &["*"], &["*"]);
        let management = lab.user(&lab.root(), "admin", Some(everything));
        let made = call(&management, "CreateOrganization", json!({ "FeatureSet": features }));
        let id = made["Organization"]["Id"].as_str().unwrap().to_owned();
        let roots = call(&management, "ListRoots", json!({}));
        let root = roots["Roots"][0]["Id"].as_str().unwrap().to_owned();
        Organization { lab, management, account: lab.server.account_id(), id, root }
    }

    #[track_caller]
    pub fn ok(&self, operation: &str, input: Value) -> Value {
        call(&self.management, operation, input)
    }

    #[track_caller]
    pub fn refused(&self, operation: &str, input: Value, code: &str) -> Value {
        let refusal = self.management.refused(("organizations", operation), input, (code, 400));
        json!({ "message": refusal.message, "reason": refusal.reason })
    }

    /// Makes an account and waits for it: its id.
    #[track_caller]
    pub fn new_account(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let done = self.create(json!({ "Email": email, "AccountName": name }));
        assert_eq!(done["State"], "SUCCEEDED", "{done}");
        done["AccountId"].as_str().unwrap().to_owned()
    }

    /// The status of a request for an account once it is done.
    #[track_caller]
    pub fn create(&self, input: Value) -> Value {
        let made = self.ok("CreateAccount", input);
        let status = &made["CreateAccountStatus"];
        assert_eq!(status["State"], "IN_PROGRESS", "{status}");
        let id = json!({ "CreateAccountRequestId": status["Id"] });
        for _ in 0..600 {
            let status = self.ok("DescribeCreateAccountStatus", id.clone());
            let status = status["CreateAccountStatus"].clone();
            if status["State"] != "IN_PROGRESS" {
                return status;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("an account is not made in time");
    }

    /// A session of the role by which the management account gets into a member.
    pub fn inside(&self, account: &str) -> Caller<'a> {
        let arn = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
        let input = json!({ "RoleArn": arn, "RoleSessionName": "test" });
        let session = self.management.ok("sts", "AssumeRole", input);
        self.lab.caller(Keys::of_session(&session))
    }

    pub fn new_unit(&self, parent: &str, name: &str) -> String {
        let input = json!({ "ParentId": parent, "Name": name });
        let made = self.ok("CreateOrganizationalUnit", input);
        made["OrganizationalUnit"]["Id"].as_str().unwrap().to_owned()
    }

    pub fn new_policy(&self, policy_type: &str, name: &str, content: &Value) -> String {
        let input = json!({
            "Name": name, "Description": "", "Type": policy_type, "Content": content.to_string()
        });
        let made = self.ok("CreatePolicy", input);
        made["Policy"]["PolicySummary"]["Id"].as_str().unwrap().to_owned()
    }

    /// Makes a policy and attaches it.
    pub fn bind(&self, policy_type: &str, name: &str, content: &Value, target: &str) -> String {
        let policy = self.new_policy(policy_type, name, content);
        self.ok("AttachPolicy", json!({ "PolicyId": policy, "TargetId": target }));
        policy
    }

    /// A list call to its last page, so many items at a time: all items, and how many pages.
    #[track_caller]
    pub fn pages(&self, operation: &str, input: Value, list: &str, size: u64) -> (Vec<Value>, u64) {
        let (mut items, mut pages, mut input) = (Vec::new(), 0, input);
        input["MaxResults"] = json!(size);
        loop {
            let answer = self.ok(operation, input.clone());
            let page = answer[list].as_array().unwrap();
            assert!(page.len() as u64 <= size, "{operation}: {answer}");
            items.extend(page.clone());
            pages += 1;
            match answer.get("NextToken") {
                Some(next) => input["NextToken"] = next.clone(),
                None => return (items, pages),
            }
            assert!(pages < 1000, "{operation} has no last page");
        }
    }
}

/// A member of each item, in order.
pub fn all(items: &[Value], member: &str) -> Vec<String> {
    items.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}
