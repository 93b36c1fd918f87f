//! The scanner of uploaded files: a program of the administrator's, asked by its exit status.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

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

/// Runs the scanner (the program, then its arguments) with the file's path as the last argument. Without a program every file is clean.
pub async fn scan(command: &[String], file: &Path, within: Duration) -> Scan {
    let Some((program, arguments)) = command.split_first() else { return Scan::Clean };
    let mut command = Command::new(program);
    command.args(arguments).arg(file).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = match tokio::time::timeout(within, command.status()).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Scan::Unknown(format!("the scanner does not start: {error}")),
        Err(_) => return Scan::Unknown(format!("the scanner did not end within {} s", within.as_secs())),
    };
    match status.code() {
        Some(0) => Scan::Clean,
        Some(1) => Scan::Refused,
        Some(_) | None => Scan::Unknown(format!("the scanner ended with {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn its_status_decides() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let run = async |script: &str, within_ms: u64| {
            let command = ["sh", "-c", script, "scanner"].map(str::to_owned);
            scan(&command, file.path(), Duration::from_millis(within_ms)).await
        };
        assert_eq!(scan(&[], file.path(), Duration::ZERO).await, Scan::Clean);
        assert_eq!(run("test -f \"$1\"", 60_000).await, Scan::Clean);
        assert_eq!(run("exit 1", 60_000).await, Scan::Refused);
        assert!(matches!(run("exit 2", 60_000).await, Scan::Unknown(why) if why.contains("exit status: 2")));
        assert!(matches!(run("kill -9 $$", 60_000).await, Scan::Unknown(_)));
        assert!(matches!(run("exec sleep 60", 50).await, Scan::Unknown(why) if why.contains("did not end")));
        let absent = ["/nowhere/scanner".to_owned()];
        assert!(
            matches!(scan(&absent, file.path(), Duration::from_secs(1)).await, Scan::Unknown(why) if why.contains("start"))
        );
    }
}
