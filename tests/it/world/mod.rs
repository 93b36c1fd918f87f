//! A small world around one gateway: a configuration folder with keys and the roles of Yugra, the gateway as a process, agencies that
//! sign, and receiving systems that answer.
//!
//! The tests are not async: what has to run beside them runs on [`RUNTIME`].

mod agency;
pub(crate) mod bodies;
mod opened;
mod partner;
mod person;
mod queues;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use mezhved::crypto::Certificate;
use mezhved::domain::MessageId;
use serde_json::Value;
use sqlx::Connection as _;

pub(crate) use agency::{Agency, GATEWAY, new_id, now, participant};
pub(crate) use opened::Opened;
pub(crate) use partner::{Behaviour, Partner};
pub(crate) use person::{PASSWORD, Page, Person};
pub(crate) use queues::Queues;
pub(crate) use wire::{Answer, Wire};

use crate::support::{Finished, Gateway, GatewayCommand, PostgresDatabase, eventually, mezhved, mezhved_told};

/// Where clients and receiving systems of all tests run.
pub(crate) static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// How long a test waits for what should come in a moment; the machine may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(90);

/// The two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// Three rules of Yugra's regulation: what most tests say must not change whenever the region's rules do.
pub(crate) const THREE_RULES: &str = include_str!("../../fixtures/regulations/yugra.toml");

/// What the register holds beside `uszn` and `provider` where the region's whole regulation is in force.
const OF_THE_WHOLE_REGION: [&str; 3] = ["commission", "working-group", "department"];

/// Participants, their roles and adapters. All but the named ones have a mailbox.
const PARTICIPANTS: [(&str, &[&str], Option<&str>); 6] = [
    ("register", &["uszn", "provider"], None),
    ("health", &["health"], Some("health")),
    ("education", &["education"], Some("education")),
    ("police", &["police"], Some("police")),
    ("guardianship", &["guardianship"], Some("guardianship")),
    ("employment", &["employment"], Some("employment")),
];

/// Those with a receiving system of their own, to which the gateway pushes over HTTP.
const PUSHED_TO: [&str; 3] = ["register", "health", "guardianship"];

/// A world to be.
pub(crate) struct Plan {
    backend: Backend,
    settings: Vec<String>,
    over_broker: Vec<&'static str>,
    expired: Vec<&'static str>,
    whole_region: bool,
    server: Option<String>,
}

impl Plan {
    /// Has its database on this server, not on the one of all tests.
    pub(crate) fn on_server(mut self, url: String) -> Self {
        self.server = Some(url);
        self
    }

    /// Works by the regulation that is built in, not by three rules of it.
    pub(crate) fn whole_region(mut self) -> Self {
        self.whole_region = true;
        self
    }

    /// Adds a line to `settings.toml`, such as `delivery.poll_ms = 100`.
    pub(crate) fn setting(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }

