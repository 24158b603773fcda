use super::*;
use palisade_shape::{Blob, Length, List, Location, Map, Text};
use std::collections::BTreeMap;

const ANY: Length = Length { min: None, max: None };

const fn target(kind: Kind, sensitive: bool) -> Target {
    Target { name: "x", kind, sensitive }
}

const fn member(name: &'static str, target: &'static Target, traits: u16) -> Member {
    Member {
        name,
        wire: "",
        query_name: "",
        location: Location::Body,
        traits: Traits(traits),
        xml_namespace: None,
        target,
    }
}

const TEXT: Kind = Kind::String(Text { length: ANY, pattern: "", values: &[] });
static STRING: Target = target(TEXT, false);
static SECRET: Target = target(TEXT, true);
static BLOB: Target = target(Kind::Blob(ANY), false);
static WHEN: Target = target(Kind::Timestamp(None), false);
static SECRETS: Target = target(
    Kind::List(List { member: member("", &SECRET, 0), flattened: false, length: ANY }),
    false,
);
static SECRET_MAP: Target = target(
    Kind::Map(Map {
        key: member("", &STRING, 0),
        value: member("", &SECRET, 0),
        flattened: false,
        length: ANY,
    }),
    false,
);

static KEY: Structure = Structure {
    name: "Key",
    members: &[
        member("SSHPublicKeyId", &STRING, 0),
        member("SecretAccessKey", &SECRET, 0),
        member("Passphrase", &STRING, Traits::SENSITIVE),
        member("CreateDate", &WHEN, 0),
        member("Body", &BLOB, 0),
        member("Codes", &SECRETS, 0),
        member("Environment", &SECRET_MAP, 0),
    ],
    ..Structure::EMPTY
};

#[derive(Default)]
struct Key {
    id: Option<String>,
    secret: Option<String>,
    passphrase: Option<String>,
    created: Option<Timestamp>,
    body: Option<Blob>,
    codes: Option<Vec<String>>,
    environment: Option<BTreeMap<String, String>>,
}

impl Shape for Key {
    fn write(&self, writer: &mut dyn Writer) {
        writer.structure(
            &KEY,
            &[
                &self.id,
                &self.secret,
                &self.passphrase,
                &self.created,
                &self.body,
                &self.codes,
                &self.environment,
            ],
        );
    }
    fn read(&mut self, _: &mut dyn palisade_shape::Reader) {}
}

#[track_caller]
fn check(key: &Key, expected: &str) {
    let mut out = Vec::new();
    write(&mut out, "requestParameters", key);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn an_empty_request_is_null() {
    check(&Key::default(), "null");
    check(&Key { secret: Some("only a secret".into()), ..Key::default() }, "null");
}

#[test]
fn names_are_lower_camel_and_secrets_stay_out() {
    let key = Key {
        id: Some("a\"\\\n\u{1}é".into()),
        secret: Some("wJalr".into()),
        passphrase: Some("hunter2".into()),
        created: Some(Timestamp::from_millis(1_795_370_568_999)),
        body: Some(Blob(vec![0, 255])),
        codes: Some(vec!["111".into(), "222".into()]),
        environment: Some(BTreeMap::from([("KEY".to_owned(), "value".to_owned())])),
    };
    let hidden = "\"HIDDEN_DUE_TO_SECURITY_REASONS\"";
    check(
        &key,
        &format!(
            "{{\"sSHPublicKeyId\":\"a\\\"\\\\\\n\\u0001é\",\"passphrase\":{hidden},\
             \"createDate\":\"Nov 22, 2026, 6:02:48 PM\",\"body\":\"AP8=\",\
             \"codes\":[{hidden},{hidden}],\"environment\":{{\"KEY\":{hidden}}}}}"
        ),
    );
}

#[test]
fn what_is_too_large_is_left_out_with_its_size() {
    let key = Key { id: Some("a".repeat(FIELD_BYTES_MAX)), ..Key::default() };
    check(
        &key,
        "{\"omitted\":true,\"originalSize\":102421,\"reason\":\"requestParameters too large\"}",
    );
}

#[test]
fn instants_are_written_as_java_does() {
    let cases = [
        (0, "\"Jan 1, 1970, 12:00:00 AM\""),
        (43_200_000, "\"Jan 1, 1970, 12:00:00 PM\""),
        (46_859_000, "\"Jan 1, 1970, 1:00:59 PM\""),
        (1_709_164_800_000, "\"Feb 29, 2024, 12:00:00 AM\""),
    ];
    for (millis, expected) in cases {
        let mut out = Vec::new();
        push_java_date(&mut out, Timestamp::from_millis(millis));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn the_list_of_members_left_out_is_sorted() {
    assert!(LEFT_OUT.is_sorted());
}
