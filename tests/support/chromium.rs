//! A real browser with a virtual security key (`chromium.py`), ordered over a pipe.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/chromium.py");
/// Where distributions install it.
const BROWSERS: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

pub struct Chromium {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Chromium {
    /// None where there is none.
    pub fn start() -> Option<Chromium> {
        let browser = BROWSERS.into_iter().find(|path| Path::new(path).exists())?;
        let mut command = Command::new("python3");
        command.arg(DRIVER).arg(browser).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Some(Chromium { stdin: child.stdin.take(), child, stdout })
    }

    fn order(&mut self, order: Value) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{order}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("chromium.py ended at {order}"))
    }

    /// Opens a page, and answers its `url` and `text` when it is there.
    pub fn open(&mut self, url: &str) -> Value {
        self.order(json!({ "order": "open", "url": url }))
    }

    /// Clicks what leads to another page, and answers that; `posted` is the form that was sent.
    pub fn click(&mut self, selector: &str) -> Value {
        self.order(json!({ "order": "click", "selector": selector }))
    }

    pub fn type_into(&mut self, selector: &str, text: &str) {
        self.order(json!({ "order": "type", "selector": selector, "text": text }));
    }

    pub fn evaluate(&mut self, expression: &str) -> Value {
        self.order(json!({ "order": "evaluate", "expression": expression }))["value"].clone()
    }
}

impl Drop for Chromium {
    /// At the end of its input the driver ends the browser, and then itself.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended_already = self.child.wait();
    }
}