    /// Uses the broker at this address, and has these participants use it.
    pub(crate) fn broker(mut self, url: &str, participants: &[&'static str]) -> Self {
        self.over_broker.extend(participants);
        self.setting(format!("broker.url = {url:?}"))
    }

    /// Gives the participant a certificate that has ended.
    pub(crate) fn expired(mut self, participant: &'static str) -> Self {
        self.expired.push(participant);
        self
    }

    /// Makes the folder and starts the gateway.
    pub(crate) fn start(self) -> World {
        let mut world = self.prepare();
        world.serve();
        world
    }

    /// Makes the folder and everything else but starts no gateway.
    pub(crate) fn prepare(mut self) -> World {
        let folder = tempfile::tempdir().unwrap();
        let create = || self.server.as_deref().map_or_else(PostgresDatabase::create, PostgresDatabase::create_on);
        let database = (self.backend == Backend::Postgres).then(create);
        let url = database.as_ref().map_or("sqlite:data/mezhved.db".to_owned(), |d| d.url().to_owned());
        self.settings.push(format!("database.url = {url:?}"));
        self.settings.push("agencies.listen = \"127.0.0.1:0\"\nconsole.listen = \"127.0.0.1:0\"".to_owned());
        for part in ["keys", "agencies", "participants"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        let own = Agency::generate(&folder.path().join("keys"), "gateway");
        let gateway_certificate = own.certificate().clone();
        let (mut agencies, mut partners) = (BTreeMap::new(), BTreeMap::new());
        for (id, roles, adapter) in PARTICIPANTS {
            let keys = folder.path().join("agencies");
            let agency =
                if self.expired.contains(&id) { Agency::expired(&keys, id) } else { Agency::generate(&keys, id) };
            let agency = Arc::new(agency);
            let transport = if self.over_broker.contains(&id) {
                "{ kind = \"amqp\" }".to_owned()
            } else if PUSHED_TO.contains(&id) {
                let partner = Partner::start(agency.clone(), gateway_certificate.clone());
                let transport = format!("{{ kind = \"http\", url = \"{}\" }}", partner.url());
                partners.insert(id, partner);
                transport
            } else {
                "{ kind = \"mailbox\" }".to_owned()
            };
            let more: &[&str] = if self.whole_region && id == "register" { &OF_THE_WHOLE_REGION } else { &[] };
            write_participant(folder.path(), &agency, &[roles, more].concat(), adapter, &transport);
            agencies.insert(id, agency);
        }
        std::fs::write(folder.path().join("settings.toml"), self.settings.join("\n")).unwrap();
        if !self.whole_region {
            std::fs::create_dir(folder.path().join("regulations")).unwrap();
            std::fs::write(folder.path().join("regulations/yugra.toml"), THREE_RULES).unwrap();
        }
        World { gateway: None, agencies, partners, gateway_certificate, client: wire::client(), database, folder }
    }
}

fn write_participant(folder: &Path, agency: &Agency, roles: &[&str], adapter: Option<&str>, transport: &str) {
    let id = agency.id.as_str();
    let roles: Vec<String> = roles.iter().map(|role| format!("{{ role = \"{role}\" }}")).collect();
    let adapter = adapter.map_or(String::new(), |name| format!("adapter = \"{name}\"\n"));
    let text = format!(
        "id = \"{id}\"\nname = \"Участник {id}\"\nregulation = \"yugra\"\nzone = \"Asia/Yekaterinburg\"\n{adapter}\
         in_flight_max = 32\nrole = [{}]\ntransport = {transport}\ncertificate = [{{ file = \"{id}.crt\" }}]\n",
        roles.join(", ")
    );
    let participants = folder.join("participants");
    std::fs::write(participants.join(format!("{id}.toml")), text).unwrap();
    std::fs::copy(&agency.certificate_file, participants.join(format!("{id}.crt"))).unwrap();
}

/// One gateway with all around it. What is dropped first stands first.
pub(crate) struct World {
    gateway: Option<Gateway>,
    agencies: BTreeMap<&'static str, Arc<Agency>>,
    partners: BTreeMap<&'static str, Partner>,
    pub(crate) gateway_certificate: Certificate,
    client: reqwest::Client,
    database: Option<PostgresDatabase>,
    folder: tempfile::TempDir,
}

impl World {
    /// A plan of the usual world.
    pub(crate) fn on(backend: Backend) -> Plan {
        Plan {
            backend,
            settings: Vec::new(),
            over_broker: Vec::new(),
            expired: Vec::new(),
            whole_region: false,
            server: None,
        }
    }

    /// Starts the gateway of a world that was only prepared.
    pub(crate) fn serve(&mut self) {
        self.gateway = Some(self.command().start());
    }

    /// The command that starts the gateway.
    pub(crate) fn command(&self) -> GatewayCommand {
        GatewayCommand::serve(self.folder.path())
    }

    /// The running gateway's process.
    pub(crate) fn process(&mut self) -> &mut Gateway {
        self.gateway.as_mut().expect("the gateway was started")
    }

    /// The running gateway's process, to look at.
    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("the gateway was started")
    }

    /// The configuration folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the configuration folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The agency that plays this participant.
    pub(crate) fn agency(&self, id: &str) -> &Arc<Agency> {
        self.agencies.get(id).unwrap_or_else(|| panic!("no participant {id}"))
    }

    /// The receiving system of this participant.
    pub(crate) fn partner(&self, id: &str) -> &Partner {
        self.partners.get(id).unwrap_or_else(|| panic!("{id} has no receiving system"))
    }

    /// The way to the gateway over HTTP; copy it into async tasks.
    pub(crate) fn wire(&self) -> Wire {
        self.wire_to(self.gateway())
    }

    /// The way to whatever stands at this address in front of nodes.
    pub(crate) fn wire_at(&self, base: &str) -> Wire {
        Wire::new(self.client.clone(), base, self.gateway_certificate.clone())
    }

    /// The way to another node.
    pub(crate) fn wire_to(&self, node: &Gateway) -> Wire {
        Wire::new(self.client.clone(), node.agencies(), self.gateway_certificate.clone())
    }

    /// Posts one envelope to `/v1/messages`.
    pub(crate) fn post(&self, bytes: impl Into<Vec<u8>>) -> Answer {
        RUNTIME.block_on(self.wire().post("/v1/messages", bytes.into())).unwrap()
    }

    /// Runs `mezhved` on this world's folder.
    pub(crate) fn mezhved(&self, arguments: &[&str]) -> Finished {
        mezhved(&[arguments, &["--config", self.folder.path().to_str().unwrap()]].concat())
    }

    /// The same with a line on standard input.
    pub(crate) fn mezhved_told(&self, arguments: &[&str], line: &str) -> Finished {
        mezhved_told(&[arguments, &["--config", self.folder.path().to_str().unwrap()]].concat(), line)
    }

    /// Adds an account with these options of `mezhved account add` and the password [`PASSWORD`].
    pub(crate) fn add_account(&self, login: &str, options: &[&str]) {
        let add = ["account", "add", login, "--name", "Кто-то"];
        self.mezhved_told(&[&add[..], options].concat(), PASSWORD).done();
    }

    /// Somebody new who has signed in to the console, with these options of `mezhved account add`.
    pub(crate) fn person(&self, login: &str, options: &[&str]) -> Person {
        self.add_account(login, options);
        let mut person = Person::nobody(self.gateway().console());
        let page = person.sign_in(login, PASSWORD);
        assert_eq!((page.status, page.location.as_str()), (303, "/"), "{}", page.text);
        person
    }

    /// A script with a token of this account, with these rights.
    pub(crate) fn script(&self, login: &str, rights: &[&str]) -> Person {
        let made = ["account", "token", "add", login, "--title", "x", "--days", "1"];
        let rights: Vec<&str> = rights.iter().flat_map(|right| ["--right", *right]).collect();
        let token = self.mezhved(&[&made[..], &rights].concat()).done().stdout;
        let mut script = Person::nobody(self.gateway().console());
        script.headers = vec![("authorization", format!("Bearer {}", token.trim()))];
        script
    }

    /// A listing as the array that `--json` prints.
    pub(crate) fn listed(&self, arguments: &[&str]) -> Vec<Value> {
        let found = self.mezhved(&[arguments, &["--json"]].concat()).done().json();
        found.as_array().unwrap_or_else(|| panic!("no list: {found}")).clone()
    }

    /// What is not handed over, once it is so many: what senders are told of it goes out too, a moment later.
    pub(crate) fn undelivered(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} that are not handed over"), SOON, || {
            Some(self.listed(&["message", "list", "--undelivered"])).filter(|listed| listed.len() == count)
        })
    }

    /// One number out of the database.
    pub(crate) fn number(&self, query: &'static str) -> i64 {
        self.value(query)
    }

    /// One value of bytes out of the database.
    pub(crate) fn bytes(&self, query: &'static str) -> Vec<u8> {
        self.value(query)
    }

    fn value<T>(&self, query: &'static str) -> T
    where
        T: Send + Unpin + 'static,
        (T,): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
    {
        let postgres = self.database.as_ref().map(|d| d.url().to_owned());
        let file = self.file("data/mezhved.db");
        RUNTIME.block_on(async move {
            match postgres {
                Some(url) => {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
                }
                None => {
                    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
                    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
                }
            }
        })
    }

    /// The server's database.
    pub(crate) fn database(&self) -> &PostgresDatabase {
        self.database.as_ref().expect("the database is a server's")
    }

    /// Changes the embedded database behind the gateway's back, as if time had passed.
    pub(crate) fn change(&self, statement: &'static str) {
        assert!(self.database.is_none(), "the database is a server's");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file("data/mezhved.db"));
        RUNTIME.block_on(async move {
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            let changed = sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected();
            assert!(changed > 0, "{statement}");
            connection.close().await.unwrap();
        });
    }

    /// Waits until the only delivery of this message is in this state.
    pub(crate) fn until(&self, id: MessageId, state: &str) -> Value {
        let id = id.to_string();
        eventually(&format!("message {id} {state}"), SOON, || {
            let shown = self.mezhved(&["message", "show", &id, "--json"]).done().json();
            let delivery = &shown[0]["deliveries"][0];
            (delivery["state"] == state).then(|| delivery.clone())
        })
    }
}
