//! Policies that bind: what AWS's published examples are for, each with the request that passes and
//! its refused twin; and that a change shows on the next call of a session that exists already.

use super::{Organization, call};
use crate::support::{Boto, Caller, Lab, Refusal, policy};
use serde_json::{Value, json};

const SCP: &str = "SERVICE_CONTROL_POLICY";
const RCP: &str = "RESOURCE_CONTROL_POLICY";

fn who(caller: &Caller<'_>, region: &str) -> Result<Value, Refusal> {
    caller.in_region(region, "sts", "GetCallerIdentity", json!({}))
}

fn users(caller: &Caller<'_>) -> Result<Value, Refusal> {
    caller.call("iam", "ListUsers", json!({}))
}

#[track_caller]
fn denied(result: Result<Value, Refusal>, why: &str) {
    let refusal = result.expect_err("it was allowed");
    assert_eq!(refusal.code, "AccessDenied", "{}", refusal.text);
    assert!(refusal.message.ends_with(why), "{}", refusal.message);
}

fn moved(organization: &Organization<'_>, account: &str, from: &str, to: &str) {
    let input = json!({ "AccountId": account, "SourceParentId": from, "DestinationParentId": to });
    organization.ok("MoveAccount", input);
}

/// "Deny access to AWS based on the requested AWS Region": global services are left out.
#[test]
fn a_region_lock_holds_members_and_not_the_management_account() {
    let test = "a_region_lock_holds_members_and_not_the_management_account";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    who(&inside, "eu-west-1").unwrap();
    let lock = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Lock", "Effect": "Deny",
        "NotAction": ["iam:*", "organizations:*", "sts:AssumeRole"],
        "Resource": "*",
        "Condition": { "StringNotEquals": { "aws:RequestedRegion": ["us-east-1"] } },
    }] });
    let id = organization.bind(SCP, "lock", &lock, &organization.root);
    who(&inside, "us-east-1").unwrap();
    let arn = format!(
        "arn:aws:organizations::{}:policy/{}/service_control_policy/{id}",
        organization.account, organization.id
    );
    let why = format!("with an explicit deny in a service control policy: {arn}");
    // AWS lets everybody ask who he is; what is asked here needs a permission.
    let list = |caller: &Caller<'_>, region: &str| {
        caller.in_region(region, "organizations", "ListHandshakesForAccount", json!({}))
    };
    list(&inside, "eu-west-1").unwrap();
    let session = |caller: &Caller<'_>, region: &str| {
        caller.in_region(region, "cloudtrail", "LookupEvents", json!({}))
    };
    session(&inside, "us-east-1").unwrap();
    let refusal = session(&inside, "eu-west-1").unwrap_err();
    assert!(refusal.message.ends_with(&why), "{}", refusal.message);
    inside.in_region("eu-west-1", "iam", "ListUsers", json!({})).unwrap();
    session(&organization.management, "eu-west-1").unwrap();
    // Another document holds at once.
    let mut wider = lock;
    wider["Statement"][0]["Condition"]["StringNotEquals"]["aws:RequestedRegion"] =
        json!(["us-east-1", "eu-west-1"]);
    organization.ok("UpdatePolicy", json!({ "PolicyId": id, "Content": wider.to_string() }));
    session(&inside, "eu-west-1").unwrap();
}

/// "Restrict actions by the root user": bound by policies in members, and nowhere else.
#[test]
fn a_root_lock_holds_the_root_users_of_members() {
    let Some(lab) = Lab::start("a_root_lock_holds_the_root_users_of_members") else { return };
    let organization = Organization::new(&lab);
    let guest = lab.account("222233334444");
    let input = json!({ "Target": { "Id": "222233334444", "Type": "ACCOUNT" } });
    let sent = organization.ok("InviteAccountToOrganization", input);
    call(&guest, "AcceptHandshake", json!({ "HandshakeId": sent["Handshake"]["Id"] }));
    users(&guest).unwrap();
    let everything = policy("Allow", &["*"], &["*"]);
    let ann = lab.user(&guest, "ann", Some(everything));
    let lock = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "StringLike": { "aws:PrincipalArn": ["arn:aws:iam::*:root"] } },
    }] });
    let id = organization.bind(SCP, "root", &lock, "222233334444");
    let refusal = users(&guest).unwrap_err();
    assert!(refusal.message.contains("explicit deny in a service control policy"), "{refusal:?}");
    assert!(refusal.message.contains(&id), "{refusal:?}");
    users(&ann).unwrap();
    users(&lab.root()).unwrap();
    organization.ok("DetachPolicy", json!({ "PolicyId": id, "TargetId": "222233334444" }));
    users(&guest).unwrap();
}

