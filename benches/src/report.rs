//! Tables, on the terminal and in Markdown, which are the same text.

use std::fmt::Write;

/// A goal of the project and what was measured of it.
pub struct Goal {
    pub name: &'static str,
    pub wanted: &'static str,
    pub measured: String,
    /// Measured by wanted, the larger the better: 1.0 and more is met.
    pub share: f64,
}

/// The goals as a table, with how much is missing where one is missed.
pub fn goals(goals: &[Goal]) -> Table {
    let mut table = Table::new("Goals", &["goal", "wanted", "measured", "verdict"]);
    for Goal { name, wanted, measured, share } in goals {
        let verdict = match *share {
            1.0.. => "met".to_owned(),
            share => format!("**missed**: {} of it", percent(share)),
        };
        let (name, wanted) = ((*name).to_owned(), (*wanted).to_owned());
        table.row(&[name, wanted, measured.clone(), verdict]);
    }
    table
}

pub struct Table {
    title: &'static str,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    pub goals: Vec<Goal>,
}

impl Table {
    pub fn new(title: &'static str, head: &[&str]) -> Self {
        let head = head.iter().map(|&text| text.to_owned()).collect();
        Self { title, rows: vec![head], notes: Vec::new(), goals: Vec::new() }
    }

    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub fn goal(&mut self, name: &'static str, wanted: &'static str, measured: String, share: f64) {
        self.goals.push(Goal { name, wanted, measured, share });
    }

    pub fn render(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = format!("## {}\n\n", self.title);
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
            // Writing to a string does not fail.
            let _written = writeln!(text, "| {} |", line.join(" | "));
            if index == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                let _written = writeln!(text, "| {} |", rule.join(" | "));
            }
        }
        for note in &self.notes {
            let _written = write!(text, "\n{note}\n");
        }
        text
    }
}

pub fn nanos(value: f64) -> String {
    format!("{value:.0} ns")
}

pub fn micros(value: f64) -> String {
    match value {
        ..100.0 => format!("{value:.1} µs"),
        100.0..10_000.0 => format!("{value:.0} µs"),
        _ => format!("{:.1} ms", value / 1_000.0),
    }
}

pub fn times(value: f64) -> String {
    format!("{value:.1} ×")
}

pub fn percent(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

/// A count with its thousands apart.
pub fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle of the values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
