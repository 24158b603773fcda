//! What a service is to the pipeline: its model, a row for each operation, and what it knows of its
//! resources.

use crate::authorization::Requirement;
use crate::caller::Caller;
use crate::context::Context;
use crate::job::JobKind;
use palisade_shape::{Named, Result, Shape, Structure};
use std::any::Any;

/// One implemented AWS service.
pub struct Service {
    pub model: &'static palisade_shape::Service,
    pub operations: &'static [Operation],
    pub resources: &'static dyn Resources,
    /// What it does after a commit.
    pub jobs: &'static [&'static JobKind],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}

/// One row of a service's `OPERATIONS`.
pub struct Operation {
    pub name: &'static str,
    pub effect: Effect,
    pub handler: &'static dyn Handler,
    /// Replaces what the authorization table says, where AWS deviates from it.
    pub requirements: Option<&'static dyn Requires>,
    /// Slow work that the pipeline has done before the transaction.
    pub prepares: Option<&'static dyn Prepares>,
    /// Tells the inputs with which an operation that only reads changes something after all.
    writes_with: Option<fn(&dyn Input) -> bool>,
    /// Tells who calls, where the input proves that and not the signature.
    pub proof: Option<&'static dyn Proves>,
}

/// Whether the handler may change the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Served from a snapshot, beside all others; an attempt to write is an internal failure.
    Read,
    /// Runs in a transaction.
    Write,
}

/// A row for an operation that only reads.
pub const fn read(name: &'static str, handler: &'static dyn Handler) -> Operation {
    Operation {
        name,
        effect: Effect::Read,
        handler,
        requirements: None,
        prepares: None,
        writes_with: None,
        proof: None,
    }
}

/// A row for an operation that may change something.
pub const fn write(name: &'static str, handler: &'static dyn Handler) -> Operation {
    Operation {
        name,
        effect: Effect::Write,
        handler,
        requirements: None,
        prepares: None,
        writes_with: None,
        proof: None,
    }
}

impl Operation {
    /// The same row, with its own answer to what the caller must be allowed.
    pub const fn requiring(mut self, requirements: &'static dyn Requires) -> Self {
        self.requirements = Some(requirements);
        self
    }

    /// The same row, with slow work to do on a snapshot before the transaction begins, or before a
    /// read, on a thread that no other request waits for.
    pub const fn preparing(mut self, prepares: &'static dyn Prepares) -> Self {
        self.prepares = Some(prepares);
        self
    }

    /// The same row of a read, for an operation that writes with some inputs: a session that is
    /// proven by a code uses the code up. Its event stays that of a read.
    pub const fn writing_with(mut self, writes_with: fn(&dyn Input) -> bool) -> Self {
        self.writes_with = Some(writes_with);
        self
    }

    /// Whether the handler may change the store for this input.
    pub fn effect_with(&self, input: &dyn Input) -> Effect {
        match self.writes_with {
            Some(writes) if writes(input) => Effect::Write,
            _ => self.effect,
        }
    }

    /// The same row, for a call that nobody signs: what it brings proves who calls.
    pub const fn proven_by(mut self, proof: &'static dyn Proves) -> Self {
        self.proof = Some(proof);
        self
    }
}

/// An input whose type only its handler knows.
pub trait Input: Shape + Any + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_shape(&self) -> &dyn Shape;
    fn as_shape_mut(&mut self) -> &mut dyn Shape;
}

impl<T: Shape + Any + Send + Sync> Input for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_shape(&self) -> &dyn Shape {
        self
    }
    fn as_shape_mut(&mut self) -> &mut dyn Shape {
        self
    }
}

/// A handler with its types erased, so that one table holds them all.
pub trait Handler: Sync {
    fn new_input(&self) -> Box<dyn Input>;
    /// May be called again with the same input when the transaction met a conflict.
    fn call(&self, cx: &mut Context, input: &dyn Input) -> Result<Box<dyn Shape + Send>>;
    /// The tables of input and output, which a test compares with the model's.
    fn structures(&self) -> (&'static Structure, &'static Structure);
}

/// A handler: a plain function from the operation's input to its output.
pub struct Typed<I, O>(pub fn(&mut Context, I) -> Result<O>);

impl<I: Named + Clone + Sync, O: Named> Handler for Typed<I, O> {
    fn new_input(&self) -> Box<dyn Input> {
        Box::new(I::default())
    }

    fn call(&self, cx: &mut Context, input: &dyn Input) -> Result<Box<dyn Shape + Send>> {
        let input = typed::<I>(input)?.clone();
        Ok(Box::new((self.0)(cx, input)?))
    }

    fn structures(&self) -> (&'static Structure, &'static Structure) {
        (I::STRUCTURE, O::STRUCTURE)
    }
}

