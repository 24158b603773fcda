//! Conditions of form policies, one by one and at random.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn form(fields: &[(&str, &str)]) -> PostForm {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    PostForm::new("b", fields.iter().map(owned).collect(), "f.txt").unwrap()
}

fn encoded(conditions: &Value) -> String {
    let policy = json!({ "expiration": "2030-01-01T00:00:00.000Z", "conditions": conditions });
    STANDARD.encode(policy.to_string())
}

/// `expected` is the size range, or the beginning of the refusal.
fn check(conditions: Value, fields: &[(&str, &str)], expected: Result<Option<(u64, u64)>, &str>) {
    let found = PostPolicy::parse(&encoded(&conditions));
    let found = found.and_then(|policy| policy.check(&form(fields), NOW));
    let told = found.map(|sizes| sizes.map(|sizes| (sizes.least, sizes.most)));
    match (told, expected) {
        (Ok(sizes), expected) => assert_eq!(Ok(sizes), expected, "{conditions} {fields:?}"),
        (Err(error), Err(wanted)) => {
            let text = format!("{}: {}", error.code.code, error.message);
            assert!(text.starts_with(wanted), "{text}, not {wanted}");
        }
        (Err(error), Ok(_)) => panic!("{}: {conditions} {fields:?}", error.message),
    }
}

#[test]
fn conditions() {
    let failed = "AccessDenied: Invalid according to Policy: Policy Condition failed: ";
    let bucket = json!({ "bucket": "b" });
    let of_key = json!([bucket, ["starts-with", "$key", "user/ann/"]]);
    check(of_key.clone(), &[("key", "user/ann/x")], Ok(None));
    check(of_key.clone(), &[("Key", "user/ann/${filename}")], Ok(None));
    check(of_key.clone(), &[("key", "user/bob/x")], Err(failed));
    check(of_key.clone(), &[], Err(failed));
    let extra = "AccessDenied: Invalid according to Policy: Extra input fields: ";
    let named = format!("{extra}acl, x-amz-meta-a");
    let fields = [("key", "user/ann/x"), ("x-amz-meta-a", "1"), ("acl", "private")];
    check(of_key.clone(), &fields, Err(&named));
    let exempt =
        [("key", "user/ann/x"), ("x-ignore-a", "1"), ("policy", "p"), ("x-amz-signature", "s")];
    check(of_key, &exempt, Ok(None));
    check(json!([["starts-with", "$key", ""]]), &[("key", "x")], Err(&format!("{extra}bucket")));
    let exact = json!([bucket, ["eq", "$acl", "private"], { "Key": "k" }]);
    check(exact.clone(), &[("acl", "private"), ("key", "k")], Ok(None));
    check(exact.clone(), &[("acl", "public-read"), ("key", "k")], Err(failed));
    check(exact, &[("acl", "private"), ("key", "K")], Err(failed));
    let types = json!([bucket, ["starts-with", "$Content-Type", "image/"]]);
    check(types.clone(), &[("content-type", "image/png, image/gif")], Ok(None));
    check(types, &[("content-type", "image/png,text/html")], Err(failed));
    let another = json!([{ "bucket": "c" }]);
    check(another, &[("bucket", "c")], Err(failed));
}

#[test]
fn sizes() {
    let with = |range: Value| json!([{ "bucket": "b" }, range]);
    check(with(json!(["content-length-range", 1, "10"])), &[], Ok(Some((1, 10))));
    let two =
        json!([{ "bucket": "b" }, ["content-length-range", 1, 10], ["content-length-range", 0, 5]]);
    check(two, &[], Ok(Some((1, 5))));
    let wrong = "InvalidPolicyDocument: Invalid Policy: Invalid";
    check(with(json!(["content-length-range", -1, 10])), &[], Err(wrong));
    check(with(json!(["content-length-range", 1])), &[], Err(wrong));
    check(with(json!(["content-length-range", 1, 2, 3])), &[], Err(wrong));
    let sizes = Sizes { least: 2, most: 4 };
    let code = |checked: Result<()>| checked.map_err(|error| error.code.code);
    assert_eq!(code(sizes.check_least(1)), Err("EntityTooSmall"));
    assert_eq!(code(sizes.check_least(2)), Ok(()));
    assert_eq!(code(sizes.check_most(4)), Ok(()));
    assert_eq!(code(sizes.check_most(5)), Err("EntityTooLarge"));
}