/// An allow list: every level must allow, and what no level denies is not yet allowed.
#[test]
fn an_allow_list_is_the_intersection_of_all_levels() {
    let Some(lab) = Lab::start("an_allow_list_is_the_intersection_of_all_levels") else { return };
    let organization = Organization::new(&lab);
    let root = organization.root.clone();
    let unit = organization.new_unit(&root, "listed");
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let list = policy("Allow", &["iam:List*", "sts:*"], &["*"]);
    organization.bind(SCP, "list", &list, &unit);
    let full = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": unit });
    organization.ok("DetachPolicy", full);
    let roles = || inside.call("iam", "ListRoles", json!({}));
    let summary = || inside.call("iam", "GetAccountSummary", json!({}));
    roles().unwrap();
    summary().unwrap();
    // The session exists already; the account moves below the list.
    moved(&organization, &account, &root, &unit);
    roles().unwrap();
    denied(summary(), "because no service control policy allows the iam:GetAccountSummary action");
    // A level further down cannot give what the unit does not.
    let more = policy("Allow", &["iam:*"], &["*"]);
    organization.bind(SCP, "more", &more, &account);
    denied(summary(), "because no service control policy allows the iam:GetAccountSummary action");
    // It can take away.
    let none =
        organization.bind(SCP, "none", &policy("Deny", &["iam:ListRoles"], &["*"]), &account);
    let refusal = roles().unwrap_err();
    assert!(refusal.message.contains("explicit deny in a service control policy"), "{refusal:?}");
    organization.ok("DetachPolicy", json!({ "PolicyId": none, "TargetId": account }));
    roles().unwrap();
    moved(&organization, &account, &unit, &root);
    summary().unwrap();
}

/// "Data perimeter": only principals of the organization reach its resources.
#[test]
fn an_rcp_keeps_strangers_out_of_roles() {
    let Some(lab) = Lab::start("an_rcp_keeps_strangers_out_of_roles") else { return };
    let organization = Organization::new(&lab);
    let rcp = json!({ "RootId": organization.root, "PolicyType": RCP });
    organization.ok("EnablePolicyType", rcp);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let stranger = lab.account("222233334444");
    let everything = policy("Allow", &["*"], &["*"]);
    let eve = lab.user(&stranger, "eve", Some(everything.clone()));
    let trust = crate::support::trust("*").to_string();
    let made = json!({ "RoleName": "open", "AssumeRolePolicyDocument": trust });
    let role = inside.ok("iam", "CreateRole", made)["Role"]["Arn"].clone();
    let assume = |caller: &Caller<'_>| {
        caller.call("sts", "AssumeRole", json!({ "RoleArn": role, "RoleSessionName": "session" }))
    };
    assume(&eve).unwrap();
    assume(&organization.management).unwrap();
    let perimeter = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": { "aws:PrincipalOrgID": organization.id },
            "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
        },
    }] });
    let id = organization.bind(RCP, "perimeter", &perimeter, &account);
    assume(&organization.management).unwrap();
    let refusal = assume(&eve).unwrap_err();
    let why = "with an explicit deny in a resource control policy";
    assert!(refusal.message.contains(why), "{}", refusal.message);
    organization.ok("DetachPolicy", json!({ "PolicyId": id, "TargetId": account }));
    assume(&eve).unwrap();
    // The trust policy can say the same by itself, by organization and by place.
    let path = format!("{}/{}/*", organization.id, organization.root);
    for (key, value) in
        [("aws:PrincipalOrgID", organization.id.clone()), ("aws:PrincipalOrgPaths", path)]
    {
        let operator =
            if key.ends_with("Paths") { "ForAnyValue:StringLike" } else { "StringEquals" };
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole",
            "Condition": { operator: { key: value } },
        }] });
        let input = json!({ "RoleName": "open", "PolicyDocument": trust.to_string() });
        inside.ok("iam", "UpdateAssumeRolePolicy", input);
        assume(&organization.management).unwrap();
        assume(&eve).unwrap_err();
    }
}

/// What binds nobody: service-linked roles aside, a type that is disabled, an account that left.
#[test]
fn what_does_not_bind_does_not_bind() {
    let Some(lab) = Lab::start("what_does_not_bind_does_not_bind") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let deny = policy("Deny", &["iam:ListUsers"], &["*"]);
    organization.bind(SCP, "deny", &deny, &organization.root);
    users(&organization.management).unwrap();
    users(&inside).unwrap_err();
    let of = json!({ "RootId": organization.root, "PolicyType": SCP });
    organization.ok("DisablePolicyType", of.clone());
    users(&inside).unwrap();
    organization.ok("EnablePolicyType", of);
    // Enabled again, everything begins with FullAWSAccess alone.
    users(&inside).unwrap();
    let listed = json!({ "Filter": SCP });
    let (listed, _) = organization.pages("ListPolicies", listed, "Policies", 20);
    let deny = listed.iter().find(|it| it["Name"] == "deny").unwrap()["Id"].clone();
    organization.ok("AttachPolicy", json!({ "PolicyId": deny, "TargetId": account }));
    users(&inside).unwrap_err();
    organization.ok("RemoveAccountFromOrganization", json!({ "AccountId": account }));
    users(&inside).unwrap();
}

