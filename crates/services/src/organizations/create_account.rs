//! Making member accounts: the request is noted, and a job makes the account or says why not.
//!
//! Source: Organizations API reference, CreateAccount, CreateAccountStatus.

use super::access;
use super::organization::{self, Organization};
use super::refusal::{constraint, invalid};
use super::{list, quota, service_event, tag};
use crate::accounts::{self, ACCOUNTS};
use crate::context::Context;
use crate::errors::internal;
use crate::iam::password::{self, PROFILES};
use crate::iam::principal::Owner;
use crate::iam::{self, attachment, role};
use crate::job::{JobKind, Next};
use crate::random;
use crate::table::{Scope, Table};
use palisade_model::iam::{AttachRolePolicyRequest, CreateRoleRequest};
use palisade_model::organizations::{
    CREATE_ACCOUNT_STATUS_NOT_FOUND_EXCEPTION, CreateAccountRequest, CreateAccountResponse,
    CreateAccountStatus, CreateGovCloudAccountRequest, CreateGovCloudAccountResponse,
    DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
    ListCreateAccountStatusRequest, ListCreateAccountStatusResponse, account_joined_method,
    create_account_failure_reason, create_account_state,
};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};

/// The role that lets the management account into the new one, unless the request names another.
const ROLE: &str = "OrganizationAccountAccessRole";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// Requests that may be under way at a time.
const AT_A_TIME: usize = 5;

/// A request for an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creation {
    /// `car-…`
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: String,
    pub tags: tag::TagMap,
    /// `IN_PROGRESS`, `SUCCEEDED`, `FAILED`
    pub state: String,
    pub requested_millis: i64,
    pub completed_millis: Option<i64>,
    pub account: Option<String>,
    pub failure: Option<String>,
}

pub static CREATIONS: Table<Creation> = Table::of_private(
    "organizations/account-creation",
    Scope::Account,
    |creation| creation.id.clone(),
    |creation| internal(format!("request {} is there already", creation.id)),
    |_| {
        let text = "We can't find an create account request with the CreateAccountRequestId that \
                    you specified.";
        CREATE_ACCOUNT_STATUS_NOT_FOUND_EXCEPTION.because(text)
    },
);

/// Requests that are not done yet.
static UNDER_WAY: Table<String> = Table::of_private(
    "organizations/account-creation-under-way",
    Scope::Account,
    String::clone,
    |id| internal(format!("request {id} is under way already")),
    |id| internal(format!("request {id} is not under way")),
);

/// Makes the account of a request. The job's subject is the request's id.
pub static FINISH: JobKind = JobKind {
    name: "organizations/create-account",
    principal: "organizations.amazonaws.com",
    run: finish,
};

/// What an address may be (CreateAccount, "The rules for a valid email address").
pub fn is_email(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || "\"'()<>[]:;,\\|%&".contains(c);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_is_good = !local.is_empty() && !local.starts_with('.') && !local.contains(forbidden);
    let domain_is_good = domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        && !domain.starts_with(['-', '.'])
        && !domain.ends_with(['-', '.']);
    (6..=64).contains(&text.len()) && text.is_ascii() && local_is_good && domain_is_good
}

fn shown(creation: &Creation) -> CreateAccountStatus {
    CreateAccountStatus {
        id: Some(creation.id.clone()),
        account_name: Some(creation.name.clone()),
        state: Some(creation.state.clone()),
        requested_timestamp: Some(Timestamp::from_millis(creation.requested_millis)),
        completed_timestamp: creation.completed_millis.map(Timestamp::from_millis),
        account_id: creation.account.clone(),
        gov_cloud_account_id: None,
        failure_reason: creation.failure.clone(),
    }
}

/// Asks for a new member account.
pub fn create_account(
    cx: &mut Context,
    _organization: &Organization,
    input: CreateAccountRequest,
) -> Result<CreateAccountResponse> {
    let CreateAccountRequest {
        email,
        account_name,
        role_name,
        iam_user_access_to_billing: _,
        tags,
    } = input;
    if role_name.as_deref().is_some_and(|name| name.starts_with("AWSServiceRoleFor")) {
        let text = "You provided a role name that isn't valid. A role name can't begin with the \
                    reserved prefix AWSServiceRoleFor.";
        return Err(invalid("INVALID_ROLE_NAME", text));
    }
    if cx.scan(&UNDER_WAY, "", None, AT_A_TIME)?.len() == AT_A_TIME {
        let code = &palisade_model::organizations::TOO_MANY_REQUESTS_EXCEPTION;
        let text = "You have sent too many requests in too short a period of time.";
        return Err(code.because(text).with("Type", "ACCOUNT_CREATION"));
    }
    let creation = Creation {
        id: random::lower_id(&*cx.plane.random, "car-", 32),
        name: account_name,
        email,
        role: role_name.unwrap_or_else(|| ROLE.to_owned()),
        tags: tag::given(tags)?,
        state: create_account_state::IN_PROGRESS.to_owned(),
        requested_millis: cx.now().millis(),
        completed_millis: None,
        account: None,
        failure: None,
    };
    cx.insert(&CREATIONS, &creation)?;
    cx.put(&UNDER_WAY, &creation.id)?;
    cx.later(&FINISH, cx.now(), &creation.id)?;
    Ok(CreateAccountResponse { create_account_status: Some(shown(&creation)) })
}

