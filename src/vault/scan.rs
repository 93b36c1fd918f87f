//! The scanner of uploaded files: a program of the administrator's, asked by its exit status.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};

/// What the scanner is told to look at where the bytes come by its standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// What the scanner says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Status 0.
    Clean,
    /// Status 1.
    Refused,
    /// It could not say: another status, a signal, too long, not there.
    Unknown(String),
}

/// The scanner. Without a program every file is clean.
#[derive(Debug, Clone)]
pub struct Scanner {
    command: Vec<String>,
    within: Duration,
}

impl Scanner {
    /// The program, then its arguments, and how long it may take.
    pub fn new(command: Vec<String>, within: Duration) -> Self {
        Self { command, within }
    }

    /// No program.
    pub fn none() -> Self {
        Self::new(Vec::new(), Duration::ZERO)
    }

    pub(super) fn is_none(&self) -> bool {
        self.command.is_empty()
    }

    /// The command that looks at what is at a path, given as its last argument. `None`: no program.
    fn command(&self, path: &Path) -> Option<Command> {
        let (program, arguments) = self.command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).arg(path).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }

    /// Runs the program with the file's path as its last argument.
    pub(super) async fn look_at(&self, file: &Path) -> Scan {
        let Some(mut command) = self.command(file) else { return Scan::Clean };
        match tokio::time::timeout(self.within, command.status()).await {
            Ok(Ok(status)) => said(status),
            Ok(Err(error)) => does_not_start(&error),
            Err(_) => did_not_end(self.within),
        }
    }

    /// Starts the program with `/dev/stdin` as the path: it gets the bytes as they come. `None`: no program.
    pub(super) fn feed(&self) -> Option<Feed> {
        let mut command = self.command(Path::new(STANDARD_INPUT))?;
        let within = self.within;
        Some(match command.stdin(Stdio::piped()).spawn() {
            Ok(mut child) => Feed { input: child.stdin.take(), state: Ok(child), within },
            Err(error) => Feed { input: None, state: Err(does_not_start(&error)), within },
        })
    }
}

/// A scanner that gets a file's bytes as they come. Dropped, it is ended.
pub(super) struct Feed {
    input: Option<ChildStdin>,
    state: Result<Child, Scan>,
    within: Duration,
}

impl Feed {
    /// Hands it the next bytes. What goes wrong is told at the end.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        let Some(input) = &mut self.input else { return };
        match tokio::time::timeout(self.within, input.write_all(bytes)).await {
            Ok(Ok(())) => {}
            // It reads no further: it has seen enough, and its status says what.
            Ok(Err(_)) => self.input = None,
            Err(_) => {
                self.input = None;
                self.state = Err(Scan::Unknown(format!("the scanner took nothing for {} s", self.within.as_secs())));
            }
        }
    }

    /// Ends the bytes and hears what it says.
    pub(super) async fn finish(mut self) -> Scan {
        drop(self.input.take());
        let mut child = match self.state {
            Ok(child) => child,
            Err(scan) => return scan,
        };
        match tokio::time::timeout(self.within, child.wait()).await {
            Ok(Ok(status)) => said(status),
            Ok(Err(error)) => Scan::Unknown(format!("the scanner is lost: {error}")),
            Err(_) => did_not_end(self.within),
        }
    }
}

fn said(status: ExitStatus) -> Scan {
    match status.code() {
        Some(0) => Scan::Clean,
        Some(1) => Scan::Refused,
        Some(_) | None => Scan::Unknown(format!("the scanner ended with {status}")),
    }
}

fn does_not_start(error: &std::io::Error) -> Scan {
    Scan::Unknown(format!("the scanner does not start: {error}"))
}

fn did_not_end(within: Duration) -> Scan {
    Scan::Unknown(format!("the scanner did not end within {} s", within.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(script: &str, within_ms: u64) -> Scanner {
        let command = ["sh", "-c", script, "scanner"].map(str::to_owned).to_vec();
        Scanner::new(command, Duration::from_millis(within_ms))
    }

    #[tokio::test]
    async fn its_status_decides() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let run = async |script: &str, within_ms: u64| scanner(script, within_ms).look_at(file.path()).await;
        assert_eq!(Scanner::none().look_at(file.path()).await, Scan::Clean);
        assert_eq!(run("test -f \"$1\"", 60_000).await, Scan::Clean);
        assert_eq!(run("exit 1", 60_000).await, Scan::Refused);
        assert!(matches!(run("exit 2", 60_000).await, Scan::Unknown(why) if why.contains("exit status: 2")));
        assert!(matches!(run("kill -9 $$", 60_000).await, Scan::Unknown(_)));
        assert!(matches!(run("exec sleep 60", 50).await, Scan::Unknown(why) if why.contains("did not end")));
        let absent = Scanner::new(vec!["/nowhere/scanner".to_owned()], Duration::from_secs(1));
        assert!(matches!(absent.look_at(file.path()).await, Scan::Unknown(why) if why.contains("start")));
    }

    #[tokio::test]
    async fn fed_it_sees_every_byte_and_its_status_decides_too() {
        let run = async |script: &str, within_ms: u64, bytes: usize| {
            let mut feed = scanner(script, within_ms).feed().unwrap();
            let block = [b'x'; 1000];
            for _ in 0..bytes / block.len() {
                feed.write(&block).await;
            }
            feed.finish().await
        };
        let counts = |n: usize| format!("test $(wc -c < \"$1\") -eq {n}");
        assert_eq!(run(&counts(300_000), 60_000, 300_000).await, Scan::Clean);
        assert_eq!(run(&counts(300_000), 60_000, 299_000).await, Scan::Refused);
        // It has seen enough long before the end.
        assert_eq!(run("head -c 1 \"$1\" >&2; exit 1", 60_000, 3_000_000).await, Scan::Refused);
        assert!(matches!(run("exit 2", 60_000, 1_000).await, Scan::Unknown(why) if why.contains("exit status: 2")));
        assert!(matches!(run("exec sleep 60", 50, 1_000).await, Scan::Unknown(why) if why.contains("did not end")));
        assert!(
            matches!(run("exec sleep 60", 50, 3_000_000).await, Scan::Unknown(why) if why.contains("took nothing"))
        );
        assert!(Scanner::none().feed().is_none());
        let absent = Scanner::new(vec!["/nowhere/scanner".to_owned()], Duration::from_secs(1)).feed().unwrap();
        assert!(matches!(absent.finish().await, Scan::Unknown(why) if why.contains("start")));
    }
}
