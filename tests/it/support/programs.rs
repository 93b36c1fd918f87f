//! Running a program to its end: the command line of mezhved, Python with the second signers, and others.

use std::fmt;
use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{eventually, variable};

/// A program that hangs fails its test instead of the whole run.
const PROGRAM_MAX: Duration = Duration::from_secs(300);

/// What a program left when it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    command: String,
    /// The exit status; none when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Itself, when the exit status is 0.
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, Some(0), "{self}");
        self
    }

    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, stdout, stderr } = self;
        write!(f, "{command}\nexit status: {status:?}\nstandard output:\n{stdout}\nstandard error:\n{stderr}")
    }
}

/// Runs `mezhved` with these arguments.
pub(crate) fn mezhved(arguments: &[&str]) -> Finished {
    run(Command::new(env!("CARGO_BIN_EXE_mezhved")).args(arguments))
}

/// Runs a Python script that may import lxml, signxml and cryptography.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Finished {
    run(Command::new(variable("MEZHVED_TEST_PYTHON")).arg("-c").arg(script).args(arguments))
}

/// Runs `mezhved` with these arguments and a line on standard input.
pub(crate) fn mezhved_told(arguments: &[&str], line: &str) -> Finished {
    run_with(Command::new(env!("CARGO_BIN_EXE_mezhved")).args(arguments), Some(line))
}

/// Runs any command to its end, without input and without the tests' own variables.
pub(crate) fn run(command: &mut Command) -> Finished {
    run_with(command, None)
}

fn run_with(command: &mut Command, line: Option<&str>) -> Finished {
    let name = format!("{command:?}");
    let child = without_test_variables(command)
        .stdin(if line.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    let mut child = KilledOnDrop(child);
    if let Some(line) = line {
        // A program that refuses at once does not read it.
        writeln!(child.0.stdin.take().unwrap(), "{line}").ok();
    }
    let stdout = read_aside(child.0.stdout.take().unwrap());
    let stderr = read_aside(child.0.stderr.take().unwrap());
    let status = eventually(&format!("the end of {name}"), PROGRAM_MAX, || child.0.try_wait().unwrap());
    Finished { command: name, status: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// So that a program that hangs does not outlive the test that gave up on it.
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The gateway takes settings from the environment; the tests' variables are none and must not look like some.
pub(super) fn without_test_variables(command: &mut Command) -> &mut Command {
    let ours = ["POSTGRES", "AMQP", "RABBITMQCTL", "RABBITMQ_RESTART", "PYTHON"];
    for name in ours {
        command.env_remove(format!("MEZHVED_TEST_{name}"));
    }
    command
}

fn read_aside(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
