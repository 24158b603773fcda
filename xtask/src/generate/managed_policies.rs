//! The policies that AWS manages, some to a block.

use crate::Result;
use crate::generate::archive::Archive;
use crate::json::Json;
use std::path::Path;

/// How many documents share a block: enough to compress well, few enough to inflate at once.
const SHARED: usize = 16;

/// One block of the index holds all policies (name, path, default version, created, updated, number
/// of the block with the document); the others hold one document a line.
pub fn archive(models: &Path) -> Result<Vec<u8>> {
    let path = models.join("authorization/managed-policies.json.gz");
    let facts = crate::models::read_compressed(&path)?;
    let policies = facts.get("policies").map(Json::entries).unwrap_or_default();
    let mut list = String::new();
    for (index, (name, policy)) in policies.iter().enumerate() {
        let of = |key: &str| policy.text(key);
        let number = (index / SHARED + 1).to_string();
        let line =
            [name, of("Path"), of("DefaultVersionId"), of("CreateDate"), of("UpdateDate"), &number];
        list.push_str(&line.join("\t"));
        list.push('\n');
    }
    let mut archive = Archive::default();
    archive.add(&["list", facts.text("asOf")], &list)?;
    for (index, chunk) in policies.chunks(SHARED).enumerate() {
        let documents = chunk.iter().map(|(_, policy)| policy.get("Document"));
        let documents = documents.map(|document| format!("{}\n", document.unwrap_or(&Json::Null)));
        archive.add(&["documents", &index.to_string()], &documents.collect::<String>())?;
    }
    archive.finish()
}
