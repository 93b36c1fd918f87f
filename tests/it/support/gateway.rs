//! The gateway as its users meet it: a process that is started, killed, restarted and stopped.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::programs::without_test_variables;
use super::{eventually, run};

const READY_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);
const EXIT_MAX: Duration = Duration::from_secs(2);

/// How a gateway is started; kept, so that it can be started again.
#[derive(Clone, Debug)]
pub(crate) struct GatewayCommand {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl GatewayCommand {
    /// `mezhved serve --config FOLDER`. The settings should name port 0, so that tests may run side by side.
    pub(crate) fn serve(config: &Path) -> Self {
        let arguments = vec!["serve".into(), "--config".into(), config.into()];
        Self { program: env!("CARGO_BIN_EXE_mezhved").into(), arguments, environment: Vec::new() }
    }

    /// Another program that says the same ready line.
    pub(crate) fn other(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        Self { program: program.into(), arguments, environment: Vec::new() }
    }

    /// Adds an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits for its ready line; panics with what it said when that does not come.
    pub(crate) fn start(self) -> Gateway {
        self.try_start().unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// Starts it and waits for its ready line; the error is the reason and all it said.
    pub(crate) fn try_start(self) -> Result<Gateway, String> {
        let log = Log::default();
        let (child, readers, ready) = self.spawn(&log);
        let mut gateway = Gateway { command: self, child, readers, addresses: Addresses::default(), log };
        match ready.recv_timeout(READY_MAX) {
            Ok(addresses) => {
                gateway.addresses = addresses;
                Ok(gateway)
            }
            Err(RecvTimeoutError::Timeout) => Err(gateway.give_up("it was not ready in time")),
            Err(RecvTimeoutError::Disconnected) => Err(gateway.give_up("it ended before it was ready")),
        }
    }

    fn spawn(&self, log: &Log) -> (Child, Vec<JoinHandle<()>>, Receiver<Addresses>) {
        let mut command = Command::new(&self.program);
        without_test_variables(&mut command).args(&self.arguments).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (sender, ready) = channel();
        let said = log.follow(child.stdout.take().unwrap(), Some(sender));
        let complained = log.follow(child.stderr.take().unwrap(), None);
        (child, vec![said, complained], ready)
    }
}

/// Where a running gateway listens, from its ready line
/// `ready agencies=http://127.0.0.1:PORT console=http://127.0.0.1:PORT`, and ` metrics=...` where the settings name such an address.
#[derive(Clone, Debug, Default)]
struct Addresses {
    agencies: String,
    console: String,
    metrics: Option<String>,
}

impl Addresses {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("ready ")?.split_whitespace();
        let agencies = words.next()?.strip_prefix("agencies=")?.to_owned();
        let console = words.next()?.strip_prefix("console=")?.to_owned();
        let metrics = words.next().and_then(|word| word.strip_prefix("metrics=")).map(str::to_owned);
        Some(Self { agencies, console, metrics })
    }
}

/// A running gateway; killed when dropped, and if the test failed its log is shown.
pub(crate) struct Gateway {
    command: GatewayCommand,
    child: Child,
    readers: Vec<JoinHandle<()>>,
    addresses: Addresses,
    log: Log,
}

impl Gateway {
    /// The agencies' address, `http://127.0.0.1:PORT`, without a slash at the end. It may change with a restart.
    pub(crate) fn agencies(&self) -> &str {
        &self.addresses.agencies
    }

    /// The console's address, like [`Gateway::agencies`].
    pub(crate) fn console(&self) -> &str {
        &self.addresses.console
    }

    /// The address for Prometheus, like [`Gateway::agencies`]; the settings must name one.
    pub(crate) fn metrics(&self) -> &str {
        self.addresses.metrics.as_deref().expect("metrics.listen is set")
    }

    /// Its process id. It changes with a restart.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said so far, over all restarts: standard output and standard error as they came.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Ends it as a power cut would (`kill -9`) and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_to_the_end();
    }

    /// Asks it to stop (SIGTERM) and waits; answers its exit status, none when a signal ended it.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        run(Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id()))).done();
        let status = eventually("the gateway's end after SIGTERM", STOP_MAX, || self.child.try_wait().unwrap());
        self.read_to_the_end();
        status.code()
    }

    /// Starts it again after [`Gateway::kill`] or [`Gateway::stop`], with the same settings and environment.
    pub(crate) fn restart(&mut self) {
        assert!(self.child.try_wait().unwrap().is_some(), "the gateway still runs; kill or stop it first");
        let (child, readers, ready) = self.command.spawn(&self.log);
        (self.child, self.readers) = (child, readers);
        self.addresses = match ready.recv_timeout(READY_MAX) {
            Ok(addresses) => addresses,
            Err(reason) => panic!("{}", self.give_up(&format!("it did not come back: {reason}"))),
        };
    }

    /// After the process: what it said last may still be on its way.
    fn read_to_the_end(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
    }

    fn give_up(&mut self, reason: &str) -> String {
        // A process that is ending closes its streams first: its own exit status is worth a moment's wait.
        let last_look = Instant::now() + EXIT_MAX;
        while self.child.try_wait().unwrap().is_none() && Instant::now() < last_look {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.read_to_the_end();
        let log = self.log.text();
        self.log.clear();
        format!("{:?}: {reason} ({status}); it said:\n{log}", self.command)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- the gateway said:\n{}---", self.log.text());
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Keeps every line of a stream, and reports the first that is a ready line.
    fn follow(&self, stream: impl Read + Send + 'static, mut ready: Option<Sender<Addresses>>) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                {
                    let mut text = log.0.lock().unwrap();
                    text.push_str(&line);
                    text.push('\n');
                }
                if let (Some(sender), Some(addresses)) = (&ready, Addresses::parse(&line)) {
                    sender.send(addresses).ok();
                    ready = None;
                }
            }
        })
    }
}