/// The receipt of a denial has the documents of every level, with the revisions they had.
#[test]
fn a_receipt_tells_the_policies_of_all_levels() {
    let Some(lab) = Lab::start("a_receipt_tells_the_policies_of_all_levels") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let deny = policy("Deny", &["iam:ListUsers"], &["*"]);
    let id = organization.bind(SCP, "deny", &deny, &account);
    let refusal = users(&inside).unwrap_err();
    let (status, receipt) =
        lab.server.operator("GET", &format!("decisions/{}", refusal.request_id), None);
    assert_eq!(status, 200, "{receipt}");
    let layers = receipt["explained"][0]["facts"]["layers"].as_array().unwrap();
    let scps: Vec<&Value> = layers.iter().filter(|layer| layer["layer"] == "scp").collect();
    assert_eq!(scps.len(), 2, "{layers:?}");
    let policies = scps[1]["policies"].as_array().unwrap();
    let own = policies.iter().find(|it| it["label"].as_str().unwrap().ends_with(&id)).unwrap();
    assert!(own["revision"].as_u64() > Some(0), "{own}");
    let recorded = receipt["decision"]["policies"].as_array().unwrap();
    let found = recorded.iter().find(|it| it["label"].as_str().unwrap().ends_with(&id)).unwrap();
    assert_eq!(found["layer"], "scp");
    assert_eq!(found["revision"], own["revision"]);
}

/// Moves and attachments under load: whatever a call sees, an ordering explains it. Two levels are
/// changed together so that in every state exactly one of two actions is denied.
#[test]
fn concurrent_moves_never_let_both_through() {
    let Some(lab) = Lab::start("concurrent_moves_never_let_both_through") else { return };
    let organization = Organization::new(&lab);
    let root = organization.root.clone();
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let (left, right) =
        (organization.new_unit(&root, "left"), organization.new_unit(&root, "right"));
    organization.bind(SCP, "left", &policy("Deny", &["iam:ListUsers"], &["*"]), &left);
    organization.bind(SCP, "right", &policy("Deny", &["iam:ListUsers"], &["*"]), &right);
    moved(&organization, &account, &root, &left);
    let keys = inside.keys.clone();
    let url = lab.server.url.clone();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let boto = Boto::start(&url);
            let caller = Caller { boto: &boto, keys: keys.clone() };
            let mut calls = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                // Wherever the account is, its place denies this; no call may fall between.
                assert!(users(&caller).is_err(), "between two units nothing was denied");
                calls += 1;
            }
            calls
        });
        for _ in 0..25 {
            moved(&organization, &account, &left, &right);
            moved(&organization, &account, &right, &left);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

/// AWS managed keys are beyond resource control policies, the account's own keys are not.
#[test]
fn no_resource_control_policy_binds_an_aws_managed_key() {
    let test = "no_resource_control_policy_binds_an_aws_managed_key";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let rcp = json!({ "RootId": organization.root, "PolicyType": RCP });
    organization.ok("EnablePolicyType", rcp);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let key = inside.ok("kms", "CreateKey", json!({}))["KeyMetadata"]["KeyId"].clone();
    let grant = json!({
        "KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{account}:root"),
        "Operations": ["Encrypt"],
    });
    let grant = inside.ok("kms", "CreateGrant", grant)["GrantId"].clone();
    inside.ok("s3", "CreateBucket", json!({ "Bucket": "sealed" }));
    let put = |key: &Value| {
        let mut input = json!({
            "Bucket": "sealed", "Key": "a", "Body": "x", "ServerSideEncryption": "aws:kms",
        });
        if key.is_string() {
            input["SSEKMSKeyId"] = key.clone();
        }
        inside.call("s3", "PutObject", input)
    };
    put(&key).unwrap();
    let mut perimeter = policy("Deny", &["kms:*"], &["*"]);
    perimeter["Statement"][0]["Principal"] = json!("*");
    organization.bind(RCP, "perimeter", &perimeter, &account);
    let refusal = put(&key).unwrap_err();
    assert_eq!(refusal.code, "AccessDenied", "{}", refusal.text);
    let why = "explicit deny in a resource control policy";
    assert!(refusal.message.contains(why), "{}", refusal.message);
    // Twice: when the key is made, and when it is there.
    for _ in 0..2 {
        put(&Value::Null).unwrap();
    }
    let got = inside.ok("s3", "GetObject", json!({ "Bucket": "sealed", "Key": "a" }));
    assert_eq!(got["Body"], json!("x"));
    let encrypt = json!({ "KeyId": key, "Plaintext": "x" });
    inside.refused(("kms", "Encrypt"), encrypt, ("AccessDeniedException", 400));
    // Nor does one keep a grant from being retired.
    let key = format!("arn:aws:kms:us-east-1:{account}:key/{}", key.as_str().unwrap());
    inside.ok("kms", "RetireGrant", json!({ "KeyId": key, "GrantId": grant }));
}
