//! What must hold of every service's table of operations.

use super::{Operation, Service};
use crate::SERVICES;
use std::collections::BTreeSet;

/// Operations of the services that are begun and not finished. The list may only shrink: a line of
/// an operation that is answered by now fails the test as much as a missing one.
const NOT_IMPLEMENTED: &str = include_str!("../not_implemented.txt");

#[test]
fn every_row_is_of_the_model_and_has_its_shapes() {
    for service in SERVICES {
        for row in service.operations {
            let Operation { name, handler, .. } = row;
            let modelled = service.model.operation(name);
            let modelled =
                modelled.unwrap_or_else(|| panic!("{} has no {name}", service.model.name));
            let (input, output) = handler.structures();
            assert_eq!(input.name, modelled.input.name, "{name}: input");
            assert_eq!(output.name, modelled.output.name, "{name}: output");
        }
    }
}

#[test]
fn no_operation_has_two_rows() {
    for service in SERVICES {
        let names: BTreeSet<&str> = service.operations.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), service.operations.len(), "{}", service.model.name);
    }
}

/// Whether an operation that is here answers the very same requests: S3 replaced
/// `GetBucketLifecycle` by `GetBucketLifecycleConfiguration`, and others likewise.
fn has_successor(service: &Service, old: &palisade_shape::Operation) -> bool {
    service.operations.iter().any(|row| {
        let new = service.model.operation(row.name).unwrap();
        let same = new.method == old.method && new.uri == old.uri;
        same && !old.uri.is_empty() && new.name.len() > old.name.len() && {
            new.name.starts_with(old.name)
        }
    })
}

#[test]
fn what_is_not_implemented_is_listed_and_the_list_only_shrinks() {
    let mut missing = Vec::new();
    for service in SERVICES {
        for operation in service.model.operations {
            if service.operation(operation.name).is_none() && !has_successor(service, operation) {
                missing.push(format!("{} {}", service.model.name, operation.name));
            }
        }
    }
    let listed: Vec<&str> = NOT_IMPLEMENTED.lines().collect();
    assert_eq!(missing, listed);
}
