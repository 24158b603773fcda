//! How much of the authorization table derives by rule. The figures may only get better.

use crate::generate::derive::{rows, takes_tags, variables};
use crate::generate::facts::Facts;

#[derive(Default, Debug)]
struct Figures {
    services: usize,
    operations: usize,
    with_rows: usize,
    same_name: usize,
    need_resource: usize,
    full_arn: usize,
    take_tags: usize,
    tag_member: usize,
    pass_role: usize,
}

#[test]
fn rows_cover_what_was_measured() {
    let facts = Facts::read(&crate::root().join("models")).unwrap();
    let mut figures = Figures::default();
    for (name, service) in &facts.services {
        let rows = rows(&facts, name, service).unwrap();
        figures.services += 1;
        figures.operations += service.operations.len();
        figures.with_rows += rows.len();
        let missing: Vec<&String> =
            service.operations.keys().filter(|operation| !rows.contains_key(*operation)).collect();
        if !missing.is_empty() {
            println!(
                "{name}: {} of {} without rows: {missing:?}",
                missing.len(),
                service.operations.len()
            );
        }
        for (operation, rows) in &rows {
            let Some(row) = rows.first() else { continue };
            let (prefix, action) = facts.action(&row.action).unwrap();
            figures.same_name += usize::from(action.name.eq_ignore_ascii_case(operation));
            figures.pass_role += usize::from(rows.iter().any(|row| row.action == "iam:PassRole"));
            if takes_tags(action) {
                figures.take_tags += 1;
                if !row.keys.iter().any(|(key, _)| key == "aws:TagKeys") {
                    println!("TAG {name} {operation}");
                }
                figures.tag_member +=
                    usize::from(row.keys.iter().any(|(key, _)| key == "aws:TagKeys"));
            }
            if row.resources.is_empty() {
                continue;
            }
            figures.need_resource += 1;
            let full = row.resources.iter().any(|resource| {
                let kind = resource.kind.to_ascii_lowercase();
                let template =
                    prefix.resources.get(&kind).map_or("", |found| found.template.as_str());
                let names = variables(template);
                let last = names.last().and_then(|last| {
                    resource.variables.iter().find(|(variable, _)| variable == last)
                });
                // An ARN replaces the whole template.
                let arn = last.is_some_and(|(_, path)| {
                    path.trim_end_matches(['[', ']']).to_lowercase().ends_with("arn")
                });
                arn || names.len() == resource.variables.len()
            });
            if !full {
                println!(
                    "ARN {name} {operation} {:?}",
                    row.resources.iter().map(|r| &r.kind).collect::<Vec<_>>()
                );
            }
            figures.full_arn += usize::from(full);
        }
    }
    println!("{figures:#?}");
    let percent = |part: usize, whole: usize| part as f64 * 100.0 / whole as f64;
    let same_name = percent(figures.same_name, figures.operations);
    let full_arn = percent(figures.full_arn, figures.need_resource);
    let tags = percent(figures.tag_member, figures.take_tags);
    println!("same name {same_name:.1} %, full ARN {full_arn:.1} %, tags {tags:.1} %");
    assert!(figures.services >= 424 && figures.operations >= 18_378);
    assert!(same_name >= 96.6, "{same_name}");
    // Filling parents (`OrganizationId`) from the resource's own name would give 89, wrongly.
    assert!(full_arn >= 85.9, "{full_arn}");
    assert!(tags >= 86.2, "{tags}");
}
