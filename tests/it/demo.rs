//! `mezhved demo` as a newcomer meets it: one scenario on each store and transport, and the one that goes on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use sqlx::Connection as _;

use crate::support::{AmqpVhost, Finished, PostgresDatabase, eventually, mezhved, run};
use crate::world::Person;

const KEYS: [&str; 8] = ["accepted", "delivered", "answered", "receipts_verified", "opened", "met", "overdue", "lost"];
const END_MAX: Duration = Duration::from_secs(20);

/// Runs one scenario in a folder that is looked at afterwards, and holds its numbers to what must come out.
fn once(more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("demo");
    let arguments = [&["demo", "--once", "--json", "--keep", home.to_str().unwrap()], more].concat();
    let finished = mezhved(&arguments).done();
    check(&finished, &home);
    folder
}

fn check(finished: &Finished, home: &Path) {
    assert_eq!(finished.stdout.lines().count(), 1, "{finished}");
    let tally = finished.json();
    let keys: Vec<&str> = tally.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, KEYS, "{finished}");
    let number = |key: &str| tally[key].as_u64().unwrap_or_else(|| panic!("{key} is no integer: {finished}"));
    assert_eq!((number("lost"), number("overdue")), (0, 1), "{finished}");
    assert!(number("delivered") >= 10, "{finished}");
    assert_eq!(number("opened"), number("met") + 1, "{finished}");
    // The systems' own records, counted here once more.
    let receipted = receipted(home);
    assert_eq!(number("receipts_verified"), receipted, "{finished}");
    assert_eq!(number("accepted"), receipted, "{finished}");
    assert!(finished.stderr.contains("ПРОСРОЧЕНО"), "{finished}");
}

/// Lines of the systems' records that say that a receipt was verified.
fn receipted(home: &Path) -> u64 {
    let systems = std::fs::read_dir(home.join("systems")).unwrap();
    let texts = systems.map(|system| {
        let sent = std::fs::read_to_string(system.unwrap().path().join("sent.jsonl"));
        // The silent one has sent nothing.
        sent.unwrap_or_default()
    });
    texts.map(|text| text.matches("\"receipted\":true").count() as u64).sum()
}

fn file(folder: &tempfile::TempDir, path: &str) -> String {
    std::fs::read_to_string(folder.path().join("demo").join(path)).unwrap()
}

/// The channels by which a system's messages came to the gateway.
fn channels(folder: &tempfile::TempDir, sender: &str) -> Vec<String> {
    let url = format!("sqlite://{}", folder.path().join("demo/gateway/data/mezhved.db").display());
    let read = async {
        let mut store = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let query = sqlx::query_scalar("SELECT DISTINCT channel FROM messages WHERE sender = $1").bind(sender);
        query.fetch_all(&mut store).await.unwrap()
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read)
}

#[test]
fn one_scenario_on_sqlite_without_a_broker() {
    let folder = once(&[]);
    for agency in ["education", "police", "employment"] {
        assert!(file(&folder, &format!("gateway/participants/{agency}.toml")).contains("kind = \"mailbox\""));
    }
    assert!(file(&folder, "systems/police/received.jsonl").contains("document-request"));
    assert_eq!(file(&folder, "systems/police/sent.jsonl"), "");
    let home = folder.path().join("demo");
    let again = mezhved(&["demo", "--once", "--keep", home.to_str().unwrap()]);
    assert_eq!(again.status, Some(1), "{again}");
    assert!(again.stderr.contains("не пуста") && again.stderr.contains("is not empty"), "{again}");
}

#[test]
fn one_scenario_on_postgresql_which_must_be_empty() {
    let database = PostgresDatabase::create();
    once(&["--database", database.url()]);
    let again = mezhved(&["demo", "--once", "--json", "--database", database.url()]);
    assert_eq!((again.status, again.stdout.as_str()), (Some(1), ""), "{again}");
    assert!(again.stderr.contains("needs an empty one"), "{again}");
}

