/// One action on one resource that the caller must be allowed. A call may need several; all must
/// pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `iam:CreateUser`.
    pub action: String,
    /// The resource type of the Service Authorization Reference (`user`), or empty for `*`.
    pub kind: String,
    /// The resource's ARN, or `*` where the action has none.
    pub resource: String,
    /// The account that owns the resource.
    pub account: String,
    /// Service condition keys of this call, in lower case, with their values.
    pub keys: Vec<(String, Vec<String>)>,
    /// The tags that the request sets, for `aws:RequestTag/*` and `aws:TagKeys`; none where the
    /// action takes no tags.
    pub request_tags: Option<Vec<(String, String)>>,
}

impl Requirement {
    pub fn new(action: impl Into<String>, resource: impl Into<String>, account: &str) -> Self {
        Self {
            action: action.into(),
            kind: String::new(),
            resource: resource.into(),
            account: account.to_owned(),
            keys: Vec::new(),
            request_tags: None,
        }
    }

    /// The account that owns the resource, as far as it matters to a caller of that account: what
    /// is `*` belongs to nobody in particular unless it is all that another account has.
    pub fn owner(&self, caller: &str) -> Option<&str> {
        (self.resource != "*" || self.account != caller).then_some(self.account.as_str())
    }

    /// The same, for a resource of a type whose tags and policy the service knows.
    #[must_use]
    pub fn of_kind(mut self, kind: &str) -> Self {
        self.kind = kind.to_owned();
        self
    }

    #[must_use]
    pub fn with_key(mut self, key: &str, value: impl Into<String>) -> Self {
        self.keys.push((key.to_lowercase(), vec![value.into()]));
        self
    }

    #[must_use]
    pub fn with_keys(mut self, key: &str, values: Vec<String>) -> Self {
        self.keys.push((key.to_lowercase(), values));
        self
    }

    #[must_use]
    pub fn with_tags(mut self, tags: Vec<(String, String)>) -> Self {
        self.request_tags = Some(tags);
        self
    }
}
