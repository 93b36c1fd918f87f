//! What differs between two sets of files, line by line.

use similar::{ChangeTag, TextDiff};

use crate::bundle::Files;
use crate::crypto::Certificate;

/// How many unchanged lines stand around a change.
const AROUND: usize = 3;

/// The most lines of one file's difference that are shown.
const LINES_MAX: usize = 2_000;

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileChange {
    /// The file.
    pub path: String,
    /// Whether it was there before.
    pub was: bool,
    /// Whether it is there after.
    pub is: bool,
    /// The lines around what differs. A certificate is shown as what it says.
    pub lines: Vec<DiffLine>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DiffLine {
    /// `-` taken out, `+` put in, a space: unchanged, `@`: lines are left out here.
    pub mark: char,
    /// The line without its end.
    pub text: String,
}

impl FileChange {
    /// The difference as a text.
    pub fn text(&self) -> String {
        let mut text = format!("--- {}\n+++ {}\n", self.name(self.was), self.name(self.is));
        for line in &self.lines {
            match line.mark {
                '@' => text.push_str("@@\n"),
                mark => text.push_str(&format!("{mark}{}\n", line.text)),
            }
        }
        text
    }

    fn name(&self, there: bool) -> &str {
        if there { &self.path } else { "/dev/null" }
    }
}

/// The files that differ, by path.
pub fn changes(before: &Files, after: &Files) -> Vec<FileChange> {
    let found = crate::gateway::differences(before, after);
    found
        .into_iter()
        .map(|d| FileChange {
            was: d.in_force.is_some(),
            is: d.in_folder.is_some(),
            lines: lines(&shown(d.in_force.as_deref()), &shown(d.in_folder.as_deref())),
            path: d.path,
        })
        .collect()
}

/// A file for reading.
fn shown(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return String::new() };
    match Certificate::from_pem(bytes) {
        Ok(certificate) => format!(
            "{}\nSHA-256 {}\n{} – {}\n",
            certificate.subject(),
            certificate.thumbprint(),
            certificate.not_before(),
            certificate.not_after()
        ),
        Err(_) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("({} bytes)\n", bytes.len()),
        },
    }
}

fn lines(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            lines.push(DiffLine { mark: '@', text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(DiffLine { mark, text: change.value().trim_end_matches(['\n', '\r']).to_owned() });
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        lines.push(DiffLine { mark: '@', text: String::new() });
    }
    lines
}