#[test]
fn one_scenario_with_rabbitmq_and_another_after_it() {
    let vhost = AmqpVhost::create();
    for round in 1..=2 {
        let folder = once(&["--amqp", vhost.url()]);
        for agency in ["education", "police"] {
            let participant = file(&folder, &format!("gateway/participants/{agency}.toml"));
            assert!(participant.contains("kind = \"amqp\""), "{round}: {participant}");
        }
        assert_eq!(channels(&folder, "education"), ["amqp"], "{round}");
        assert_eq!(channels(&folder, "employment"), ["http"], "{round}");
    }
}

#[test]
fn wrong_usage_is_told() {
    let finished = mezhved(&["demo", "--json"]);
    assert_eq!(finished.status, Some(2), "{finished}");
    assert!(finished.stderr.contains("--once"), "{finished}");
}

/// A demonstration that goes on, in a folder of its own.
pub(crate) struct Live {
    child: Child,
    lines: Receiver<String>,
    folder: PathBuf,
    /// Removes the folder in the end, where it is a temporary one.
    temporary: Option<tempfile::TempDir>,
}

impl Live {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut live = Self::keeping(&folder.path().join("demo"));
        live.temporary = Some(folder);
        live
    }

    /// One whose folder somebody else removes.
    pub(crate) fn keeping(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mezhved"));
        command.args(["demo", "--keep"]).arg(folder);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        Self { child, lines, folder: folder.to_owned(), temporary: None }
    }

    pub(crate) fn line_with(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|e| panic!("no `{text}`: {e}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The processes of the simulated systems that still run.
    fn systems(&self) -> usize {
        let folder = self.folder.to_str().unwrap().as_bytes();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let commands = processes.filter_map(|p| std::fs::read(p.path().join("cmdline")).ok());
        commands
            .filter(|c| c.windows(folder.len()).any(|w| w == folder))
            .filter(|c| c.windows(17).any(|words| words == b"partner\0simulate\0"))
            .count()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn it_goes_on_with_its_page_until_it_is_stopped() {
    let mut live = Live::start();
    let page = live.line_with("страница / page:");
    let address = page.split(": ").nth(1).unwrap();
    let told = live.lines.recv_timeout(Duration::from_secs(60)).unwrap();
    let words: Vec<&str> = told.split_whitespace().collect();
    let ["вход", "/", "sign", "in:", login, "пароль", "/", "password:", password] = words[..] else {
        panic!("{told}")
    };
    live.line_with("← register");
    live.line_with("ПРОСРОЧЕНО");
    let mut person = Person::nobody(address);
    assert_eq!(person.sign_in(login, password).status, 303, "{told}");
    let html = person.get("/").text;
    assert!(html.contains("Отдел полиции"), "{html}");
    // The district beside it has a past, with what is late in it; and one request could not be translated.
    let config = live.folder.join("gateway").to_str().unwrap().to_owned();
    let of = |arguments: &[&str]| mezhved(&[arguments, &["--config", &config, "--json"]].concat()).done().json();
    let late = of(&["deadline", "list", "--overdue"]);
    let late: Vec<&str> = late.as_array().unwrap().iter().filter_map(|row| row["debtor"].as_str()).collect();
    assert!(late.contains(&"provider-1") && late.contains(&"police"), "{late:?}");
    let stuck = of(&["message", "list", "--undelivered"]);
    let reasons = stuck.as_array().unwrap().iter().map(|row| &row["delivery"]["reason"]);
    assert_eq!(reasons.filter(|reason| **reason == "translation-failed").count(), 1, "{stuck}");
    live.line_with("✓ заявление");
    assert_eq!(live.systems(), 6);
    run(Command::new("sh").arg("-c").arg(format!("kill -TERM {}", live.child.id()))).done();
    let ended = eventually("the end after SIGTERM", END_MAX, || live.child.try_wait().unwrap());
    assert_eq!((ended.code(), live.systems()), (Some(0), 0));
}

#[test]
fn the_systems_end_with_a_demonstration_that_is_killed() {
    let mut live = Live::start();
    live.line_with("← register");
    assert_eq!(live.systems(), 6);
    live.child.kill().unwrap();
    live.child.wait().unwrap();
    eventually("the end of the simulated systems", END_MAX, || (live.systems() == 0).then_some(()));
}