/// Tells what one call needs to be allowed.
pub trait Requires: Sync {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>>;
}

/// A [`Requires`] made of a plain function over the operation's input.
pub struct Requiring<I>(pub fn(&mut Context, &I) -> Result<Vec<Requirement>>);

impl<I: Named + Sync> Requires for Requiring<I> {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        (self.0)(cx, typed::<I>(input)?)
    }
}

/// Does slow work of a change ahead of its transaction. It changes nothing and decides nothing: the
/// handler does the same again and finds the results in the context.
pub trait Prepares: Sync {
    fn prepare(&self, cx: &mut Context, input: &dyn Input) -> Result<()>;
}

/// A [`Prepares`] made of a plain function over the operation's input.
pub struct Preparing<I>(pub fn(&mut Context, &I) -> Result<()>);

impl<I: Named + Sync> Prepares for Preparing<I> {
    fn prepare(&self, cx: &mut Context, input: &dyn Input) -> Result<()> {
        (self.0)(cx, typed::<I>(input)?)
    }
}

/// Tells who calls by what the call brings, after it was verified.
pub trait Proves: Sync {
    fn caller(&self, cx: &mut Context, input: &dyn Input) -> Result<Caller>;
}

/// A [`Proves`] made of a plain function over the operation's input.
pub struct Proving<I>(pub fn(&mut Context, &I) -> Result<Caller>);

impl<I: Named + Sync> Proves for Proving<I> {
    fn caller(&self, cx: &mut Context, input: &dyn Input) -> Result<Caller> {
        (self.0)(cx, typed::<I>(input)?)
    }
}

pub(crate) fn typed<I: 'static>(input: &dyn Input) -> Result<&I> {
    input
        .as_any()
        .downcast_ref()
        .ok_or_else(|| crate::errors::internal("an operation was handed the input of another one"))
}

/// What a service knows of its resources beyond the authorization table. The defaults are right for
/// a service whose ARNs are made of request members alone and whose resources have no policies.
pub trait Resources: Sync {
    /// The ARN of a resource as it is stored, where a template filled from request members would
    /// miss something (an IAM user's path). `arn` is the filled template.
    fn resolve(&self, _cx: &mut Context, _kind: &str, arn: String) -> Result<String> {
        Ok(arn)
    }

    /// The tags of an existing resource, for `aws:ResourceTag/*`.
    fn tags(&self, _cx: &mut Context, _kind: &str, _arn: &str) -> Result<Tags> {
        Ok(Vec::new())
    }

    /// A service condition key that the authorization table cannot take from a request member.
    /// `key` is in lower case. The default knows none, which denies.
    fn condition(&self, _cx: &mut Context, _key: &str, _call: &Call) -> Result<Known> {
        Ok(Known::Unresolvable)
    }

    /// The keys that [`Resources::condition`] can tell, as the reference writes them; a `*` at the
    /// end stands for the rest of a name. The coverage ledger reads them.
    fn condition_keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether something other than a policy gives the caller itself what it asks for: a grant of a
    /// KMS key, an access control list. It counts as an allow in the resource's policy.
    fn granted(
        &self,
        _cx: &mut Context,
        _requirement: &Requirement,
        _input: &dyn Input,
    ) -> Result<bool> {
        Ok(false)
    }

    /// Whether the resource control policies of the resource's account leave the requirement alone.
    fn beyond_rcps(&self, _cx: &mut Context, _requirement: &Requirement) -> Result<bool> {
        Ok(false)
    }

    /// The policy of an existing resource, and whether it must allow (KMS keys, role trust).
    fn policy(&self, _cx: &mut Context, _kind: &str, _arn: &str) -> Result<Option<ResourcePolicy>> {
        Ok(None)
    }
}

pub type Tags = Vec<(String, String)>;

/// The call that a condition key is asked for.
pub struct Call<'a> {
    pub action: &'a str,
    pub resource: &'a str,
    pub input: &'a dyn Input,
}

/// What is known of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// AWS would not fill it for this call either.
    Absent,
    One(String),
    Many(Vec<String>),
    /// AWS would know it and we do not: whatever hangs on it is denied.
    Unresolvable,
}

/// A policy attached to the resource itself.
#[derive(Clone, Debug)]
pub struct ResourcePolicy {
    pub document: String,
    /// The store's revision of the document that holds it; 0 for what is built in.
    pub revision: u64,
    /// Without an Allow here nobody gets in, whatever the identity policies say.
    pub must_allow: bool,
}

/// The resources of a service for which the defaults are right.
pub struct PlainResources;

impl Resources for PlainResources {}

#[cfg(test)]
mod tests;
