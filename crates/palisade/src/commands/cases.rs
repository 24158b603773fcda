//! Decision cases, one a line, answered on all cores in the order in which they came.

use palisade_policy::evaluate_case;
use std::io::{BufRead, Write};
use std::num::NonZero;
use std::thread;

/// Fewer lines than these are not worth another thread.
const LINES_EACH_MIN: usize = 32;

/// Answers all cases. What has come is answered before more is waited for.
pub fn answer(input: &mut dyn BufRead, out: &mut dyn Write) -> Result<(), String> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let mut batch = Vec::new();
    let mut before = 0;
    while fill(input, &mut batch)? {
        let text = batch.strip_suffix(b"\n").unwrap_or(&batch);
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let each = lines.len().div_ceil(workers).max(LINES_EACH_MIN);
        let parts: Vec<Part> = match lines.len() <= each {
            true => vec![Part::of(&lines)],
            false => thread::scope(|scope| {
                let parts = lines.chunks(each).map(|part| scope.spawn(move || Part::of(part)));
                let running: Vec<_> = parts.collect();
                running.into_iter().map(|part| part.join().unwrap_or_default()).collect()
            }),
        };
        for (number, part) in parts.into_iter().enumerate() {
            out.write_all(&part.answers).map_err(|error| error.to_string())?;
            if let Some((index, why)) = part.failed {
                return Err(format!("line {}: {why}", before + number * each + index + 1));
            }
            if part.asked != lines.len().saturating_sub(number * each).min(each) {
                return Err("a case could not be evaluated".to_owned());
            }
        }
        out.flush().map_err(|error| error.to_string())?;
        before += lines.len();
    }
    Ok(())
}

/// Some consecutive lines and their answers.
#[derive(Default)]
struct Part {
    answers: Vec<u8>,
    asked: usize,
    /// The first line that is no case, counted from 0, and why.
    failed: Option<(usize, String)>,
}

impl Part {
    fn of(lines: &[&[u8]]) -> Self {
        let mut part = Self::default();
        for (index, line) in lines.iter().enumerate() {
            if let Err(why) = part.add(line) {
                part.failed = Some((index, why));
                break;
            }
            part.asked += 1;
        }
        part
    }

    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        if line.trim().is_empty() {
            return Ok(());
        }
        let answer = evaluate_case(line).map_err(|error| error.to_string())?;
        serde_json::to_writer(&mut self.answers, &answer).map_err(|error| error.to_string())?;
        self.answers.push(b'\n');
        Ok(())
    }
}

/// Reads the whole lines that are there, at least one; false at the end.
fn fill(input: &mut dyn BufRead, batch: &mut Vec<u8>) -> Result<bool, String> {
    batch.clear();
    loop {
        let data = input.fill_buf().map_err(|error| error.to_string())?;
        let read = data.len();
        if read == 0 {
            return Ok(!batch.is_empty());
        }
        let whole = data.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        let taken = whole.unwrap_or(read);
        batch.extend_from_slice(data.get(..taken).unwrap_or_default());
        input.consume(taken);
        if whole.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn case(id: usize) -> String {
        format!(
            r#"{{"id":"{id}","principal":{{"type":"root","account":"111122223333"}},
            "action":"iam:GetUser"}}"#
        )
        .replace('\n', " ")
    }

    fn answers(text: &str, buffer: usize) -> (Vec<String>, Result<(), String>) {
        let mut out = Vec::new();
        let result = answer(&mut BufReader::with_capacity(buffer, text.as_bytes()), &mut out);
        let text = String::from_utf8(out).unwrap();
        (text.lines().map(str::to_owned).collect(), result)
    }

    #[test]
    fn answers_keep_the_order_whatever_the_buffer() {
        let cases: Vec<String> = (0..500).map(case).collect();
        for (text, buffer) in [
            (cases.join("\n"), 16),
            (cases.join("\n") + "\n", 4096),
            (cases.join("\n\n") + "\n\n", 1 << 20),
        ] {
            let (lines, result) = answers(&text, buffer);
            assert_eq!((lines.len(), result), (500, Ok(())));
            for (id, line) in lines.iter().enumerate() {
                assert!(line.starts_with(&format!(r#"{{"id":"{id}","#)), "{line}");
            }
        }
        assert_eq!(answers("", 16), (Vec::new(), Ok(())));
    }

    #[test]
    fn a_line_that_is_no_case_is_named() {
        let mut cases: Vec<String> = (0..300).map(case).collect();
        cases[257] = "{}".to_owned();
        for buffer in [64, 1 << 20] {
            let (lines, result) = answers(&cases.join("\n"), buffer);
            assert_eq!(lines.len(), 257);
            assert!(result.unwrap_err().starts_with("line 258: "), "buffer {buffer}");
        }
    }
}
