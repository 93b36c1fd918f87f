//! Why a command ended with status 1.

use std::error::Error;
use std::{fmt, io};

/// The reason, with the whole chain of causes, for standard error.
#[derive(Debug)]
pub struct Failure {
    text: String,
    broken_pipe: bool,
}

impl Failure {
    /// A failure with its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), broken_pipe: false }
    }

    /// A failure with what was being done and the chain of its cause.
    pub fn of(doing: &str, error: &(dyn Error + 'static)) -> Self {
        Self::chain(format!("{doing}: {error}"), error)
    }

    /// Whether the command only ended because nobody reads its output any more.
    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    fn chain(mut text: String, error: &(dyn Error + 'static)) -> Self {
        let mut broken_pipe = false;
        let mut next = Some(error);
        while let Some(cause) = next {
            let io = cause.downcast_ref::<io::Error>();
            broken_pipe |= io.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe);
            next = cause.source();
            if let Some(deeper) = next {
                text.push_str(&format!(": {deeper}"));
            }
        }
        Self { text, broken_pipe }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::chain(error.to_string(), &error)
    }
}
