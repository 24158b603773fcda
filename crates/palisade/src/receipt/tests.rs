//! Receipts that were touched.

use super::*;
use palisade_policy::{Layer, LayerFacts, PolicyFacts, Principal, ResourceRule};
use palisade_services::audit::RequirementRecord;

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}"#;

fn receipt() -> Receipt {
    let facts = Facts {
        principal: Principal::user("arn:aws:iam::111122223333:user/ana"),
        action: "s3:PutObject".to_owned(),
        resource: "arn:aws:s3:::b/k".to_owned(),
        resource_account: Some("111122223333".to_owned()),
        rule: ResourceRule::Ordinary,
        context: std::collections::BTreeMap::new(),
        layers: vec![LayerFacts {
            layer: Layer::Identity,
            level: None,
            policies: vec![PolicyFacts {
                label: "inline:user/ana/own".to_owned(),
                revision: Some(12),
                text: POLICY.to_owned(),
            }],
        }],
        caller_management_account: None,
        resource_management_account: None,
        granted: false,
    };
    let requirement = RequirementRecord {
        action: facts.action.clone(),
        resource: facts.resource.clone(),
        outcome: "implicitDeny".to_owned(),
        ..RequirementRecord::default()
    };
    let decision = DecisionRecord {
        id: "d-1".to_owned(),
        service: "s3".to_owned(),
        operation: "PutObject".to_owned(),
        outcome: Some("implicitDeny".to_owned()),
        requirements: vec![requirement],
        ..DecisionRecord::default()
    };
    let mut explained = Explained::of(facts).unwrap();
    explained.edits[0].newly_allows = Some(1);
    Receipt { format: FORMAT.to_owned(), decision, error_message: None, explained: vec![explained] }
}

#[test]
fn a_receipt_comes_out_as_it_went_in() {
    let receipt = receipt();
    let read = Receipt::parse(receipt.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(read, receipt);
    let again = read.again().unwrap();
    assert_eq!(again.in_words(false), receipt.in_words(false));
    assert_eq!(again.to_json(), receipt.to_json());
    let words = receipt.in_words(false);
    for part in [
        "inline:user/ana/own (revision 12)",
        "Smallest change that allows it: add \"s3:PutObject\" to Action of stmt 1 of \
         inline:user/ana/own   (verified; also newly allows: 1 call)",
    ] {
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn a_receipt_that_was_touched_is_noticed() {
    let check = |touch: fn(&mut Receipt), expected: &str| {
        let mut receipt = receipt();
        touch(&mut receipt);
        let text = receipt.to_json().unwrap();
        let why = Receipt::parse(text.as_bytes()).and_then(|it| it.again()).unwrap_err();
        assert!(why.contains(expected), "{why}");
    };
    let other = "gives another answer";
    check(|it| it.format = "palisade-receipt/9".to_owned(), "is not a format");
    check(|it| it.explained[0].facts.action = "s3:GetObject".to_owned(), other);
    check(|it| it.explained[0].trace.decision.outcome = Outcome::Allowed, other);
    check(|it| it.explained[0].edits.clear(), other);
    check(|it| it.decision.requirements[0].action = "s3:GetObject".to_owned(), "another decision");
    check(|it| it.decision.outcome = Some("allowed".to_owned()), "not one with itself");
    check(|it| it.explained[0].facts.layers[0].policies[0].text = "{}".to_owned(), "inline:user");
}
