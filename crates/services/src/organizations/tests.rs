//! Organizations from inside: what unit tests see better than clients.

mod scale;

use super::node::{self, Node};
use super::organization::Organization;
use super::{SERVICE, access, quota};
use crate::authorization::{Standing, standing};
use crate::errors::internal;
use crate::testing::{ACCOUNT, Lab};
use palisade_model::organizations::{
    AttachPolicyRequest, CreateAccountRequest, CreateAccountResponse, CreateOrganizationRequest,
    CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse, CreatePolicyRequest,
    CreatePolicyResponse, DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
    DetachPolicyRequest, EnablePolicyTypeRequest, MoveAccountRequest, UpdatePolicyRequest,
};
use palisade_protocol::json;
use palisade_shape::{Named, Result};
use std::sync::Arc;

/// Calls an operation through its row, as the pipeline does after it has decided.
fn call<I, O>(lab: &Lab, operation: &'static str, input: I) -> Result<O>
where
    I: Named + Clone + Send + Sync + 'static,
    O: Named + Send + 'static,
{
    lab.write(move |cx| {
        let row = SERVICE.operation(operation).unwrap();
        let output = row.handler.call(cx, &input)?;
        let mut read = O::default();
        let text = json::to_json(&*output);
        json::from_json(&text, &mut read).map_err(|error| internal(format!("{error:?}")))?;
        Ok(read)
    })
}

struct Made {
    lab: Lab,
    root: String,
}

fn made() -> Made {
    let lab = Lab::new();
    lab.call(super::organization::create_organization, CreateOrganizationRequest::default())
        .unwrap();
    let organization = lab.read(|cx| access::organization_of(cx, ACCOUNT)).unwrap().unwrap();
    let Organization { root, .. } = organization;
    let input = EnablePolicyTypeRequest {
        root_id: root.clone(),
        policy_type: "SERVICE_CONTROL_POLICY".into(),
    };
    call::<_, palisade_model::organizations::EnablePolicyTypeResponse>(
        &lab,
        "EnablePolicyType",
        input,
    )
    .unwrap();
    Made { lab, root }
}

impl Made {
    fn request(&self, email: &str) -> String {
        let input = CreateAccountRequest {
            email: email.to_owned(),
            account_name: "x".to_owned(),
            ..CreateAccountRequest::default()
        };
        let made: CreateAccountResponse = call(&self.lab, "CreateAccount", input).unwrap();
        made.create_account_status.unwrap().id.unwrap()
    }

    fn ended(&self, request: &str) -> (String, Option<String>, Option<String>) {
        let input =
            DescribeCreateAccountStatusRequest { create_account_request_id: request.to_owned() };
        let told: DescribeCreateAccountStatusResponse =
            call(&self.lab, "DescribeCreateAccountStatus", input).unwrap();
        let status = told.create_account_status.unwrap();
        (status.state.unwrap(), status.failure_reason, status.account_id)
    }

    fn account(&self, email: &str) -> String {
        let request = self.request(email);
        self.lab.run_jobs();
        self.ended(&request).2.unwrap()
    }

    fn unit(&self, parent: &str, name: &str) -> String {
        let input = CreateOrganizationalUnitRequest {
            parent_id: parent.to_owned(),
            name: name.to_owned(),
            tags: None,
        };
        let made: CreateOrganizationalUnitResponse =
            call(&self.lab, "CreateOrganizationalUnit", input).unwrap();
        made.organizational_unit.unwrap().id.unwrap()
    }

    fn bind(&self, name: &str, action: &str, target: &str) -> String {
        let content = document(action);
        let input = CreatePolicyRequest {
            content,
            description: String::new(),
            name: name.to_owned(),
            r#type: "SERVICE_CONTROL_POLICY".to_owned(),
            tags: None,
        };
        let made: CreatePolicyResponse = call(&self.lab, "CreatePolicy", input).unwrap();
        let policy = made.policy.unwrap().policy_summary.unwrap().id.unwrap();
        let input = AttachPolicyRequest { policy_id: policy.clone(), target_id: target.to_owned() };
        call::<_, palisade_shape::Nothing>(&self.lab, "AttachPolicy", input).unwrap();
        policy
    }

    fn moved(&self, account: &str, from: &str, to: &str) {
        let input = MoveAccountRequest {
            account_id: account.to_owned(),
            source_parent_id: from.to_owned(),
            destination_parent_id: to.to_owned(),
        };
        call::<_, palisade_shape::Nothing>(&self.lab, "MoveAccount", input).unwrap();
    }

    fn standing(&self, account: &str) -> Arc<Standing> {
        self.lab.read(|cx| standing(cx, account)).unwrap()
    }
}

fn document(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17",
            "Statement":{{"Effect":"Deny","Action":"{action}","Resource":"*"}}}}"#
    )
}

