//! The AWS APIs as Rust types and tables, generated from the facts under `models/`.
//!
//! One module a service holds its structures, its enumerations' values, its errors and its
//! [`palisade_shape::Service`] with every operation. Nothing here does anything: the protocols read
//! the tables, the services use the types. For all of AWS, [`catalog`] names the operations,
//! [`authorization`] says which actions, resources and condition keys they mean, and
//! [`managed_policies`] holds the policies that AWS publishes.

mod archive;
pub mod authorization;
pub mod catalog;
mod generated;
pub mod managed_policies;
mod table;
#[cfg(test)]
mod tests;

pub use generated::*;

/// A structure without its type: its table, and how to make an empty one.
#[cfg(any(test, feature = "every-shape"))]
pub struct AnyShape {
    pub structure: &'static palisade_shape::Structure,
    pub new: fn() -> Box<dyn palisade_shape::Shape>,
}

#[cfg(any(test, feature = "every-shape"))]
impl AnyShape {
    const fn of<T: palisade_shape::Named>() -> AnyShape {
        AnyShape { structure: T::STRUCTURE, new: || Box::new(T::default()) }
    }
}
