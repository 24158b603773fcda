//! The policies that AWS manages: the published documents with their versions and dates.

use crate::Result;
use crate::json::Json;
use crate::models::{parse, write_compressed};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

pub fn update(moto: &Path, models: &Path) -> Result<()> {
    let path = moto.join("moto/iam/aws_managed_policies.py");
    // The module is one assignment of a JSON text, so Python itself reads it best.
    let script = "import runpy, sys; \
                  print(runpy.run_path(sys.argv[1])['aws_managed_policies_data'])";
    let output = Command::new("python3").args(["-c", script]).arg(&path).output();
    let output = output.map_err(|error| format!("python3: {error}"))?;
    let policies = parse(&path, &String::from_utf8_lossy(&output.stdout))?;
    let mut entries = policies.entries().to_vec();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let newest = entries.iter().map(|(_, policy)| policy.text("UpdateDate")).max();
    let newest = newest.ok_or_else(|| format!("{}: no policy", path.display()))?;
    let mut text = format!("{{\"asOf\":{},\n\"policies\":{{", Json::from(newest));
    for (index, (name, policy)) in entries.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}:{policy}", Json::from(name.as_str()));
    }
    text.push_str("\n}}\n");
    write_compressed(&models.join("authorization/managed-policies.json.gz"), &text)
}