/// Refuses: an account of the GovCloud partition is made for a management account that has one
/// there, and this plane is one partition.
pub fn create_gov_cloud_account(
    _cx: &mut Context,
    _organization: &Organization,
    _input: CreateGovCloudAccountRequest,
) -> Result<CreateGovCloudAccountResponse> {
    let text = "To complete this operation, the management account must have an associated \
                account in the AWS GovCloud (US-West) Region.";
    Err(constraint("MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED", text))
}

/// Why the account cannot be made, if so.
fn obstacle(cx: &Context, creation: &Creation) -> Result<Option<&'static str>> {
    use create_account_failure_reason as reason;
    if !is_email(&creation.email) {
        return Ok(Some(reason::INVALID_EMAIL));
    }
    for other in cx.all(&UNDER_WAY, "")? {
        let other = cx.find(&CREATIONS, &other)?;
        let same = other.email.eq_ignore_ascii_case(&creation.email) && other.id != creation.id;
        let before =
            (other.requested_millis, &other.id) < (creation.requested_millis, &creation.id);
        if same && before {
            return Ok(Some(reason::CONCURRENT_ACCOUNT_MODIFICATION));
        }
    }
    if accounts::of_email(cx, &creation.email)?.is_some() {
        return Ok(Some(reason::EMAIL_ALREADY_EXISTS));
    }
    if quota::has_no_room(cx)? {
        return Ok(Some(reason::ACCOUNT_LIMIT_EXCEEDED));
    }
    Ok(None)
}

fn finish(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut creation) = cx.get(&CREATIONS, subject)? else { return Ok(Next::Done) };
    if creation.state != create_account_state::IN_PROGRESS {
        return Ok(Next::Done);
    }
    let management = cx.account().to_owned();
    let organization = access::organization_of(cx, &management)?;
    let obstacle = match &organization {
        Some(_) => obstacle(cx, &creation)?,
        // It was deleted meanwhile.
        None => Some(create_account_failure_reason::INTERNAL_FAILURE),
    };
    match (organization, obstacle) {
        (Some(organization), None) => {
            let account = make(cx, &organization, &creation)?;
            creation.account = Some(account);
            creation.state = create_account_state::SUCCEEDED.to_owned();
        }
        (_, obstacle) => {
            creation.failure = obstacle.map(str::to_owned);
            creation.state = create_account_state::FAILED.to_owned();
        }
    }
    creation.completed_millis = Some(cx.now().millis());
    cx.put(&CREATIONS, &creation)?;
    cx.delete(&UNDER_WAY, &creation.id)?;
    service_event::account_created(cx, &creation)?;
    Ok(Next::Done)
}

/// The account, in the organization, with the role that lets the management account in.
fn make(cx: &mut Context, organization: &Organization, creation: &Creation) -> Result<String> {
    let id = fresh_id(cx)?;
    accounts::create(cx, &id, &creation.name, &creation.email)?;
    let method = account_joined_method::CREATED;
    organization::join(cx, organization, &id, method, creation.tags.clone())?;
    let management = &organization.management_account;
    let trust = format!(
        concat!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","#,
            r#""Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        ),
        management
    );
    let recovers = !iam::organizations::manages_root_credentials(cx, organization)?;
    cx.in_account(&id, |cx| {
        if recovers {
            // Root has no password; who reads the account's mail may set one.
            let profile = password::new_profile(cx, &Owner::Root, &id, None, false)?;
            cx.insert(&PROFILES, &profile)?;
        }
        let wanted = CreateRoleRequest {
            path: None,
            role_name: creation.role.clone(),
            assume_role_policy_document: trust,
            description: None,
            max_session_duration: None,
            permissions_boundary: None,
            tags: None,
        };
        role::create_role(cx, wanted)?;
        let attached = AttachRolePolicyRequest {
            role_name: creation.role.clone(),
            policy_arn: ADMINISTRATOR.to_owned(),
        };
        attachment::attach_role_policy(cx, attached)
    })?;
    Ok(id)
}

/// An id that no account has.
fn fresh_id(cx: &Context) -> Result<String> {
    loop {
        let id = random::account_id(&*cx.plane.random);
        if !cx.exists(&ACCOUNTS, &id)? {
            return Ok(id);
        }
    }
}

pub fn describe_create_account_status(
    cx: &mut Context,
    _organization: &Organization,
    input: DescribeCreateAccountStatusRequest,
) -> Result<DescribeCreateAccountStatusResponse> {
    let creation = cx.find(&CREATIONS, &input.create_account_request_id)?;
    Ok(DescribeCreateAccountStatusResponse { create_account_status: Some(shown(&creation)) })
}

/// Lists the requests, of all states or of some.
pub fn list_create_account_status(
    cx: &mut Context,
    _organization: &Organization,
    input: ListCreateAccountStatusRequest,
) -> Result<ListCreateAccountStatusResponse> {
    let ListCreateAccountStatusRequest { states, next_token, max_results } = input;
    let wanted = |state: &String| states.as_ref().is_none_or(|states| states.contains(state));
    let page = list::page(cx, &CREATIONS, "", (next_token, max_results), |_, creation| {
        Ok(wanted(&creation.state).then(|| shown(&creation)))
    })?;
    Ok(ListCreateAccountStatusResponse {
        create_account_statuses: Some(page.items),
        next_token: page.next,
    })
}
