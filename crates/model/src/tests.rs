//! What must hold of everything generated.

use crate::{EVERY_SHAPE, SERVICES, authorization};
use palisade_shape::{Document, Kind, Member, Shape, Structure, Timestamp, Writer};
use std::collections::BTreeSet;

/// Counts what a value is made of, checking that each structure hands over what its table has.
#[derive(Default)]
struct Counter {
    structures: usize,
    scalars: usize,
}

impl Writer for Counter {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        self.structures += 1;
        assert_eq!(structure.members.len(), members.len(), "{}", structure.name);
        for member in members.iter().filter(|member| member.is_present()) {
            member.write(self);
        }
    }
    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        items.for_each(|item| item.write(self));
    }
    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        entries.for_each(|(_, value)| value.write(self));
    }
    fn string(&mut self, _: &str) {
        self.scalars += 1;
    }
    fn boolean(&mut self, _: bool) {
        self.scalars += 1;
    }
    fn integer(&mut self, _: i64) {
        self.scalars += 1;
    }
    fn float(&mut self, _: f64) {
        self.scalars += 1;
    }
    fn blob(&mut self, _: &[u8]) {
        self.scalars += 1;
    }
    fn timestamp(&mut self, _: Timestamp) {
        self.scalars += 1;
    }
    fn document(&mut self, _: &Document) {
        self.scalars += 1;
    }
}

#[test]
fn every_empty_value_can_be_written() {
    let mut counter = Counter::default();
    let mut shapes = 0;
    for shape in EVERY_SHAPE.iter().copied().flatten() {
        (shape.new)().write(&mut counter);
        shapes += 1;
    }
    // Required members of an empty value are written, and so are structures in structures.
    assert!(shapes > 2_000 && counter.structures > shapes, "{shapes} {}", counter.structures);
    assert!(counter.scalars > 500, "{}", counter.scalars);
}

/// Every structure that the operations of a service reach, each once.
fn reached() -> Vec<&'static Structure> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let operations = SERVICES.iter().flat_map(|service| service.operations);
    let errors = operations.clone().flat_map(|operation| operation.errors);
    let mut open: Vec<&Structure> = errors.filter_map(|error| error.structure).collect();
    open.extend(operations.flat_map(|operation| [operation.input, operation.output]));
    while let Some(structure) = open.pop() {
        if !seen.insert(std::ptr::from_ref(structure) as usize) {
            continue;
        }
        found.push(structure);
        open.extend(structure.members.iter().filter_map(held));
    }
    found
}

fn held(member: &'static Member) -> Option<&'static Structure> {
    match &member.target.kind {
        Kind::Structure(structure) => Some(structure),
        Kind::List(list) => held(&list.member),
        Kind::Map(map) => held(&map.value),
        _ => None,
    }
}

#[test]
fn every_table_knows_its_members() {
    let structures = reached();
    assert!(structures.len() > 2_600, "{}", structures.len());
    for structure in structures {
        for (index, member) in structure.members.iter().enumerate() {
            let name = structure.name;
            assert_eq!(structure.position(member.name), Some(index), "{name} {}", member.name);
            assert!(!(structure.union && member.is_required()), "{name}");
        }
        assert!(structure.payload.is_none_or(|index| index < structure.members.len()));
        assert_eq!(structure.position("no member is called so"), None);
    }
}

#[test]
fn services_and_operations_are_found_by_name() {
    assert!(SERVICES.is_sorted_by_key(|service| service.name));
    for service in SERVICES {
        assert!(!service.protocols.is_empty() && !service.signing_name.is_empty());
        for operation in service.operations {
            let found = service.operation(operation.name);
            assert!(found.is_some_and(|found| std::ptr::eq(found, *operation)));
        }
    }
}

#[test]
fn every_operation_has_rows_or_is_listed() {
    let mut without = Vec::new();
    for service in SERVICES {
        for operation in service.operations {
            if authorization::rows(service.name, operation.name).is_none() {
                without.push(format!("{} {}", service.name, operation.name));
            }
        }
    }
    // The list may only shrink: a line that has rows by now must go.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/authorization/without_rows.txt");
    let listed = std::fs::read_to_string(path).unwrap();
    let listed: Vec<&str> =
        listed.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(without, listed);
}

#[test]
fn recursive_shapes_hold_themselves() {
    let table = &crate::cloudwatch::structures::METRIC_STAT;
    assert!(table.position("Metric").is_some());
    let recursive = reached().into_iter().filter(|structure| {
        let mut open: Vec<&Structure> = structure.members.iter().filter_map(held).collect();
        let mut seen = BTreeSet::new();
        while let Some(inner) = open.pop() {
            if std::ptr::eq(inner, *structure) {
                return true;
            }
            if seen.insert(std::ptr::from_ref(inner) as usize) {
                open.extend(inner.members.iter().filter_map(held));
            }
        }
        false
    });
    let names: Vec<&str> = recursive.map(|structure| structure.name).collect();
    assert!(names.contains(&"HandshakeResource"), "{names:?}");
}
