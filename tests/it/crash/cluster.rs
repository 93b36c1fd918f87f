//! `scripts/cluster`: the topology of `docker/compose.yaml` as plain processes. One node is killed under load.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mezhved::crypto::Certificate;

use super::LOAD_MAX;
use super::load::Load;
use crate::support::{AmqpVhost, PostgresDatabase, eventually, run};
use crate::world::{Agency, RUNTIME, Wire, bodies};

const MESSAGES: usize = 240;
/// The longest that the jobs of a dead node may lie: its lease of 6 seconds, and the look of the other one; a busy machine adds to it.
const TAKEN_OVER_MAX: Duration = Duration::from_secs(30);

/// The running script and what it said.
struct Cluster {
    script: Child,
    folder: PathBuf,
    said: BTreeMap<String, String>,
    database: PostgresDatabase,
    _broker: AmqpVhost,
    _temporary: tempfile::TempDir,
}

impl Cluster {
    fn start() -> Self {
        let (broker, database) = (AmqpVhost::create(), PostgresDatabase::create());
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("cluster");
        let mut script = Command::new(format!("{}/scripts/cluster", env!("CARGO_MANIFEST_DIR")))
            .args(["--database", database.url(), "--broker", broker.url(), "--folder", folder.to_str().unwrap()])
            .env("MEZHVED", env!("CARGO_BIN_EXE_mezhved"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first word, and the rest of the line; `ready` is the last.
        let lines = BufReader::new(script.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())))
            .collect_until("ready");
        let cluster = Self { script, folder, said, database, _broker: broker, _temporary: temporary };
        assert!(cluster.said.contains_key("ready"), "{}", cluster.logs());
        cluster
    }

    fn address(&self) -> &str {
        self.said["ready"].strip_prefix("balancer=").unwrap()
    }

    fn pid(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("{name}.pid"))).unwrap()
    }

    fn logs(&self) -> String {
        let name = |name: &str| std::fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default();
        let usual = |line: &&str| {
            ["accepted", "received", "started"].iter().all(|e| !line.contains(&format!("\"event\":\"{e}\"")))
        };
        let systems = ["register", "guardianship", "police", "employment"].map(name);
        let systems: Vec<&str> = systems.iter().flat_map(|log| log.lines().filter(usual)).collect();
        format!(
            "{:?}\n--- gateway-1\n{}\n--- gateway-2\n{}\n--- balancer\n{}\n--- systems\n{}",
            self.said,
            name("gateway-1"),
            name("gateway-2"),
            name("balancer"),
            systems.join("\n")
        )
    }

    fn text(&self, query: &'static str) -> Option<String> {
        self.value(query)
    }

    fn number(&self, query: &'static str) -> i64 {
        self.value(query).unwrap()
    }

    fn value<T>(&self, query: &'static str) -> Option<T>
    where
        T: Send + Unpin + 'static,
        (T,): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        use sqlx::Connection as _;
        let url = self.database.url().to_owned();
        RUNTIME.block_on(async move {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            sqlx::query_scalar(query).fetch_optional(&mut connection).await.unwrap()
        })
    }
}

/// Takes lines until one of this name has come.
trait CollectUntil: Iterator<Item = (String, String)> + Sized {
    fn collect_until(self, last: &str) -> BTreeMap<String, String> {
        let mut said = BTreeMap::new();
        for (name, rest) in self {
            let is_last = name == last;
            said.insert(name, rest);
            if is_last {
                break;
            }
        }
        said
    }
}

impl<I: Iterator<Item = (String, String)>> CollectUntil for I {}

impl Drop for Cluster {
    fn drop(&mut self) {
        run(Command::new("kill").args(["-TERM", &self.script.id().to_string()]));
        let ended = eventually("the end of scripts/cluster", LOAD_MAX, || self.script.try_wait().unwrap());
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        } else {
            assert_eq!(ended.code(), Some(143));
        }
    }
}

fn certificate(path: &Path) -> Certificate {
    Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_cluster_delivers_everything_although_the_node_that_watches_is_killed() {
    let cluster = Cluster::start();
    let keys = cluster.folder.join("config/keys");
    let wire = Wire::at(cluster.address(), certificate(&keys.join("gateway.cert.pem")));
    let register = Agency::read(&keys, "register");
    // Over HTTP, RabbitMQ and the mailbox.
    let kinds = [
        ("guardianship", "guardianship-act"),
        ("police", "criminal-record"),
        ("employment", "unemployment-registration"),
    ];
    let drafts = kinds
        .iter()
        .cycle()
        .take(MESSAGES)
        .map(|(to, kind)| register.draft(to, "document-request", bodies::request(kind)));
    let load = Load::start(drafts.map(|draft| register.sign(&draft)).collect(), wire);

    let watcher = "SELECT owner FROM leases WHERE name = 'watcher'";
    let first = eventually("a watcher", LOAD_MAX, || cluster.text(watcher));
    eventually("a third of the receipts", LOAD_MAX, || (load.acknowledged() >= MESSAGES / 3).then_some(()));
    assert!(load.acknowledged() < MESSAGES, "killed while senders were at work");
    run(Command::new("kill").args(["-KILL", &cluster.pid(&first)])).done();
    let killed = Instant::now();
    let next = eventually("another watcher", TAKEN_OVER_MAX, || cluster.text(watcher).filter(|owner| *owner != first));
    eprintln!("{next} watches {:?} after {first} was killed", killed.elapsed());
    eventually("a receipt for every message", LOAD_MAX, || (load.acknowledged() == MESSAGES).then_some(()));
    assert_eq!(load.failed_tries(), 0, "behind the balancer nobody sees a node die");
    load.finish();
    let left = "SELECT COUNT(*) FROM deliveries WHERE state NOT IN ('delivered') AND record_id IN \
                (SELECT record_id FROM messages WHERE type_name = 'document-request')";
    eventually("every delivery", LOAD_MAX, || (cluster.number(left) == 0).then_some(()));
    let requests = "SELECT COUNT(*) FROM messages WHERE type_name = 'document-request'";
    assert_eq!(cluster.number(requests), i64::try_from(MESSAGES).unwrap());
    // The simulated systems answer every one of them, through the balancer and the broker.
    let answered = "SELECT COUNT(*) FROM messages WHERE type_name = 'document-response'";
    eventually("every answer", LOAD_MAX, || (cluster.number(answered) == cluster.number(requests)).then_some(()));
    // It comes back where the balancer looks for it.
    run(&mut Command::new(cluster.folder.join(format!("start-{first}")))).done();
    let log = cluster.folder.join(format!("{first}.log"));
    eventually("the killed node again", LOAD_MAX, || {
        let text = std::fs::read_to_string(&log).unwrap();
        (text.matches("ready agencies=").count() == 2).then_some(())
    });
}
