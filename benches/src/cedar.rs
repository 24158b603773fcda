//! The rules of `decisions.rs` in Cedar, in the form that suits Cedar best: statements name their
//! principal, actions and folder in the scope, so that most are passed over without evaluating a
//! condition, and the folder of the caller is written out instead of computed.

use crate::Result;
use crate::decisions::{Apart, bucket, name, teams};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// Conditions of a statement at most.
const CONDITIONS_MAX: usize = 10;

/// An account whose principals each have their own statements.
pub struct Account {
    authorizer: Authorizer,
    entities: Entities,
    /// The statements of each principal: what an application that knows the caller would load.
    own: HashMap<EntityUid, PolicySet>,
    /// All statements of the account.
    whole: PolicySet,
}

impl Account {
    pub fn new(
        principals: usize,
        statements: usize,
        conditions: usize,
        apart: Apart,
    ) -> Result<Self> {
        let mut own = HashMap::new();
        let mut all = String::new();
        let mut entities = vec![
            Entity::new_no_attrs(uid("Action", "s3:Get*")?, HashSet::new()),
            Entity::new_no_attrs(uid("Action", "s3:PutObject")?, HashSet::new()),
            Entity::new_no_attrs(
                uid("Action", "s3:GetObject")?,
                HashSet::from([uid("Action", "s3:Get*")?]),
            ),
        ];
        for index in 0..principals {
            let name = name(index);
            let text = policies(&name, statements, conditions, apart)?;
            own.insert(uid("User", &name)?, text.parse()?);
            all.push_str(&text);
            let team = RestrictedExpression::new_string("red".to_owned());
            let attributes = HashMap::from([("team".to_owned(), team)]);
            entities.push(Entity::new(uid("User", &name)?, attributes, HashSet::new())?);
            entities.push(Entity::new_no_attrs(
                uid("Object", &format!("wanted/{name}/report.csv"))?,
                HashSet::from([uid("Folder", &format!("wanted/{name}"))?]),
            ));
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            entities: Entities::from_entities(entities, None)?,
            own,
            whole: all.parse()?,
        })
    }

    /// The request of a principal for a file of their own.
    pub fn request(&self, name: &str) -> Result<Request> {
        let address = || RestrictedExpression::new_ip("203.0.113.7");
        let pairs = (0..CONDITIONS_MAX).flat_map(|number| {
            let secure = RestrictedExpression::new_bool(true);
            [(format!("address{number}"), address()), (format!("secure{number}"), secure)]
        });
        let context = Context::from_pairs(pairs)?;
        Ok(Request::new(
            uid("User", name)?,
            uid("Action", "s3:GetObject")?,
            uid("Object", &format!("wanted/{name}/report.csv"))?,
            context,
            None,
        )?)
    }

    /// Finds the principal's own statements, then decides.
    pub fn decide_own(&self, request: &Request) -> bool {
        let set = request.principal().and_then(|principal| self.own.get(principal));
        set.is_some_and(|set| self.decide(request, set))
    }

    /// Decides over all statements of the account.
    pub fn decide_whole(&self, request: &Request) -> bool {
        self.decide(request, &self.whole)
    }

    fn decide(&self, request: &Request, set: &PolicySet) -> bool {
        let response = self.authorizer.is_authorized(request, set, &self.entities);
        response.decision() == Decision::Allow
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid> {
    Ok(EntityUid::from_type_name_and_id(kind.parse()?, id.parse()?))
}

/// The text of a principal's rules.
pub fn policies(name: &str, statements: usize, conditions: usize, apart: Apart) -> Result<String> {
    let mut text = String::new();
    for index in 0..statements {
        let action = if index % 3 == 0 { "s3:Get*" } else { "s3:GetObject" };
        let resource = match apart {
            Apart::Buckets => {
                format!(r#"resource in Folder::"{}/{name}""#, bucket(index, statements))
            }
            Apart::Conditions => "resource".to_owned(),
        };
        let [one, other] = teams(index, statements, apart);
        let conditions = (0..conditions).map(|number| match number % 3 {
            0 => format!(r#"["{one}", "{other}"].contains(principal.team)"#),
            1 => format!(r#"context.address{number}.isInRange(ip("203.0.113.0/24"))"#),
            _ => format!("context.secure{number}"),
        });
        let conditions: Vec<String> = conditions.collect();
        let when = match conditions.is_empty() {
            true => String::new(),
            false => format!("when {{ {} }}", conditions.join(" && ")),
        };
        writeln!(
            text,
            r#"permit(principal == User::"{name}",
                action in [Action::"{action}", Action::"s3:PutObject"],
                {resource}) {when};"#
        )?;
    }
    Ok(text)
}