#[test]
fn documents() {
    let wrong = |text: &str| {
        let refused = PostPolicy::parse(&STANDARD.encode(text)).unwrap_err();
        assert_eq!(refused.code.code, "InvalidPolicyDocument", "{text}");
        refused.message.into_owned()
    };
    assert_eq!(wrong("{"), "Invalid Policy: Invalid JSON.");
    assert_eq!(wrong("[]"), "Invalid Policy: Invalid JSON.");
    assert_eq!(wrong("{\"conditions\": []}"), "Invalid Policy: Policy missing expiration.");
    let dated = |rest: &str| format!("{{\"expiration\": \"2030-01-01T00:00:00Z\"{rest}}}");
    assert_eq!(wrong(&dated("")), "Invalid Policy: Policy missing conditions.");
    let unlike = [
        ", \"conditions\": {}",
        ", \"CONDITIONS\": []",
        ", \"conditions\": [], \"more\": 1",
        ", \"conditions\": [{}]",
        ", \"conditions\": [{\"a\": \"b\", \"c\": \"d\"}]",
        ", \"conditions\": [{\"a\": 1}]",
        ", \"conditions\": [\"a\"]",
        ", \"conditions\": [[\"near\", \"$key\", \"x\"]]",
        ", \"conditions\": [[\"eq\", \"key\", \"x\"]]",
    ];
    for rest in unlike {
        wrong(&dated(rest));
    }
    wrong("{\"expiration\": \"tomorrow\", \"conditions\": []}");
    assert!(PostPolicy::parse("~").is_err());
    let expired = json!({ "expiration": "2026-01-01T00:00:00Z", "conditions": [] });
    let expired = PostPolicy::parse(&STANDARD.encode(expired.to_string())).unwrap();
    let refused = expired.check(&form(&[]), NOW).unwrap_err();
    assert_eq!(refused.message, "Invalid according to Policy: Policy expired.");
}

#[test]
fn escapes() {
    let text = "{\"expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": \
                [{\"bucket\": \"b\"}, [\"eq\", \"$key\", \"\\$a\\\\b\"]]}";
    let policy = PostPolicy::parse(&STANDARD.encode(text)).unwrap();
    assert!(policy.check(&form(&[("key", "$a\\b")]), NOW).is_ok());
}

proptest! {
    /// A policy that names each field with its own value allows the form, and no other value.
    #[test]
    fn named_fields_are_allowed(
        fields in prop::collection::btree_map("[a-z]{1,8}", "[ -~é\n]{0,20}", 0..6),
        spoiled in any::<prop::sample::Index>(),
        prefixed in any::<bool>(),
    ) {
        let mut fields: Vec<(String, String)> = fields.into_iter().collect();
        fields.retain(|(name, _)| !matches!(name.as_str(), "file" | "policy" | "bucket"));
        let mut list = vec![json!({ "bucket": "b" })];
        for (name, value) in &fields {
            let filled = value.replace("${filename}", "f.txt");
            list.push(match prefixed {
                true => json!(["starts-with", format!("${name}"), filled]),
                false => json!({ name.as_str(): filled }),
            });
        }
        let policy = PostPolicy::parse(&encoded(&Value::Array(list))).unwrap();
        let same = PostForm::new("b", fields.clone(), "f.txt").unwrap();
        prop_assert!(policy.check(&same, NOW).is_ok());
        // Any value begins with nothing.
        fields.retain(|(_, value)| !(prefixed && value.is_empty()));
        if !fields.is_empty() {
            let place = spoiled.index(fields.len());
            fields[place].1.insert(0, '\u{1}');
            let other = PostForm::new("b", fields, "f.txt").unwrap();
            prop_assert!(policy.check(&other, NOW).is_err());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(
        text in "(\\{|\\}|\\[|\\]|\"|,|:|\\\\|\\$|expiration|conditions|eq|[0-9]){0,40}",
    ) {
        if let Err(error) = PostPolicy::parse(&STANDARD.encode(&text)) {
            prop_assert_eq!(error.code.code, "InvalidPolicyDocument");
        }
    }
}