#[test]
fn a_request_for_an_account_ends_in_one_of_its_ways() {
    let made = made();
    let (first, second) = (made.request("a@example.com"), made.request("A@example.com"));
    assert_eq!(made.ended(&first).0, "IN_PROGRESS");
    made.lab.run_jobs();
    let states: Vec<Option<String>> =
        [&first, &second].map(|request| made.ended(request).1).to_vec();
    // Of two at once with the same address, one wins, whichever ran first.
    assert_eq!(states.iter().filter(|reason| reason.is_none()).count(), 1, "{states:?}");
    let lost = states.into_iter().flatten().next().unwrap();
    assert!(matches!(&*lost, "CONCURRENT_ACCOUNT_MODIFICATION" | "EMAIL_ALREADY_EXISTS"), "{lost}");
    made.lab.write(|cx| quota::grant(cx, &quota::ACCOUNTS, 2)).unwrap();
    let third = made.request("c@example.com");
    made.lab.run_jobs();
    assert_eq!(made.ended(&third).1.as_deref(), Some("ACCOUNT_LIMIT_EXCEEDED"));
    // A job that runs again finds its work done.
    made.lab.run_jobs();
    assert_eq!(made.ended(&third).0, "FAILED");
}

#[test]
fn a_standing_is_kept_until_what_it_is_made_of_changes() {
    let made = made();
    let account = made.account("a@example.com");
    let other = made.account("b@example.com");
    let (left, right) = (made.unit(&made.root, "left"), made.unit(&made.root, "right"));
    let deny = made.bind("deny", "s3:*", &left);
    let before = made.standing(&account);
    assert!(Arc::ptr_eq(&before, &made.standing(&account)), "it is not kept");
    assert_eq!(before.scps.len(), 2);
    // Two accounts at the same place have the very same sets.
    let beside = made.standing(&other);
    assert!(before.scps.iter().zip(&beside.scps).all(|(one, two)| Arc::ptr_eq(one, two)));

    made.moved(&account, &made.root, &left);
    let moved = made.standing(&account);
    let place = moved.membership.as_ref().unwrap();
    assert!(place.path.ends_with(&format!("{left}/")), "{}", place.path);
    let labels: Vec<usize> = moved.scp_documents.iter().map(|level| level.len()).collect();
    assert_eq!(labels, [1, 2, 1]);
    assert!(moved.scp_documents[1].iter().any(|policy| policy.label.ends_with(&deny)));
    // Nothing of the other account was read or made again.
    assert!(Arc::ptr_eq(&beside, &made.standing(&other)));
    // The root's level is the one of before.
    assert!(Arc::ptr_eq(&before.scps[0], &moved.scps[0]));

    let revision = |standing: &Standing| {
        let policies = standing.scp_documents[1].iter();
        policies.map(|policy| policy.revision).max().unwrap()
    };
    let update = UpdatePolicyRequest {
        policy_id: deny.clone(),
        content: Some(document("sqs:*")),
        ..UpdatePolicyRequest::default()
    };
    call::<_, palisade_model::organizations::UpdatePolicyResponse>(
        &made.lab,
        "UpdatePolicy",
        update,
    )
    .unwrap();
    let updated = made.standing(&account);
    assert!(revision(&updated) > revision(&moved));
    let input = DetachPolicyRequest { policy_id: deny, target_id: left.clone() };
    call::<_, palisade_shape::Nothing>(&made.lab, "DetachPolicy", input).unwrap();
    assert_eq!(made.standing(&account).scp_documents[1].len(), 1);
    made.moved(&account, &left, &right);
    made.moved(&account, &right, &made.root);
    let back = made.standing(&account);
    assert_eq!(back.membership, before.membership);
}

#[test]
fn a_transaction_sees_its_own_change_and_nobody_else_does() {
    let made = made();
    let account = made.account("a@example.com");
    let unit = made.unit(&made.root, "unit");
    let kept = made.standing(&account);
    let id = account.clone();
    let failed = made.lab.write(move |cx| {
        let mut node = node::target(cx, &id)?;
        node.parent = Some(unit.clone());
        cx.put(&node::NODES, &node)?;
        let seen = standing(cx, &id)?;
        assert!(seen.membership.as_ref().unwrap().path.contains(&unit));
        Err::<(), _>(internal("undone"))
    });
    assert!(failed.is_err());
    assert!(Arc::ptr_eq(&kept, &made.standing(&account)));
}

#[test]
fn a_broken_tree_denies() {
    let made = made();
    let account = made.account("a@example.com");
    let id = account.clone();
    made.lab
        .write(move |cx| {
            let node = node::target(cx, &id)?;
            cx.put(&node::NODES, &Node { parent: Some("ou-gone-aaaaaaaa".to_owned()), ..node })
        })
        .unwrap();
    assert!(made.lab.read(|cx| standing(cx, &account)).is_err());
}

/// Each operation that nobody but a gate keeps is behind one; the others look for themselves.
#[test]
fn operations_without_a_gate_are_known() {
    let plain = |row: &&crate::service::Operation| {
        let lab = Lab::new();
        let input = row.handler.new_input();
        let refused = lab.read(|cx| row.handler.call(cx, &*input).map(drop));
        !refused.is_err_and(|error| error.code.shape == "AWSOrganizationsNotInUseException")
    };
    let names: Vec<&str> =
        SERVICE.operations.iter().filter(plain).map(|operation| operation.name).collect();
    let expected = [
        "CreateOrganization",
        "AcceptHandshake",
        "DeclineHandshake",
        "CancelHandshake",
        "DescribeHandshake",
        "ListHandshakesForAccount",
    ];
    assert_eq!(names, expected);
}
