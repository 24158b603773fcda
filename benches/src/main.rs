//! What `cargo xtask bench` runs.
//!
//! `palisade-benches run PALISADE [--page FILE] [SECTION…]` measures and prints; with `--page` the
//! tables are also written there. The other subcommands are servers that it starts itself.

mod bare;
mod cedar;
mod decisions;
mod keys;
mod listing;
mod load;
mod memory;
mod objects;
mod organizations;
mod process;
mod report;
mod requests;
mod sign;
mod start;
mod writes;

use sign::AccessKey;
use std::path::Path;
use std::process::ExitCode;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SECTIONS: [&str; 7] =
    ["decisions", "requests", "writes", "objects", "keys", "organizations", "start"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["bare", address] => bare::serve(address, None),
        ["signed", address, id, secret] => {
            let key = AccessKey { id: (*id).to_owned(), secret: (*secret).to_owned() };
            bare::serve(address, Some(key))
        }
        ["run", palisade, "--page", page, sections @ ..] => {
            measure(Path::new(palisade), Some(Path::new(page)), sections)
        }
        ["run", palisade, sections @ ..] => measure(Path::new(palisade), None, sections),
        _ => Err("usage: palisade-benches run PALISADE [--page FILE] [SECTION…]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(palisade: &Path, page: Option<&Path>, sections: &[&str]) -> Result<()> {
    if let Some(unknown) = sections.iter().find(|section| !SECTIONS.contains(section)) {
        return Err(format!("no section {unknown}; there are {}", SECTIONS.join(", ")).into());
    }
    // Beside the binary: a disk like that of the server, never a file system in memory.
    let beside = palisade.parent().ok_or("where is the binary?")?;
    let folder = tempfile::Builder::new().prefix("bench-data").tempdir_in(beside)?;
    let mut text = String::new();
    let mut goals = Vec::new();
    for section in SECTIONS {
        if !sections.is_empty() && !sections.contains(&section) {
            continue;
        }
        let tables = match section {
            "decisions" => vec![
                decisions::statements()?,
                decisions::conditions()?,
                decisions::kinds()?,
                decisions::principals()?,
                memory::compiling()?,
                memory::floor()?,
            ],
            "requests" => requests::run(palisade, folder.path())?,
            "writes" => vec![writes::run(palisade, folder.path())?],
            "objects" => vec![
                objects::small(palisade, folder.path())?,
                objects::large(palisade, folder.path())?,
                objects::multipart(palisade, folder.path())?,
                listing::run(palisade, folder.path())?,
            ],
            "keys" => vec![keys::run(palisade, folder.path())?],
            "organizations" => vec![organizations::run(palisade, folder.path())?],
            _ => vec![start::run(palisade, folder.path())?],
        };
        for mut table in tables {
            goals.append(&mut table.goals);
            show(&table, &mut text);
        }
    }
    show(&report::goals(&goals), &mut text);
    if let Some(page) = page {
        std::fs::write(page, format!("{}\n{}", introduction()?, text.trim_end()) + "\n")?;
    }
    Ok(())
}

fn show(table: &report::Table, text: &mut String) {
    let table = table.render();
    println!("{table}");
    text.push_str(&table);
    text.push('\n');
}

fn introduction() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let processor = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or_default().trim_start_matches(['\t', ' ', ':']);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').nth(1).unwrap_or_default();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    Ok(format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench` on {day}: {cores} cores ({model}), Linux {}, load average \
         of five minutes at the end {load}.\n\
         Server, peers and load generator share these cores and talk over loopback, without TLS. \
         Rates are medians of three interleaved rounds; decisions are the fastest of many short \
         runs. \"Server CPU each\" is processor time of the server's process for each request, \
         which other work on the machine disturbs least.\n",
        kernel.trim()
    ))
}
