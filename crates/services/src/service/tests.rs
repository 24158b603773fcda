//! What must hold of every service's table of operations.

use super::Operation;
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

#[test]
fn what_is_not_implemented_is_listed_and_the_list_only_shrinks() {
    let mut missing = Vec::new();
    for service in SERVICES {
        for operation in service.model.operations {
            if service.operation(operation.name).is_none() {
                missing.push(format!("{} {}", service.model.name, operation.name));
            }
        }
    }
    let listed: Vec<&str> = NOT_IMPLEMENTED.lines().collect();
    assert_eq!(missing, listed);
}
