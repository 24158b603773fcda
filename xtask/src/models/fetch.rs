//! Takes the pinned packages through pip and npm into a temporary folder and proves their hashes.

use crate::Result;
use crate::models::read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The unpacked packages. Removed when dropped.
pub struct Packages {
    folder: PathBuf,
}

impl Packages {
    pub fn folder(&self, package: &str) -> PathBuf {
        self.folder.join(plain(package))
    }
}

impl Drop for Packages {
    fn drop(&mut self) {
        // A folder that stays behind under the system's temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn fetch(sources: &Path) -> Result<Packages> {
    let table: toml::Table =
        read(sources)?.parse().map_err(|error| format!("{}: {error}", sources.display()))?;
    let folder = std::env::temp_dir().join(format!("palisade-models-{}", std::process::id()));
    let packages = Packages { folder };
    for (name, source) in &table {
        let field = |key: &str| {
            let value = source.get(key).and_then(toml::Value::as_str);
            value.ok_or_else(|| format!("{}: {name} lacks {key}", sources.display()))
        };
        let target = packages.folder(name);
        std::fs::create_dir_all(&target).map_err(|e| format!("{}: {e}", target.display()))?;
        let pin = (name.as_str(), field("version")?, field("sha256")?);
        eprintln!("{} {}", pin.0, pin.1);
        match field("registry")? {
            "pypi" => from_pip(pin, &target)?,
            "npm" => from_npm(pin, &target)?,
            other => return Err(format!("{}: {other}: no such registry", sources.display())),
        }
    }
    Ok(packages)
}

/// (name, version, sha256)
type Pin<'a> = (&'a str, &'a str, &'a str);

fn from_pip((name, version, sha256): Pin<'_>, target: &Path) -> Result<()> {
    let pin = target.join("requirements.txt");
    crate::models::write(&pin, format!("{name}=={version} --hash=sha256:{sha256}\n").as_bytes())?;
    let mut pip = Command::new("pip");
    pip.args([
        "install",
        "--quiet",
        "--root-user-action=ignore",
        "--no-deps",
        "--no-compile",
        "--require-hashes",
    ]);
    pip.args(["--disable-pip-version-check", "--only-binary=:all:", "--target"]);
    run(pip.arg(target).arg("--requirement").arg(&pin))
}

fn from_npm((name, version, sha256): Pin<'_>, target: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"]).arg(target);
    run(npm.arg(format!("{name}@{version}")))?;
    let archive = target.join(format!("{}-{version}.tgz", plain(name)));
    let sums = target.join("sums");
    crate::models::write(&sums, format!("{sha256}  {}\n", archive.display()).as_bytes())?;
    run(Command::new("sha256sum").args(["--check", "--quiet", "--strict"]).arg(&sums))?;
    let mut tar = Command::new("tar");
    run(tar.args(["--extract", "--gzip", "--directory"]).arg(target).arg("--file").arg(&archive))
}

/// A package's name as npm writes it into file names: `@scope/name` is `scope-name`.
fn plain(package: &str) -> String {
    package.trim_start_matches('@').replace('/', "-")
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}
