use super::*;

fn only(service: &str, operation: &str) -> &'static ActionRow {
    let rows = rows(service, operation).unwrap();
    assert_eq!(rows.len(), 1, "{service} {operation}");
    &rows[0]
}

#[test]
fn every_block_can_be_read() {
    let mut operations = 0;
    for (service, lazy) in SERVICES.iter() {
        let block: &'static str = ARCHIVE.inflate(lazy.entry).leak();
        let listed = block.lines().filter(|line| line.starts_with('A')).count();
        let rows = service_rows(block);
        operations += rows.len();
        assert_eq!(rows.values().flatten().count(), listed, "{service}");
    }
    assert!(operations >= 18_000, "{operations}");
    let actions: usize = prefixes().map(|name| prefix(name).unwrap().actions().count()).sum();
    assert!(actions >= 22_000, "{actions}");
}

#[test]
fn a_row_says_what_an_operation_needs() {
    let row = only("iam", "CreateUser");
    assert_eq!((row.action, row.access), ("iam:CreateUser", AccessLevel::Write));
    assert!(row.request_tags);
    assert_eq!(row.tag_member, "Tags[]");
    assert!(row.condition_keys.contains(&("iam:PermissionsBoundary", "PermissionsBoundary")));
    let user = &row.resources[0];
    assert_eq!((user.kind, user.required), ("user", true));
    assert_eq!(user.variables, [("UserNameWithPath", "UserName")]);
    let parts = [
        Part::Literal("arn:"),
        Part::Variable("Partition"),
        Part::Literal(":iam::"),
        Part::Variable("Account"),
        Part::Literal(":user/"),
        Part::Variable("UserNameWithPath"),
    ];
    assert_eq!(user.template.parts, parts);
}

#[test]
fn names_that_differ_are_known() {
    let check = |service: &str, operation: &str, action: &str| {
        let rows = rows(service, operation).unwrap_or_default();
        let actions: Vec<&str> = rows.iter().map(|row| row.action).collect();
        assert!(actions.contains(&action), "{service} {operation}: {actions:?}");
    };
    check("s3", "ListObjectsV2", "s3:ListBucket");
    check("lambda", "Invoke", "lambda:InvokeFunction");
    check("cloudwatch", "PutMetricData", "cloudwatch:PutMetricData");
    check("kms", "ReEncrypt", "kms:ReEncryptFrom");
    check("kms", "ReEncrypt", "kms:ReEncryptTo");
    check("lambda", "CreateFunction", "iam:PassRole");
    check("s3", "GetObject", "s3:GetObject");
}

#[test]
fn prefixes_know_their_actions() {
    assert_eq!(action("IAM:createuser").unwrap().full_name, "iam:CreateUser");
    assert!(action("iam:Nonsense").is_none() && prefix("nonsense").is_none());
    assert!(rcp_supported("s3") && rcp_supported("kms") && !rcp_supported("iam"));
    let kms = prefix("kms").unwrap();
    assert_eq!(kms.condition_keys.get("kms:ViaService"), Some(&"String"));
    assert_eq!(kms.resource_type("key").unwrap().kind, "key");
}
